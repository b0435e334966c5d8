#!/bin/bash
# usage: no_gmsh.sh IREZONE CC
# Without Gmsh's library, or with one that is damaged, another, or too large for the memory: generating says so in one line, with
# the package's name and status 3, or with status 6; loaded meshes do without.
irezone=$1
compiler=$2
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failed=0
soname=$(grep -aoE 'libgmsh\.so\.[0-9]+\.[0-9]+' "$irezone" | head -1)
real=$(ldconfig -p | awk -v name="$soname" '$1 == name { print $NF; exit }')

cat >needles.yaml <<'PLAN'
name: needles
mesh: {size: 60, accuracy: 20, order: 1}
tissues: {default: {preset: liver}}
array: {count: 2, spacing: 15, exposure: 15}
pulses: [{from: A, to: B, voltage: 2000, count: 90, width: 100, rate: 1.5}]
PLAN
"$irezone" mesh needles.yaml -o whole.msh >out || { echo "no mesh even with Gmsh"; exit 1; }

# check WHAT TEXT: both commands fail with one line that has the text
check() {
  for command in "mesh needles.yaml -o made.msh" "run needles.yaml -o made -q"; do
    # shellcheck disable=SC2086 # words
    "${prefix[@]}" "$irezone" $command >out 2>err
    status=$?
    line=$(head -c 500 err)
    [ "$status" = 3 ] || { echo "$1, $command: status $status instead of 3: $line"; failed=1; }
    [ "$(wc -l <err)" = 1 ] || { echo "$1, $command: $(wc -l <err) lines: $line"; failed=1; }
    for text in "irezone: " "$2" "$soname" "apt install libgmsh"; do
      [[ $line == *"$text"* ]] || { echo "$1, $command: \"$text\" is not in: $line"; failed=1; }
    done
    [ ! -e made.msh ] && [ ! -e made ] || { echo "$1, $command: left $(ls)"; failed=1; }
  done
  "${prefix[@]}" "$irezone" run needles.yaml -o loaded -q --set mesh.file=whole.msh >out 2>err ||
    { echo "$1: a loaded mesh: status $?: $(cat err)"; failed=1; }
  rm -rf loaded
}

mkdir library
prefix=(env LD_LIBRARY_PATH="$folder/library")
: >"library/$soname"
check "an empty file" "file too short"
head -c 1000000 "$real" >"library/$soname"
check "half a file" "is incomplete"
echo 'int gmshNothing(void); int gmshNothing(void) { return 0; }' >stub.c
"$compiler" -shared -fPIC -Wl,-soname,"$soname" stub.c -o "library/$soname"
check "without functions" "has no function gmsh"
"$compiler" -shared -fPIC -Wl,-soname,libgmsh.so.9.9 stub.c -o "library/$soname"
check "another version" "libgmsh.so.9.9"
# In a mount namespace of its own, if this user may have one, an empty device lies over the library.
if unshare -rm true 2>/dev/null; then
  prefix=(unshare -rm sh -c 'mount --bind "$0" "$1" && shift && exec "$@"' /dev/null "$(readlink -f "$real")")
  check "no library" "file too short"
fi

# Too little memory for the library, and for what it does: one line, status 6, as far as the C library's own linker does not
# end the process (127) with a line of its own.
limit=60000
until (ulimit -v $limit && exec "$irezone" --version) >out 2>&1; do limit=$((limit + 4000)); done
fits=0 status=1
while [ $status != 0 ] && [ $limit -lt 1000000 ]; do
  (ulimit -v $limit && exec "$irezone" mesh needles.yaml -o small.msh) >out 2>err
  status=$?
  line=$(head -c 300 err)
  case $status in
    0) ;;
    6) [[ $line == "irezone: out of memory: "* ]] || { echo "$limit kB: $line"; failed=1; } ;;
    127) [[ $line == "out of memory" ]] || { echo "$limit kB: status 127: $line"; failed=1; } ;;
    *) echo "$limit kB: status $status: $line"; failed=1 ;;
  esac
  [ "$(wc -l <err)" -le 1 ] || { echo "$limit kB: $(wc -l <err) lines: $line"; failed=1; }
  [[ $line == *"does not fit"* ]] && fits=1
  limit=$((limit + 9000))
done
[ $status = 0 ] && [ $fits = 1 ] || { echo "limits of memory: status $status at $limit kB, $fits"; failed=1; }
cmp -s whole.msh small.msh || { echo "another mesh with less memory"; failed=1; }
exit $failed

#!/bin/bash
# usage: no_gmsh.sh IREZONE CC
# Without Gmsh's library, or with one that is damaged or another: generating says so in one line, with the package's name and
# status 3; loaded meshes do without.
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
exit $failed

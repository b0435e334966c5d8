#!/bin/sh
# usage: cli.sh IREZONE MPIEXEC
# The command line from outside: status, streams and files of every command.
irezone=$1
mpiexec=$2
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failed=0

# expect WHAT STATUS COMMAND...: runs the command into out and err, and compares its status
expect() {
  what=$1
  wanted=$2
  shift 2
  "$@" >out 2>err
  status=$?
  if [ "$status" != "$wanted" ]; then
    echo "$what: status $status instead of $wanted: $(head -c 500 err)"
    failed=1
  fi
}
# holds WHAT FILE TEXT: the file contains the text
holds() {
  grep -qF -- "$3" "$2" || { echo "$1: \"$3\" is not in $2: $(head -c 500 "$2")"; failed=1; }
}
# one_line WHAT: exactly one line on the standard error, which begins with the program's name
one_line() {
  [ "$(wc -l <err)" = 1 ] || { echo "$1: $(wc -l <err) lines instead of one: $(cat err)"; failed=1; }
  grep -q '^irezone: ' err || { echo "$1: $(cat err)"; failed=1; }
}
# empty WHAT FILE
empty() {
  [ ! -s "$2" ] || { echo "$1: $2 is not empty: $(head -c 500 "$2")"; failed=1; }
}

cat >pair.yaml <<'PLAN'
name: pair
mesh: {size: 80, accuracy: 10, order: 1}
tissues: {default: {preset: liver}}
array: {count: 2, spacing: 15, exposure: 20}
pulses: {pairs: all, voltage: 2250}
PLAN

expect version 0 "$irezone" --version
grep -q '^irezone [0-9]' out || { echo "version: $(cat out)"; failed=1; }
expect help 0 "$irezone" help
cp out overview
for command in $(sed -n 's/^            irezone \([a-z]*\).*/\1/p' overview); do
  expect "help $command" 0 "$irezone" help "$command"
  holds "help $command" out "usage: irezone $command"
  cp out first
  expect "$command --help" 0 "$irezone" "$command" --help
  cmp -s out first || { echo "$command --help differs from help $command"; failed=1; }
done
expect "help plan" 0 "$irezone" help plan
for key in max_spacing idle_probes enforce gompertz frame diameter; do holds "help plan" out "$key"; done
expect "help results" 0 "$irezone" help results
holds "help results" out field_V_per_cm
for name in liver liver-tumour kidney lung prostate pancreas brain muscle fat bone vessel bile-duct urethra nerve potato gel
do
  expect "tissues $name" 0 "$irezone" tissues "$name"
  holds "tissues $name" out "V/cm"
done

expect "no command" 2 "$irezone"
one_line "no command"
expect "bad command" 2 "$irezone" walk
one_line "bad command"
expect "bad option" 2 "$irezone" run pair.yaml --fast
one_line "bad option"
expect "option without value" 2 "$irezone" run pair.yaml --set
one_line "option without value"
expect "bad threads" 2 "$irezone" run pair.yaml --threads many
one_line "bad threads"
expect "no such plan" 2 "$irezone" run missing.yaml
one_line "no such plan"
expect "plan is a folder" 2 "$irezone" check .
one_line "plan is a folder"
expect "two plans" 2 "$irezone" check pair.yaml pair.yaml
one_line "two plans"
expect "no such preset" 2 "$irezone" tissues marble
one_line "no such preset"
expect "no such file" 3 "$irezone" info missing.msh
one_line "no such file"
expect "neither mesh nor result" 3 "$irezone" info pair.yaml
one_line "neither mesh nor result"
expect "mesh without name" 2 "$irezone" mesh pair.yaml
one_line "mesh without name"
expect "no such mesh" 3 "$irezone" run pair.yaml --set mesh.file=missing.msh
one_line "no such mesh"
holds "no such mesh" out mesh
if grep -q setup out; then
  echo "no such mesh: the stage after the mesh is announced: $(cat out)"
  failed=1
fi
expect "results into a file" 5 "$irezone" run pair.yaml -o pair.yaml
one_line "results into a file"

expect check 0 "$irezone" check pair.yaml --set array.spacing=35
holds check out "2250 V over 35 mm"
holds check err "beyond the 32 mm"
expect mesh 0 "$irezone" mesh pair.yaml -o pair.msh
expect "info of a mesh" 0 "$irezone" info pair.msh
holds "info of a mesh" out A_insulated

# At order 2 its error bar is well below the accuracy that it asks for, so there is nothing to warn of.
expect run 0 "$irezone" run pair.yaml -o results -q --set mesh.order=2
empty "run -q" out
empty "run -q" err
[ "$(ls results)" = "pair.hdf
pair.json" ] || { echo "run: results has $(ls results)"; failed=1; }
expect "run without fields" 0 "$irezone" run pair.yaml -o summaries --set output.fields=false
holds "run without fields" out "written to summaries/pair.json"
[ "$(ls summaries)" = pair.json ] || { echo "run without fields: summaries has $(ls summaries)"; failed=1; }
touch summaries/pair.hdf
expect "run without fields beside old ones" 0 "$irezone" run pair.yaml -q -o summaries --set output.fields=false
holds "run without fields beside old ones" err "warning: summaries/pair.hdf is left from an earlier run"
expect "info of a result" 0 "$irezone" info results/pair.hdf
holds "info of a result" out field_V_per_cm
expect "run, unused PETSc option" 0 "$irezone" run pair.yaml -o results -q -- -no_such_option 1
holds "run, unused PETSc option" err "PETSc option -no_such_option was not used"
expect "run, loud" 0 "$irezone" run pair.yaml -o results
holds "run, loud" out "cm³"
if grep -q "$(printf '\033')" out err; then
  echo "run: a pipe got control characters"
  failed=1
fi
expect "run on its own mesh" 0 "$irezone" run pair.yaml -o loaded -q --set mesh.file=pair.msh
expect "run under mpiexec" 0 "$mpiexec" --oversubscribe -n 2 "$irezone" run pair.yaml -o two
[ "$(grep -c 'converged' out)" = 1 ] || { echo "run under mpiexec: not one summary: $(cat out)"; failed=1; }

# A plan from the standard input, a summary to the standard output and nothing else anywhere.
expect "check -" 0 sh -c "'$irezone' check - <pair.yaml"
expect "check - with a byte that is not UTF-8" 2 sh -c "printf 'name: a\\265\\n' | '$irezone' check -"
holds "check - with a byte that is not UTF-8" err "stdin:1: the byte 0xb5"
mkdir empty
expect "run - -o -" 0 sh -c "cd empty && '$irezone' run - -o - <../pair.yaml"
python3 -c 'import json, sys; assert json.load(open(sys.argv[1]))["status"] == "converged"' out || { echo "run -o -: no JSON"; failed=1; }
[ -z "$(ls -A empty)" ] || { echo "run -o -: left $(ls -A empty)"; failed=1; }
rmdir empty
expect "run - under mpiexec" 2 sh -c "'$mpiexec' --oversubscribe -n 2 '$irezone' run - <pair.yaml 2>&1 >/dev/null | grep ^irezone: >&2; exit 2"
holds "run - under mpiexec" err "only one process can read a plan"
expect "run PLAN --help" 0 "$irezone" run pair.yaml --help
holds "run PLAN --help" out "usage: irezone run"
expect "a folder for a plan" 2 "$irezone" check .
holds "a folder for a plan" err "cannot be read: Is a directory"

# With field the voltage follows the needles: said if --set moves them.
sed 's/voltage: 2250/field: 1500/' pair.yaml >field.yaml
expect "check with a field" 0 "$irezone" check field.yaml
holds "check with a field" out "1500 V/cm x 15 mm = 2250 V"
empty "check with a field" err
expect "check with moved needles" 0 "$irezone" check field.yaml --set array.spacing=18
holds "check with moved needles" err "A-B 1500 V/cm x 18 mm = 2700 V (2250 V before)"
expect "check with a voltage" 0 "$irezone" check pair.yaml --set array.spacing=18
empty "check with a voltage" err

# A run that is stopped leaves one line, status 75 and no file. The signal is sent when the first stage is announced.
for signal in INT TERM USR1; do
  rm -rf stopped out
  "$irezone" run pair.yaml -o stopped --set array.count=6 --set mesh.accuracy=0.3 --set mesh.order=2 >out 2>err &
  process=$!
  waited=0
  while [ ! -s out ] && [ "$waited" -lt 600 ]; do
    sleep 0.05
    waited=$((waited + 1))
  done
  kill -s "$signal" "$process"
  wait "$process"
  status=$?
  [ "$status" = 75 ] || { echo "SIG$signal: status $status"; failed=1; }
  one_line "SIG$signal"
  [ ! -e stopped ] || { echo "SIG$signal: left $(ls stopped)"; failed=1; }
done
exit $failed

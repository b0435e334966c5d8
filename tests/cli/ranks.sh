#!/bin/bash
# usage: ranks.sh IREZONE MPIEXEC
# Tasks and ranks: serial commands work in every task; ranks that do not agree end at once with one line; streams and limits.
irezone=$1
mpiexec=$2
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failed=0
fail() { echo "FAIL $*"; failed=1; }

cat >pair.yaml <<'PLAN'
name: pair
mesh: {size: 60, accuracy: 20, order: 1}
tissues: {default: {preset: liver}}
array: {count: 2, spacing: 15, exposure: 15}
pulses: [{from: A, to: B, voltage: 2000, count: 90, width: 100, rate: 1.5}]
PLAN
printf 'plan: pair.yaml\nsample: grid\nvary:\n  pulses[0].voltage: {values: [1000, 2000]}\n' >sweep.yaml

# Serial commands under a launcher, as task 1.
export PMIX_RANK=1 PMI_RANK=1 OMPI_COMM_WORLD_RANK=1
"$irezone" mesh pair.yaml -o one.msh >out 2>&1 && [ -s one.msh ] && [ -s out ] || fail "mesh in task 1: $(cat out)"
for command in "check pair.yaml" "info one.msh" "tissues liver" tissues help "help run" --version "sweep sweep.yaml --dry-run"; do
  # shellcheck disable=SC2086 # words
  "$irezone" $command >out 2>err && [ -s out ] || fail "$command in task 1 says nothing: $(cat err)"
done
"$irezone" check missing.yaml >out 2>err
[ $? = 2 ] && grep -q missing.yaml err || fail "check of a missing plan in task 1: $(cat err)"
unset PMIX_RANK PMI_RANK OMPI_COMM_WORLD_RANK
# Tasks that MPI does not know of work alone, and say so.
PMIX_RANK=1 "$irezone" run pair.yaml -o alone -q 2>err && [ -s alone/pair.json ] && grep -q "task 1" err || fail "run as a task that MPI does not know: $(cat err)"

# differs TEXT STATUS WORDS FOR RANK 1...: exactly one line of ours, with the text, at once
differs() {
  text=$1
  wanted=$2
  shift 2
  timeout 60 "$mpiexec" --oversubscribe -n 1 "$irezone" run pair.yaml -o two -q : -n 1 "$irezone" run pair.yaml -o two -q "$@" >out 2>&1
  status=$?
  [ $status = "$wanted" ] || fail "$*: status $status"
  [ "$(grep -c '^irezone: ' out)" = 1 ] && grep '^irezone: ' out | grep -q -- "$text" || fail "$*: $(grep irezone: out)"
  [ ! -e two ] || fail "$*: results were written"
}
differs "rank 1 has another plan than rank 0" 2 --set 'pulses[0].voltage=1000'
differs "rank 1 has another plan than rank 0" 2 --set 'pulses[1]={from: B, to: A, voltage: 500}'
differs "rank 1 has another plan than rank 0" 2 --set tissues.default.preset=muscle
differs "rank 1 has another folder for the results than rank 0" 2 -o three
differs "unknown key" 2 --set 'pulses[0].nonsense=1'
differs "unknown option --fast" 2 --fast
differs "rank 1 has another set of PETSc options than rank 0" 2 -- -log_view
sed 's/2000/2100/' pair.yaml >other.yaml
timeout 60 "$mpiexec" --oversubscribe -n 1 "$irezone" sweep sweep.yaml -o swept -q : -n 1 "$irezone" sweep other.yaml -o swept -q >out 2>&1
[ $? = 2 ] && grep -q "rank 1 has another sweep file than rank 0" out || fail "sweep files: $(grep irezone: out)"

# Closed and full streams.
for command in help "help plan" tissues "tissues liver" "check pair.yaml" "info one.msh" --version "mesh pair.yaml -o two.msh" "run pair.yaml -o full"; do
  # shellcheck disable=SC2086
  "$irezone" $command >/dev/full 2>err
  [ $? = 5 ] || fail "$command > /dev/full: $(cat err)"
  # shellcheck disable=SC2086
  "$irezone" $command <&- >&- 2>&-
  [ $? = 5 ] || fail "$command without streams"
done
[ -s full/pair.json ] || fail "results are not written without an output"
"$irezone" run pair.yaml -o quiet -q <&- >&- 2>&- || fail "a quiet run needs no streams"
"$irezone" sweep sweep.yaml -o streams <&- >&- 2>&-
[ $? = 5 ] && [ -s streams/sweep.csv ] || fail "a sweep without streams"

# Few files.
(ulimit -S -n 10 && exec "$irezone" run pair.yaml -o files -q) || fail "a soft limit of files is not raised"
(ulimit -n 10 && exec "$irezone" run pair.yaml -o few -q) 2>err
[ $? = 4 ] && [ "$(wc -l <err)" = 1 ] && grep -q "ulimit -n" err || fail "too few files: $(head -3 err)"
exit $failed

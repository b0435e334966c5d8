#!/bin/bash
# Everything that must hold before a change is accepted: install packages, build with warnings as errors, lint, all tests,
# then the quick tests again under the address and undefined-behaviour sanitizers, a few for leaks and races, and 40
# seconds of fuzzing for each reader.
#   scripts/test.sh [ctest options, such as -R plan]
set -Eeuo pipefail
source "$(dirname "$0")/environment.sh"
cd "$root"
logs=build/Testing
step=Set-up

# The closing lines of a ctest run, so that they stand at the very end of the output.
closing() {
  [ -f "$1" ] || return 0
  sed -n '/^The following tests did not run/,/^$/p; /^The following tests FAILED/,$p' "$1"
  grep -E 'tests passed|No tests were found' "$1"
}
# What was skipped in a ctest run.
skipped() {
  sed -n '/^The following tests did not run/,/^$/p' "$1"
}
failed() {
  heading "FAILED after $SECONDS s, in: $step"
  closing $logs/sanitize.txt
  closing $logs/all.txt
}
trap failed ERR

step=Packages
heading "$step"
scripts/install-packages.sh test

step="Build, warnings are errors"
heading "$step"
mkdir -p $logs
rm -f $logs/all.txt $logs/sanitize.txt
configure_and_build build -DIREZONE_WERROR=ON

step=Lint
heading "$step"
scripts/lint.sh build

# Each test may use several ranks or threads; two at a time is enough for them to overlap without fighting.
parallel=$((jobs < 2 ? jobs : 2))
step=Tests
heading "$step"
OMP_NUM_THREADS=1 ctest --test-dir build -j $parallel --output-on-failure "$@" | tee $logs/all.txt

step="Quick tests under the address and undefined-behaviour sanitizers"
heading "$step"
configure_and_build build/sanitize -DCMAKE_BUILD_TYPE=Debug -DIREZONE_SANITIZE=ON -DIREZONE_WERROR=ON
# MPI, PETSc and Gmsh keep memory until the process ends: errors are looked for, leaks are not.
ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 OMP_NUM_THREADS=1 ctest --test-dir build/sanitize -j $parallel -L quick --output-on-failure "$@" |
  tee $logs/sanitize.txt

if [ $# -eq 0 ]; then
  step="Leaks and races"
  scripts/sanitize.sh --short leak thread
  step=Fuzzing
  heading "$step"
  scripts/fuzz.sh 60 | tee $logs/fuzz.txt
fi

trap - ERR
skipped $logs/all.txt
heading "Passed in $SECONDS s"
[ $# -gt 0 ] || echo "fuzzing: $(tail -1 $logs/fuzz.txt)"
echo "sanitizers: $(closing $logs/sanitize.txt | tail -1)"
closing $logs/all.txt

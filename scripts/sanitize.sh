#!/bin/bash
# Look for errors that tests do not see: scripts/sanitize.sh [--short] [address] [undefined] [leak] [thread] [valgrind]
#   address, undefined  the quick tests with both (one build), and a sample of the faults at agreements
#   leak                what irezone itself allocates and never frees: the program, and tests of the library
#   thread              races of the OpenMP parts, with Clang, LLVM's runtime and its tool Archer
#   valgrind            reads of memory that was never written, which no sanitizer of GCC finds: the program
# Default: all of them. --short: what scripts/test.sh runs, a minute for leak and thread together.
# What libraries keep until the end is listed in tests/sanitizers.
set -euo pipefail
source "$(dirname "$0")/environment.sh"
cd "$root"
short=false
if [ "${1:-}" = --short ]; then
  short=true
  shift
fi
for mode in "$@"; do
  if [[ " address undefined leak thread valgrind " != *" $mode "* ]]; then
    echo "usage: $0 [--short] [address] [undefined] [leak] [thread] [valgrind]" >&2
    exit 2
  fi
done
modes=" $* "
[ $# -gt 0 ] || modes=" address leak thread valgrind "
wants() { [[ $modes == *" $1 "* ]]; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
# The plans of tests/faults, small ones of each kind.
"$python" tests/faults/run.py --inputs "$work"

# program WRAPPER... -- PROGRAM THREADS: run, sweep, mesh and info under a tool; what it says on an error is shown.
program() {
  local wrapper=() out=$work/out
  while [ "$1" != -- ]; do
    wrapper+=("$1")
    shift
  done
  local irezone=$2 threads=$3 words
  for words in "run plates.yaml -o $out --threads $threads" "run needles.yaml -o $out --threads $threads" \
    "run heat.yaml -o $out --threads $threads" "sweep sweep.yaml -o $out --threads $threads" "info $out/plates.hdf" \
    "mesh needles.yaml -o $out/needles.msh" "info $out/needles.msh" "check heat.yaml" "run missing.yaml" \
    "run plates.yaml -o $out --set pulses[0].voltage=-x"; do
    local status=0 wanted=0
    [[ $words == *missing* || $words == *=-x ]] && wanted=2
    # shellcheck disable=SC2086 # words
    (cd "$work" && "${wrapper[@]}" "$irezone" $words >log 2>&1) || status=$?
    if [ $status = $wanted ] && ! grep -qE 'ERROR SUMMARY: [1-9]|WARNING: ThreadSanitizer' "$work/log"; then
      echo "  clean: irezone ${words//$work\//}"
    else
      echo "  FAILED with status $status: irezone $words"
      head -60 "$work/log"
      failed=1
    fi
  done
  rm -rf "$out"
}

if wants address || wants undefined || wants leak; then
  configure_and_build build/sanitize -DCMAKE_BUILD_TYPE=Debug -DIREZONE_SANITIZE=ON -DIREZONE_WERROR=ON | tail -1
fi
if wants address || wants undefined; then
  heading "Address and undefined behaviour"
  ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 OMP_NUM_THREADS=1 ctest --test-dir build/sanitize -j "$jobs" \
    -L quick --output-on-failure || failed=1
  ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 "$python" tests/faults/run.py build/sanitize/tests/faults/irezone \
    --kind agree --sample 4 --workers "$jobs" || failed=1
fi

if wants leak; then
  heading "Leaks"
  export LSAN_OPTIONS=suppressions=$root/tests/sanitizers/leak.supp:print_suppressions=0
  tests='^(test_plan|test_yaml|test_mesh_read|test_vtkhdf|test_sweep_read|test_label_map)$'
  $short || tests='^test_'
  # Whole stacks: Open MPI unloads its components before leaks are looked for, and their frames have no names then.
  ASAN_OPTIONS=detect_leaks=1:fast_unwind_on_malloc=0:allocator_may_return_null=1 OMP_NUM_THREADS=1 ctest --test-dir build/sanitize -j "$jobs" \
    -L quick -R "$tests" -E ranks --output-on-failure || failed=1
  ASAN_OPTIONS=detect_leaks=1:fast_unwind_on_malloc=0 OMP_NUM_THREADS=1 program env -- "$root/build/sanitize/irezone" 1
fi

if wants thread; then
  heading "Threads"
  targets=(irezone_cli test_volume test_drawn test_recover test_amg test_multigrid test_threads test_kernel)
  $short && targets=(irezone_cli test_threads)
  configure_and_build build/thread --target "${targets[0]}" -DCMAKE_C_COMPILER=clang -DIREZONE_SANITIZE=thread -DIREZONE_WERROR=ON \
    -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_C_FLAGS_RELWITHDEBINFO="-O1 -g" | tail -1
  cmake --build build/thread -j "$jobs" --target "${targets[@]}" | tail -1
  archer=$(clang -print-file-name=libarcher.so)
  # MPI, PETSc and Gmsh are not instrumented, so that what they do among themselves cannot be judged.
  export OMP_TOOL_LIBRARIES=$archer TSAN_OPTIONS="ignore_noninstrumented_modules=1 exitcode=66"
  OMP_NUM_THREADS=2 program env -- "$root/build/thread/irezone" 2
  for test in "${targets[@]:1}"; do
    binary=$(find build/thread/tests -name "$test" -type f -perm -u+x)
    if OMP_NUM_THREADS=3 "$binary" >"$work/log" 2>&1; then
      echo "  clean: $test"
    else
      echo "  FAILED: $test"
      head -60 "$work/log"
      failed=1
    fi
  done
  unset OMP_TOOL_LIBRARIES TSAN_OPTIONS
fi

if wants valgrind; then
  heading "Valgrind"
  configure_and_build build --target irezone_cli | tail -1
  supp=()
  for file in /usr/share/openmpi/openmpi-valgrind.supp tests/sanitizers/valgrind.supp; do
    [ ! -f "$file" ] || supp+=(--suppressions="$file")
  done
  OMP_NUM_THREADS=1 program valgrind -q --error-exitcode=99 "${supp[@]}" -- "$root/build/irezone" 1
fi
exit $failed

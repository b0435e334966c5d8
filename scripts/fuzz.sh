#!/bin/bash
# Fuzz the readers under the address, undefined-behaviour and leak sanitizers.
#   scripts/fuzz.sh [--keep] [SECONDS] [READER...]
# SECONDS of one core for each reader (default 600), two at a time; readers: msh plan sweep table label_map nrrd markups journal result serve (default: all).
# Prints how many inputs each was given and its slowest one. What goes wrong, and the slowest, are left in build/fuzzing/found;
# what reaches new code is kept in build/fuzzing/READER for the next run. --keep puts the smallest set of inputs that
# reaches the same code into tests/fuzz/corpus/READER.
set -euo pipefail
source "$(dirname "$0")/environment.sh"
cd "$root"
readers=(msh plan sweep table label_map nrrd markups journal result serve)

keep=false
if [ "${1:-}" = --keep ]; then
  keep=true
  shift
fi
seconds=600
if [[ ${1:-} =~ ^[0-9]+$ ]]; then
  seconds=$1
  shift
fi
for reader in "$@"; do
  if [[ " ${readers[*]} " != *" $reader "* ]]; then
    echo "usage: $0 [--keep] [SECONDS] [READER...], readers: ${readers[*]}" >&2
    exit 2
  fi
done
[ $# -gt 0 ] && readers=("$@")

work=build/fuzzing
programs=$work/build/tests/fuzz
mkdir -p $work/found
echo "Building in $work/build"
configure_and_build $work/build -DCMAKE_C_COMPILER=clang -DIREZONE_FUZZ=ON -DIREZONE_SANITIZE=ON -DIREZONE_WERROR=ON \
  -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_C_FLAGS_RELWITHDEBINFO="-O1 -g" >$work/build.log || {
  tail -40 $work/build.log
  exit 1
}

export OMP_NUM_THREADS=1
export ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1
export LSAN_OPTIONS=suppressions=$root/tests/sanitizers/leak.supp:print_suppressions=0
limits=(-max_len=65536 -timeout=30 -rss_limit_mb=2048 -malloc_limit_mb=1024)

# fuzz READER SECONDS [PART]: its closing lines go to the screen, all it says to build/fuzzing/READER[PART].log.
fuzz() {
  local reader=$1 seconds=$2 part=${3:-} status=0 dictionary=()
  local log=$work/$reader$part.log
  mkdir -p "$work/$reader"
  [ ! -f "tests/fuzz/$reader.dict" ] || dictionary=(-dict="tests/fuzz/$reader.dict")
  FUZZ_SLOWEST=$work/found/slowest-$reader$part nice "$programs/fuzz_$reader" "$work/$reader" "tests/fuzz/corpus/$reader" \
    -max_total_time="$seconds" "${limits[@]}" "${dictionary[@]}" -artifact_prefix="$work/found/$reader-" \
    -print_final_stats=1 >"$log" 2>&1 || status=$?
  local told covered
  told=$(grep -E '^[0-9]+ inputs;' "$log" || grep -m1 -E 'ERROR|SUMMARY' "$log" || echo "status $status")
  covered=$(grep -o 'cov: [0-9]*' "$log" | tail -1 || true)
  printf '%-10s %s, %s\n' "$reader" "$told" "$covered"
  if [ $status -ne 0 ]; then
    grep -E -A12 'ERROR|runtime error' "$log" | head -40 || true
    grep 'Test unit written' "$log" || true
  fi
  return $status
}

# keep_smallest READER: the corpus anew.
keep_smallest() {
  local reader=$1 corpus=tests/fuzz/corpus/$1
  rm -rf "$work/small"
  mkdir -p "$work/small"
  nice "$programs/fuzz_$reader" -set_cover_merge=1 -use_counters=0 -max_len=16384 "$work/small" "$corpus" "$work/$reader" >"$work/$reader.merge.log" 2>&1
  rm -f "$corpus"/*
  cp "$work"/small/* "$corpus/"
  echo "$reader: $(find "$corpus" -type f | wc -l) inputs, $(cat "$corpus"/* | wc -c) bytes in $corpus"
}

failed=0
logs=()
for ((first = 0; first < ${#readers[@]}; first += 2)); do
  running=()
  pair=("${readers[@]:first:2}")
  if [ ${#pair[@]} -eq 2 ]; then
    for reader in "${pair[@]}"; do
      fuzz "$reader" "$seconds" &
      logs+=("$work/$reader.log")
      running+=($!)
    done
  else # a reader that is left over takes both places for half the time
    for part in -1 -2; do
      fuzz "${pair[0]}" $(((seconds + 1) / 2)) $part &
      logs+=("$work/${pair[0]}$part.log")
      running+=($!)
    done
  fi
  for process in "${running[@]}"; do wait "$process" || failed=1; done
done
if $keep; then
  for reader in "${readers[@]}"; do keep_smallest "$reader"; done
fi
sed -sn 's/^\([0-9]*\) inputs;.*/\1/p' "${logs[@]}" | awk '{ sum += $1 } END { printf "%d inputs in all\n", sum }'
exit $failed

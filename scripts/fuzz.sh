#!/bin/bash
# Fuzz the mesh reader under the address and undefined-behaviour sanitizers.
# usage: scripts/fuzz.sh [SECONDS]       600 by default; one process
# What it finds is left in build/fuzz; a corpus that covers more replaces tests/fuzz/corpus.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-600}
build=build/fuzz
corpus=tests/fuzz/corpus
mkdir -p $build/work $corpus

flags="-std=gnu11 -g -O1 -Iinclude -Isrc $(pkg-config --cflags-only-I ompi-c)"
sources="tests/fuzz/fuzz_msh.c src/mesh/msh_read.c src/mesh/msh_read_scan.c src/mesh/msh_read_tags.c
  src/mesh/mesh_build.c src/mesh/mesh_faces.c src/mesh/mesh_check.c src/mesh/mesh_stats.c src/base/memory.c
  src/base/error.c"
# shellcheck disable=SC2086,SC2046 # lists of flags
clang $flags -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined $sources -o $build/fuzz_msh \
  $(pkg-config --libs ompi-c) -lm
# shellcheck disable=SC2086
cc $flags tests/fuzz/make_seeds.c -o $build/make_seeds
$build/make_seeds $build/work

export ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1
(cd $build && nice ./fuzz_msh work "../../$corpus" -max_total_time="$seconds" -max_len=4096 -timeout=10 \
  -rss_limit_mb=1024 -malloc_limit_mb=256 -dict=../../tests/fuzz/msh.dict -print_final_stats=1)

# A small set of inputs that reaches the same code.
rm -rf $build/small
mkdir $build/small
nice $build/fuzz_msh -set_cover_merge=1 -use_counters=0 -max_len=4096 $build/small $build/work $corpus 2>$build/merge.log
rm -f $corpus/*
cp $build/small/* $corpus/
echo "$(find $corpus -type f | wc -l) inputs, $(cat $corpus/* | wc -c) bytes in $corpus"

#!/bin/bash
# Install into a folder of our own, then build and run a consumer through the CMake package and through pkg-config.
#   run.sh BUILD WORK COMPILER
set -euo pipefail
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1
build=$1 work=$2 compiler=$3
here=$(cd "$(dirname "$0")" && pwd)

rm -rf "$work"
mkdir -p "$work"
DESTDIR= cmake --install "$build" --prefix "$work/prefix" >"$work/install.txt"
"$work/prefix/bin/irezone" --version

echo "Through the CMake package:"
cmake -S "$here/consumer" -B "$work/consumer" -G Ninja -DCMAKE_C_COMPILER="$compiler" -DCMAKE_PREFIX_PATH="$work/prefix" >"$work/configure.txt"
cmake --build "$work/consumer" >"$work/build.txt" || { cat "$work/build.txt"; exit 1; }
"$work/consumer/consumer"

echo "Through pkg-config:"
pc=$(dirname "$(find "$work/prefix" -name irezone.pc)")
flags() {
  PKG_CONFIG_PATH=$pc pkg-config "$@" irezone
}
# shellcheck disable=SC2046
"$compiler" "$here/consumer/consumer.c" -o "$work/by-pkg-config" $(flags --cflags) $(flags --libs)
"$work/by-pkg-config"

#!/bin/bash
# Every public header compiles alone, as C11 and as C++.
#   headers.sh INCLUDE C_COMPILER CXX_COMPILER MPI_FOLDERS (separated by semicolons)
set -euo pipefail
include=$1 compiler=$2 cpp=$3 mpi=()
if [ ! -x "$cpp" ]; then
  echo "skipped: no C++ compiler (Debian: g++)"
  exit 77
fi
IFS=';' read -ra folders <<<"$4"
for folder in "${folders[@]}"; do mpi+=(-isystem "$folder"); done

for header in "$include"/irezone/*.h; do
  name=irezone/$(basename "$header")
  # A header of macros alone would leave nothing to compile, which ISO C forbids.
  printf '#include <%s>\nextern int something;\n' "$name" | "$compiler" -std=c11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I "$include" "${mpi[@]}" -x c -
  for standard in 11 20; do
    echo "#include <$name>" | "$cpp" -std=c++$standard -Wall -Wextra -Werror -fsyntax-only -I "$include" "${mpi[@]}" -x c++ -
  done
done

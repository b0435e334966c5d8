#!/bin/bash
# Every public header compiles alone, as C11 and as C++.
#   headers.sh INCLUDE COMPILER MPI_FOLDERS (separated by semicolons)
set -euo pipefail
include=$1 compiler=$2 mpi=()
IFS=';' read -ra folders <<<"$3"
for folder in "${folders[@]}"; do mpi+=(-isystem "$folder"); done

cpp=$(command -v clang++ || command -v g++ || true)
for header in "$include"/irezone/*.h; do
  name=irezone/$(basename "$header")
  echo "#include <$name>" | "$compiler" -std=c11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I "$include" "${mpi[@]}" -x c -
  if [ -n "$cpp" ]; then
    echo "#include <$name>" | "$cpp" -std=c++17 -Wall -Wextra -Werror -fsyntax-only -I "$include" "${mpi[@]}" -x c++ -
  fi
done
[ -n "$cpp" ] || echo "skipped: no C++ compiler"

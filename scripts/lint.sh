#!/bin/bash
# Check layout (clang-format), common mistakes (clang-tidy) and scripts (bash -n, compileall).
#   scripts/lint.sh [--fix] [--deep] [BUILD]
# BUILD is a configured build folder (default: build). --fix lays the files out instead of complaining. --deep adds the
# Clang static analyzer, which takes minutes. Only C files that differ from the commit in IREZONE_LINT_BASE are given to
# clang-tidy if that variable is set; otherwise all of them.
set -euo pipefail
source "$(dirname "$0")/environment.sh"
cd "$root"

format=(--dry-run -Werror)
checks=(--checks=-clang-analyzer-*)
while [[ ${1:-} == --* ]]; do
  case $1 in
  --fix) format=(-i) ;;
  --deep) checks=() ;;
  *)
    echo "usage: $0 [--fix] [--deep] [BUILD]" >&2
    exit 2
    ;;
  esac
  shift
done
build=${1:-build}
if [ ! -f "$build/compile_commands.json" ]; then
  echo "$0: $build is not a configured build folder; run scripts/test.sh or cmake --preset release first" >&2
  exit 2
fi

mapfile -t files < <(git ls-files --cached --others --exclude-standard '*.c' '*.h' '*.cpp')
clang-format "${format[@]}" "${files[@]}"
echo "clang-format: ${#files[@]} files"

if [ -n "${IREZONE_LINT_BASE:-}" ]; then
  mapfile -t sources < <(git diff --name-only --diff-filter=d "$IREZONE_LINT_BASE" -- '*.c')
else
  mapfile -t sources < <(git ls-files --cached --others --exclude-standard '*.c')
fi
# Files that no target compiles (the consumer in tests/install, fuzz targets without clang) have no compile command.
compiled=()
for file in "${sources[@]}"; do
  if grep -qF "$root/$file\"" "$build/compile_commands.json"; then compiled+=("$file"); fi
done
if [ ${#compiled[@]} -gt 0 ]; then
  printf '%s\0' "${compiled[@]}" | xargs -0 -P "$jobs" -n 4 clang-tidy --quiet "${checks[@]}" -p "$build" 2>&1 |
    { grep -vE 'warnings? generated|^Suppressed|^Use -header-filter|^$' || true; }
fi
echo "clang-tidy: ${#compiled[@]} files"

mapfile -t shell < <(git grep --untracked -lE '^#!/bin/(ba)?sh' -- scripts benchmarks tests .ci)
for file in "${shell[@]}"; do bash -n "$file"; done
mapfile -t python_files < <(git ls-files --cached --others --exclude-standard '*.py')
[ ${#python_files[@]} -eq 0 ] || "$python" - "${python_files[@]}" <<'CHECK'
import ast, sys
for name in sys.argv[1:]:
    with open(name, encoding="utf-8") as file:
        ast.parse(file.read(), name)
CHECK
echo "scripts: ${#shell[@]} shell, ${#python_files[@]} Python"

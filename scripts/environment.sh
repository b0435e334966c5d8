# Sourced by the other scripts: where the project is, and settings without which MPI or threads misbehave on small machines.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=$(nproc)

# Containers often run as root, which Open MPI refuses without these.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
# More ranks than cores must be allowed (the tests use up to four) and must not spin.
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1
# Containers may forbid reading another process's memory.
export OMPI_MCA_btl_vader_single_copy_mechanism=none

# A python3 of another origin (pyenv, conda) does not see Debian's modules.
python=/usr/bin/python3

heading() {
  printf '\n== %s\n' "$*"
}

# configure_and_build FOLDER [--target NAME] [CMake options]: CMake's chatter is shown only if it fails.
configure_and_build() {
  local folder=$1 target=all log
  shift
  if [ "${1:-}" = --target ]; then
    target=$2
    shift 2
  fi
  log=$(mktemp)
  if ! cmake -S "$root" -B "$folder" -G Ninja "$@" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
  cmake --build "$folder" -j "$jobs" --target "$target"
}

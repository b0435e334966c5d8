#!/bin/bash
# Install what irezone needs from Debian 12, without asking; does nothing if all of it is there.
#   scripts/install-packages.sh [build|demo|test]    (each includes the one before; default: test)
set -euo pipefail

build=(
  # compiler and build
  gcc libc6-dev dpkg-dev cmake ninja-build pkg-config git ca-certificates
  # libraries
  libopenmpi-dev openmpi-bin libpetsc-real-dev libhdf5-openmpi-dev libyaml-dev libjansson-dev libgsl-dev
  libgmsh-dev libnifti-dev zlib1g-dev libbz2-dev libcmocka-dev
)
demo=(
  # pictures, off screen
  paraview python3-paraview xvfb xauth libgl1-mesa-dri
  # scripts
  python3 python3-numpy python3-scipy python3-h5py python3-matplotlib
)
test=(
  snakemake
  # label maps against another reader
  python3-nibabel
  # the Python package
  python3-pytest python3-pip python3-setuptools python3-wheel
  # locales with a decimal comma
  locales
  # users of the library in C++, processors of another age
  g++ qemu-user
  # completions, packages
  zsh fish lintian
  # lint, fuzzing, scripts/sanitize.sh
  clang clang-format clang-tidy libomp-dev libclang-rt-14-dev valgrind
)

case ${1:-test} in
build) wanted=("${build[@]}") ;;
demo) wanted=("${build[@]}" "${demo[@]}") ;;
test) wanted=("${build[@]}" "${demo[@]}" "${test[@]}") ;;
*)
  echo "usage: $0 [build|demo|test]" >&2
  exit 2
  ;;
esac

missing=()
for package in "${wanted[@]}"; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "$0: these Debian packages are missing, and installing them needs root or sudo: ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "Installing Debian packages: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600)
"${apt[@]}" update
"${apt[@]}" install --no-install-recommends "${missing[@]}"

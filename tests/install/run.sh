#!/bin/bash
# Install a static or a shared build into a folder of our own, move that folder, then build and run consumers in C and C++
# through the CMake package and through pkg-config.
#   run.sh static|shared SOURCE BUILD WORK C_COMPILER CXX_COMPILER
# BUILD is taken if it is of that kind; otherwise one is made in WORK.
set -euo pipefail
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1
unset CFLAGS CXXFLAGS LDFLAGS LD_LIBRARY_PATH
kind=$1 source=$2 build=$3 work=$4
export CC=$5 CXX=$6
if [ ! -x "$CXX" ]; then
  echo "skipped: no C++ compiler (Debian: g++)"
  exit 77
fi
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$work"

fail() {
  echo "run.sh: $*" >&2
  exit 1
}

# quietly COMMAND...: its output is shown only if it fails.
quietly() {
  "$@" >"$work/log.txt" 2>&1 || { cat "$work/log.txt"; fail "failed: $*"; }
}

[ $kind = shared ] && shared=ON || shared=OFF
if ! grep -qx "BUILD_SHARED_LIBS:BOOL=$shared" "$build/CMakeCache.txt"; then
  build=$work/build
  # Without optimisation: what is tested here is finding and linking.
  quietly cmake -S "$source" -B "$build" -G Ninja -DBUILD_SHARED_LIBS=$shared -DIREZONE_TESTS=OFF -DCMAKE_BUILD_TYPE=None
  quietly cmake --build "$build"
fi

prefix="$work/moved here"
rm -rf "$work/prefix" "$prefix"
DESTDIR= quietly cmake --install "$build" --prefix "$work/prefix"
mv "$work/prefix" "$prefix"
"$prefix/bin/irezone" --version
for file in man/man1/irezone.1 bash-completion/completions/irezone zsh/site-functions/_irezone \
  fish/vendor_completions.d/irezone.fish doc/irezone/docs/sweeps.md doc/irezone/CITATION.cff; do
  [ -s "$prefix/share/$file" ] || fail "share/$file is not installed"
done
for example in two_probes_liver tumour_in_liver anatomy_synthetic; do # the last two read files beside them
  quietly "$prefix/bin/irezone" check "$prefix/share/doc/irezone/examples/$example.yaml"
done
if grep -rIlF -e "$source/" -e "$work/" -e "$build" "$prefix"; then fail "these files name folders of the build"; fi
libraries=$(find "$prefix" -name 'libirezone.*')
[ $kind = static ] || [[ $libraries == *libirezone.so* ]] || fail "no shared library: $libraries"
[ $kind = static ] || python3 "$source/tests/house/api.py" "$source" "$(head -1 <<<"$libraries")" || fail "another API than the headers'"

echo "$kind, Python:"
PATH=$prefix/bin:$PATH PYTHONPATH=$prefix/lib/python3/dist-packages PYTHONDONTWRITEBYTECODE=1 IREZONE= /usr/bin/python3 - "$prefix" <<'CONSUMER'
import sys
import irezone
assert irezone.__file__.startswith(sys.argv[1]) and irezone.program().startswith(sys.argv[1])
result = irezone.solve(sys.argv[1] + "/share/doc/irezone/examples/parallel_plates.yaml")
print(result)
CONSUMER

for language in consumer consumer_cxx; do
  echo "$kind, $language, CMake package:"
  rm -rf "$work/$language"
  quietly cmake -S "$here/$language" -B "$work/$language" -G Ninja -DCMAKE_PREFIX_PATH="$prefix"
  quietly cmake --build "$work/$language"
  "$work/$language/consumer"
done

pc=$(dirname "$(find "$prefix" -name irezone.pc)")
flags() {
  PKG_CONFIG_PATH=$pc pkg-config "$@"
}
by_pkg_config() {
  local compiler=$1 file=$2
  echo "$kind, $(basename "$file"), pkg-config:"
  # A path with blanks is escaped by pkg-config, for a shell to read.
  eval "\"$compiler\" \"$file\" -o \"$work/by-pkg-config\" $(flags --cflags --libs irezone PETSc) \
    -Wl,-rpath,$(flags --variable=libdir irezone)"
  "$work/by-pkg-config"
}
by_pkg_config "$CC" "$here/consumer/consumer.c"
by_pkg_config "$CXX" "$here/consumer_cxx/consumer.cpp"

# look LANGUAGE [VARIABLE=VALUE...]: what a project that can do without irezone is told
look() {
  local language=$1
  shift
  rm -rf "$work/optional"
  env "$@" cmake -S "$here/consumer_optional" -B "$work/optional" -G Ninja -DLANGUAGE="$language" \
    -DCMAKE_PREFIX_PATH="$prefix" >"$work/log.txt" 2>&1 || { cat "$work/log.txt"; fail "an optional search ended the configuration"; }
  grep '^-- irezone_FOUND is' "$work/log.txt"
}
echo "$kind, optional:"
[[ $(look CXX) == *"is 1: " ]] || fail "not found by an optional search in C++"
[[ $(look C) == *"is 1: " ]] || fail "not found by an optional search in C"
[[ $(look NONE) == *"is 0: irezone needs C or CXX"* ]] || fail "found without a language"
if [ $kind = static ]; then
  [[ $(look CXX PKG_CONFIG_LIBDIR=/nonexistent) == *"is 0: "*PETSc*yaml-0.1* ]] || fail "found without what it stands on"
  [[ $(look C PKG_CONFIG_LIBDIR=/nonexistent) == *"is 0: "*PETSc*yaml-0.1* ]] || fail "found without what it stands on"
fi

# Debian packages of the shared build, linked anew for /usr. lintian says what is wrong with them, but for how they were
# compiled: here without optimisation and hardening.
if [ $kind = shared ] && [ "$build" = "$work/build" ] && command -v dpkg-deb >/dev/null && command -v lintian >/dev/null; then
  echo "$kind, packages:"
  export DEBFULLNAME="Test of irezone" DEBEMAIL=test@example.com
  quietly cmake -S "$source" -B "$build" -DCMAKE_INSTALL_PREFIX=/usr -DCMAKE_SKIP_INSTALL_RPATH=ON
  quietly cmake --build "$build"
  rm -rf "$build/packages"
  (cd "$build" && quietly cpack -G DEB)
  as_root=()
  [ "$(id -u)" -ne 0 ] || as_root=(--allow-root)
  quietly lintian "${as_root[@]}" --suppress-tags hardening-no-relro,hardening-no-fortify-functions --fail-on error,warning \
    "$build"/packages/*.deb
  for package in irezone libirezone0 libirezone-dev; do
    [ -s "$build/packages/${package}_$(sed -n 's/^CMAKE_PROJECT_VERSION:STATIC=//p' "$build/CMakeCache.txt")_$(dpkg --print-architecture).deb" ] ||
      fail "there is no package $package"
  done
  # The next run of this test wants the other paths.
  quietly cmake -S "$source" -B "$build" -DCMAKE_INSTALL_PREFIX=/usr/local -DCMAKE_SKIP_INSTALL_RPATH=OFF
fi

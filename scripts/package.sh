#!/bin/bash
# Make the Debian packages irezone, libirezone0, libirezone-dev and python3-irezone, hardened by Debian's own flags.
#   scripts/package.sh [BUILD]      default: build/package; the packages are left in BUILD/packages
# DEBFULLNAME and DEBEMAIL must say who makes them: the packages name you as their maintainer. lintian, if it is installed, must find nothing wrong with them.
# Install them with: sudo apt install ./BUILD/packages/*.deb
set -euo pipefail
source "$(dirname "$0")/environment.sh"
cd "$root"
build=${1:-build/package}
if [ -z "${DEBFULLNAME:-}" ] || [ -z "${DEBEMAIL:-}" ]; then
  echo "$0: say who makes the packages, their maintainer: DEBFULLNAME='Your Name' DEBEMAIL=you@your.domain $0" >&2
  exit 2
fi
eval "$(DEB_BUILD_MAINT_OPTIONS=hardening=+all dpkg-buildflags --export=sh)"
configure_and_build "$build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX=/usr -DBUILD_SHARED_LIBS=ON -DIREZONE_TESTS=OFF \
  -DCMAKE_SKIP_INSTALL_RPATH=ON
rm -rf "$build/packages"
(cd "$build" && cpack -G DEB)
if command -v lintian >/dev/null; then
  run_as=()
  [ "$(id -u)" -ne 0 ] || run_as=(--allow-root)
  lintian "${run_as[@]}" --tag-display-limit 0 --fail-on error,warning "$build"/packages/*.deb
  echo "lintian: nothing to say"
fi

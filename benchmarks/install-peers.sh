#!/bin/sh
# Install the programs that irezone is compared with, and what the benchmark scripts need, on Debian 12.
set -eu

packages="freefem++ libfreefem++ getdp python3-dolfinx python3-gmsh gmsh python3-matplotlib gcc"
missing=""
for package in $packages; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q "ok installed" || missing="$missing $package"
done
if [ -z "$missing" ]; then
  exit 0
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then
  as_root="sudo"
fi
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq
# shellcheck disable=SC2086 # one word per package
$as_root apt-get install -y -qq --no-install-recommends $missing

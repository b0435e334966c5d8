#!/bin/bash
# Two probes in liver, from nothing: install packages, build, run, draw. Results in out/ or the folder given.
#   scripts/demo.sh [FOLDER]
set -euo pipefail
source "$(dirname "$0")/environment.sh"
out=${1:-$root/out}
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$root"

heading "Packages"
scripts/install-packages.sh demo
heading "Build"
configure_and_build build --target irezone_cli

heading "Run examples/two_probes_liver.yaml"
build/irezone run examples/two_probes_liver.yaml -o "$out"
name=$(sed -n 's/^name: *\([A-Za-z0-9_-]*\).*/\1/p' examples/two_probes_liver.yaml)

heading "Draw"
"$python" scripts/preview.py "$out/$name.hdf" -o "$out/$name.png"

heading "Done"
echo "Program:                  $root/build/irezone"
echo "Summary:                  $out/$name.json"
echo "Field and zone (ParaView: File > Open): $out/$name.hdf"
echo "Picture:                  $out/$name.png"

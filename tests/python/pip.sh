#!/bin/bash
# pip.sh SOURCE IREZONE: `pip install SOURCE/python`, without the network, and a solve with what it has installed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp -r "$1/python" "$folder/python" # building leaves files there
/usr/bin/python3 -m pip install -q --no-build-isolation --no-deps --no-index --disable-pip-version-check --root-user-action=ignore \
  --target "$folder/site" "$folder/python"
[ -f "$folder/site/irezone/py.typed" ] && [ -d "$folder/site"/irezone-*.dist-info ]
cd "$folder"
IREZONE=$2 PYTHONPATH=$folder/site /usr/bin/python3 - "$1/examples/parallel_plates.yaml" <<'CHECK'
import sys
import irezone
assert irezone.__file__.startswith(sys.path[1]), irezone.__file__
assert irezone.solve(sys.argv[1]).volume_cm3 > 0
CHECK

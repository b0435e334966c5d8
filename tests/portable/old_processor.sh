#!/bin/bash
# A plan on this processor and on an emulated old one: the same summary to the last digit, but for times and memory.
#   old_processor.sh IREZONE PLAN WORK QEMU
set -euo pipefail
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
irezone=$1 plan=$2 work=$3 qemu=$4
if [ ! -x "$qemu" ]; then
  echo "skipped: no qemu-x86_64 (Debian: qemu-user)"
  exit 77
fi
rm -rf "$work"/{here,old}
"$irezone" run "$plan" -o "$work/here" --threads 1 -q
# AVX is what the emulated processor does not have: who uses it ends with an illegal instruction.
"$qemu" -cpu Nehalem "$irezone" run "$plan" -o "$work/old" --threads 1 -q
/usr/bin/python3 - "$work"/here/*.json "$work"/old/*.json <<'COMPARE'
import json, sys
here, old = (json.load(open(name, encoding="utf-8")) for name in sys.argv[1:])
for summary in (here, old):
    del summary["timing_s"], summary["peak_memory_MB"]
assert here["zone"]["volume_cm3"] > 1
differ = [key for key in here if here[key] != old.get(key)]
assert not differ and here.keys() == old.keys(), f"differ: {differ}"
print(f"{here['zone']['volume_cm3']} cm3 on both")
COMPARE

#!/usr/bin/env python3
"""Whether two builds of irezone find the same: summaries but for times and new keys, and generated meshes byte for byte.

  scripts/compare_programs.py OLD NEW [PLAN...]

OLD and NEW are programs. Without plans all examples are run, generated meshes with a tenth of the accuracy that they ask
for, which is enough to see a difference. On one thread, so that sums are added up in one order.
"""
import filecmp
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
IGNORED = {"timing_s", "peak_memory_MB", "seconds", "cpu_seconds", "irezone"}


def differences(old, new, where=""):
    """Paths of what is in the old summary and not the same in the new one."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key, value in old.items():
            path = f"{where}.{key}" if where else key
            if key in IGNORED:
                continue
            if key not in new:
                yield f"{path} is gone"
            else:
                yield from differences(value, new[key], path)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for i, (a, b) in enumerate(zip(old, new)):
            yield from differences(a, b, f"{where}[{i}]")
    elif old != new:
        yield f"{where}: {old} before, {new} now"


def run(program, arguments):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OMPI_ALLOW_RUN_AS_ROOT": "1",
                   "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    return subprocess.run([program, *arguments], env=environment, capture_output=True, text=True)


def summary(folder):
    """The one that a run has left."""
    (name,) = [name for name in os.listdir(folder) if name.endswith(".json")]
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return json.load(file)


def coarse(plan):
    """Overrides that make a plan quick, if its mesh is generated."""
    text = open(plan, encoding="utf-8").read()
    if re.search(r"^\s*(mesh:.*\bfile|file):", text, re.M):
        return []
    accuracy = re.search(r"\baccuracy:\s*([0-9.]+)", text)
    return ["--set", f"mesh.accuracy={10 * float(accuracy.group(1) if accuracy else 1):g}"]


def compare(old, new, plan, folder):
    """What differs for one plan, as lines."""
    results, meshes = [], []
    overrides = coarse(plan)
    for name, program in (("old", old), ("new", new)):
        place = os.path.join(folder, name)
        shutil.rmtree(place, ignore_errors=True)
        out = run(program, ["run", plan, "-q", "-o", place, *overrides, "--set", "output.fields=false"])
        results.append(summary(place) if out.returncode == 0 else {"failed": out.stderr})
        if overrides:
            mesh = os.path.join(folder, name + ".msh")
            run(program, ["mesh", plan, "-o", mesh, *overrides])
            meshes.append(mesh)
    found = list(differences(*results))
    found += [result["failed"].strip() for result in results if "failed" in result]
    if meshes and not filecmp.cmp(*meshes, shallow=False):
        found.append("the generated meshes differ")
    return found


def main(arguments):
    if len(arguments) < 2:
        sys.exit(__doc__)
    old, new, *plans = arguments
    if not plans:
        examples = os.path.join(ROOT, "examples")
        plans = sorted(os.path.join(examples, name) for name in os.listdir(examples) if name.endswith(".yaml"))
    n_differ = 0
    with tempfile.TemporaryDirectory() as folder:
        for plan in plans:
            found = compare(old, new, plan, folder)
            n_differ += bool(found)
            print(f"{os.path.basename(plan)}: {'same' if not found else 'differs'}", flush=True)
            for line in found:
                print("  " + line)
    print(f"{len(plans) - n_differ} of {len(plans)} plans give the same")
    return n_differ > 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # quiet after `| head`
    sys.exit(main(sys.argv[1:]))

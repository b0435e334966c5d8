#!/usr/bin/python3
"""Dakota's fork driver for irezone: driver.py PARAMETERS RESULTS

Reads the variables from Dakota's parameters file (standard or aprepro form), gives each to the plan as --set, runs one
case and writes the responses in the order Dakota asks for them. Variables are named after key paths, with __ for a dot
and a number between underscores for a list's index: array__spacing, pulses_0___voltage. A failed run writes `fail`, which
Dakota can retry or replace. The plan's path is taken from IREZONE_PLAN (default: two_probes.yaml beside this folder)."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

RESPONSES = {
    "volume_cm3": lambda s: s["zone"]["volume_cm3"],
    "current_A": lambda s: max(p["current_A"] for p in s["pulses"]),
    "extent_x_mm": lambda s: s["zone"]["extent_mm"][0],
}
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"


def read_parameters(text):
    """Variables and names of responses from a parameters file."""
    if "{" in text:  # aprepro: { name = value }
        pairs = re.findall(rf"\{{\s*(\S+)\s*=\s*\"?({NUMBER}|\w+)\"?\s*\}}", text)
        items = [(value, name) for name, value in pairs]
    else:  # standard: value name
        items = re.findall(r"^\s*(\S+)\s+(\S+)\s*$", text, re.M)
    variables, responses, left = {}, [], 0
    for value, name in items:
        if name in ("variables", "DAKOTA_VARS"):
            left = int(value)
        elif left > 0:
            variables[name] = value
            left -= 1
        else:
            match = re.match(r"ASV_\d+:(\w+)", name)
            if match:
                responses.append(match.group(1))
    return variables, responses


def key_path(name):
    """array__spacing -> array.spacing, pulses_0___voltage -> pulses[0].voltage"""
    return re.sub(r"_(\d+)_(?=__|$)", r"[\1]", name).replace("__", ".")


def run(variables):
    """The summary of one case."""
    plan = os.environ.get("IREZONE_PLAN", str(pathlib.Path(__file__).resolve().parent.parent / "two_probes.yaml"))
    with tempfile.TemporaryDirectory(prefix="irezone-dakota-") as folder:
        command = ["irezone", "run", plan, "-o", folder, "-q", "--threads", "1"]
        for name, value in variables.items():
            command += ["--set", f"{key_path(name)}={value}"]
        subprocess.run(command, check=True)
        return json.loads(next(pathlib.Path(folder).glob("*.json")).read_text())


def main():
    parameters, results = map(pathlib.Path, sys.argv[1:3])
    variables, responses = read_parameters(parameters.read_text())
    try:
        summary = run(variables)
        text = "".join(f"{RESPONSES[name](summary):.12g} {name}\n" for name in responses)
    except (subprocess.CalledProcessError, KeyError, StopIteration, OSError) as error:
        print(f"driver.py: {error}", file=sys.stderr)
        text = "fail\n"
    temporary = results.with_suffix(results.suffix + ".part")
    temporary.write_text(text)
    temporary.rename(results)  # Dakota sees a whole file or none


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""api.py SOURCE [LIBRARY]

Check that every function that a public header declares is marked with IRZ_API; and of a shared LIBRARY that it shows these
functions and no others.
"""
import glob
import os
import re
import subprocess
import sys


def declared(root, wrong):
    """Names of the functions that public headers declare."""
    names = set()
    for path in sorted(glob.glob(os.path.join(root, "include", "irezone", "*.h"))):
        with open(path, encoding="utf-8") as file:
            text = re.sub(r"//[^\n]*|/\*.*?\*/|^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", "", file.read(), flags=re.DOTALL | re.MULTILINE)
        for words, name in re.findall(r"^([A-Za-z][\w \t\n*]*?)\b(irz_\w+)\(", text, re.MULTILINE):
            if re.match(r"static\b", words):
                continue
            names.add(name)
            if not words.startswith("IRZ_API"):
                wrong.append(f"{os.path.relpath(path, root)}: {name}() lacks IRZ_API")
    return names


def main(root, library=None):
    wrong = []
    names = declared(root, wrong)
    if len(names) < 50:
        wrong.append(f"only {len(names)} functions found")
    if library:
        out = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True).stdout
        shown = {line.split()[-1].split("@")[0] for line in out.splitlines()}
        shown -= {"__bss_start", "_edata", "_end", "_init", "_fini"}  # of some linkers
        wrong += [f"{library} does not show {name}()" for name in sorted(names - shown)]
        wrong += [f"{library} shows {name}, which no public header declares" for name in sorted(shown - names)]
    print("\n".join(wrong) if wrong else f"{len(names)} public functions")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

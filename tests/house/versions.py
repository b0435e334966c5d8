#!/usr/bin/env python3
"""versions.py SOURCE VERSION: every file that states irezone's version states this one."""
import json
import os
import re
import sys

source, version = sys.argv[1:]


def read(name):
    with open(os.path.join(source, name), encoding="utf-8") as file:
        return file.read()


minor = version.rsplit(".", 1)[0]
found = {
    "CITATION.cff": re.search(r"^version: (\S+)$", read("CITATION.cff"), re.MULTILINE)[1],
    "codemeta.json": json.loads(read("codemeta.json"))["version"],
    "python/irezone/version.py": re.search(r'^__version__ = "(.+)"$', read("python/irezone/version.py"), re.MULTILINE)[1],
    "docs/building.md": re.search(r"find_package\(irezone (\S+) REQUIRED", read("docs/building.md"))[1] + version[len(minor) :],
}
wrong = {name: stated for name, stated in found.items() if stated != version}
for name, stated in wrong.items():
    print(f"{name}: states {stated}, CMakeLists.txt {version}")
sys.exit(1 if wrong else 0)

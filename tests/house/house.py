#!/usr/bin/env python3
"""house.py SOURCE OBJECTS

Check the rules of the house that CONTRIBUTING.md states, in the sources and in the symbols of the compiled library:
folders use only folders that the table allows them, files of a folder do not call each other in a circle unless
circles.txt names the pair with its reason, and a function of more than 60 lines says why. OBJECTS is the folder that
holds the library's object files. house.py --self-test: whether each of these is found in a made-up tree.
"""
import os
import re
import subprocess
import sys
import tempfile

LONGEST = 60


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def allowed_folders(contributing):
    """{folder: folders it may use} by the table of CONTRIBUTING.md."""
    allowed, above = {}, []
    for name, may in re.findall(r"^\| `src/(\w+)/` \|.*\| *([^|]*?) *\|$", contributing, re.MULTILINE):
        uses = set()
        for word in re.split(r", *", may):
            if word == "the above":
                uses |= set(above)
            elif word != "include" and word:
                uses.add(word)
        allowed[name] = uses
        above.append(name)
    return allowed


def sources(root):
    """Paths of the sources, from `root`/src."""
    for folder in sorted(os.listdir(os.path.join(root, "src"))):
        path = os.path.join(root, "src", folder)
        for name in sorted(os.listdir(path)) if os.path.isdir(path) else []:
            if name.endswith((".c", ".h")):
                yield f"{folder}/{name}"


def check_includes(root, allowed, wrong):
    """Headers of folders that a folder may not use."""
    for path in sources(root):
        folder = path.split("/")[0]
        if folder not in allowed:
            wrong.append(f"src/{folder} has no row in CONTRIBUTING.md's table of folders")
            continue
        for number, line in enumerate(read(os.path.join(root, "src", path)).splitlines(), 1):
            found = re.match(r'#include "(\w+)/', line)
            if found and found[1] != folder and found[1] not in allowed[folder]:
                wrong.append(f"src/{path}:{number}: {folder} may not use {found[1]}")


def calls(root, objects):
    """{file: {other file: symbols}} by the symbols of object files; names without ending, as "plan/reader"."""
    defined, wanted = {}, {}
    paths = [os.path.join(folder, name) for folder, _, names in os.walk(objects) for name in names if name.endswith(".o")]
    # A build folder keeps the objects of files that are no more.
    known = {os.path.splitext(path)[0] for path in sources(root)}
    paths = [path for path in paths if re.sub(r"(\.c)?\.o$", "", os.path.relpath(path, objects)) in known]
    if not paths:
        return {}
    for line in subprocess.run(["nm", "-A"] + paths, check=True, capture_output=True, text=True).stdout.splitlines():
        path, kind, symbol = re.match(r"(.*?\.o):.* (\w) (\S+)$", line).groups()
        file = re.sub(r"(\.c)?\.o$", "", os.path.relpath(path, objects))
        symbols = wanted.setdefault(file, set())
        if kind == "U":
            symbols.add(symbol)
        elif kind in "TDBRVWC":
            defined[symbol] = file
    edges = {}
    for file, symbols in wanted.items():
        edges[file] = {}
        for symbol in symbols:
            other = defined.get(symbol, file)
            if other != file:
                edges[file].setdefault(other, set()).add(symbol)
    return edges


def check_calls(edges, allowed, wrong):
    """Symbols of folders that a folder may not use."""
    for file, others in sorted(edges.items()):
        folder = file.split("/")[0]
        for other, symbols in sorted(others.items()):
            used = other.split("/")[0]
            if used != folder and used not in allowed.get(folder, ()):
                wrong.append(f"src/{file}.c uses {', '.join(sorted(symbols))} of src/{other}.c: {folder} may not use {used}")


def circles(edges):
    """Sets of files each of which reaches all others (Tarjan's strongly connected components)."""
    number, low, stack, found = {}, {}, [], []

    def visit(file):
        number[file] = low[file] = len(number)
        stack.append(file)
        for other in edges.get(file, {}):
            if other not in number:
                visit(other)
                low[file] = min(low[file], low[other])
            elif other in stack:
                low[file] = min(low[file], number[other])
        if low[file] == number[file]:
            at = stack.index(file)
            if len(stack) - at > 1:
                found.append(sorted(stack[at:]))
            del stack[at:]

    for file in sorted(edges):
        if file not in number:
            visit(file)
    return found


def named_pairs(text):
    """{(file, file)} of lines "FILE FILE: reason"."""
    pairs = set()
    for line in text.splitlines():
        found = re.match(r"(\S+) (\S+): \S", line)
        if found:
            pairs.add(tuple(sorted(found.groups())))
    return pairs


def check_circles(edges, pairs, wrong):
    """Circles that are not named, and names of circles that are no more."""
    found = circles(edges)
    for files in found:
        if tuple(files) not in pairs:
            links = [f"{a} -> {b} ({', '.join(sorted(edges[a][b]))})" for a in files for b in edges[a] if b in files]
            wrong.append("these files call each other in a circle: " + "; ".join(links))
    for pair in pairs - {tuple(files) for files in found}:
        wrong.append(f"circles.txt names {' and '.join(pair)}, which are in no circle")


def check_lengths(root, wrong):
    """Functions above 60 lines without a reason: a comment in front of them with the word `Long:`."""
    for path in sources(root):
        lines = read(os.path.join(root, "src", path)).splitlines()
        start = None
        for i, line in enumerate(lines):
            if line.endswith("{") and re.match(r"[A-Za-z_]", line) and not re.match(r"(typedef|struct|enum|union)\b[^(]*$", line):
                start = i
            if line != "}" or start is None:
                continue
            if i - start + 1 > LONGEST:
                above = start
                while above > 0 and lines[above - 1].strip() and lines[above - 1] != "}":
                    above -= 1
                if "Long: " not in "\n".join(lines[above:start]):
                    wrong.append(f"src/{path}:{start + 1}: a function of {i - start + 1} lines; say why in front of it, as `Long: ...`")
            start = None


def check(root, objects, named):
    wrong = []
    allowed = allowed_folders(read(os.path.join(root, "CONTRIBUTING.md")))
    if not allowed:
        return ["CONTRIBUTING.md has no table of folders"]
    check_includes(root, allowed, wrong)
    edges = calls(root, objects) if objects else {}
    if objects and not edges:
        wrong.append(f"{objects} has no object files")
    check_calls(edges, allowed, wrong)
    check_circles(edges, named_pairs(named), wrong)
    check_lengths(root, wrong)
    return wrong


def self_test():
    """A tree with one fault of each kind, and what is allowed beside it."""
    table = "| `src/base/` | x | |\n| `src/plan/` | x | base |\n| `src/cli/` | x | include |\n"
    assert allowed_folders(table) == {"base": set(), "plan": {"base"}, "cli": set()}
    with tempfile.TemporaryDirectory() as root:
        files = {
            "CONTRIBUTING.md": table,
            "src/base/a.c": '#include "plan/p.h"\nint a(void) {\n' + "  x();\n" * 59 + "}\n",
            "src/base/b.c": "/* Long: on purpose. */\nint b(void) {\n" + "  x();\n" * 70 + "}\n",
            "src/plan/p.c": '#include "base/a.h"\n#include <irezone/plan.h>\n',
            "src/cli/c.c": '#include "base/a.h"\n',
        }
        for path, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        wrong = check(root, None, "")
    assert wrong == [
        "src/base/a.c:1: base may not use plan",
        "src/cli/c.c:1: cli may not use base",
        "src/base/a.c:2: a function of 61 lines; say why in front of it, as `Long: ...`",
    ], wrong
    edges = {"base/a": {"plan/p": {"p"}}, "plan/p": {"base/a": {"a"}, "plan/q": {"q"}}, "plan/q": {"plan/p": {"p"}}, "plan/r": {"plan/q": {"q"}}}
    wrong = []
    check_calls(edges, {"base": set(), "plan": {"base"}}, wrong)
    assert wrong == ["src/base/a.c uses p of src/plan/p.c: base may not use plan"], wrong
    assert circles(edges) == [["base/a", "plan/p", "plan/q"]]
    del edges["base/a"]["plan/p"]
    for named, count in (("", 1), ("plan/p plan/q: they are one\n", 0), ("plan/p plan/q:\n", 1), ("plan/p plan/q: a\nx y: b\n", 1)):
        wrong = []
        check_circles(edges, named_pairs(named), wrong)
        assert len(wrong) == count, (named, wrong)


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return 0
    root, objects = sys.argv[1:]
    wrong = check(root, objects, read(os.path.join(os.path.dirname(os.path.abspath(__file__)), "circles.txt")))
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""Sweeps, which the program schedules, resumes and keeps on disk."""

from __future__ import annotations

import csv
import json
import os
import subprocess
from collections.abc import Mapping
from typing import Any, Dict, List, Optional, Sequence, Union

import numpy as np

from .errors import PlanError, error_for
from .plan import Plan, Source, check_mapping, path_text, plain
from .session import command_words


def read_table(path: Union[str, "os.PathLike[str]"]) -> np.ndarray:
    """Read `sweep.csv`, or the one in a folder, as a structured array: ``table["volume_cm3"]``.

    Columns of numbers are floats, with NaN where a case has none; others are text.
    """
    path = os.fspath(path)
    if os.path.isdir(path):
        path = os.path.join(path, "sweep.csv")
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(row for row in file if not row.startswith("#")))
    names, rows = rows[0], rows[1:]
    columns: List[np.ndarray] = []
    for i in range(len(names)):
        texts = [row[i] for row in rows]
        try:
            columns.append(np.array([float(text) if text != "" else np.nan for text in texts]))
        except ValueError:
            columns.append(np.array(texts, dtype=str))
    table = np.empty(len(rows), dtype=[(name, column.dtype) for name, column in zip(names, columns)])
    for name, column in zip(names, columns):
        table[name] = column
    return table


def sweep(
    plan: Source,
    vary: Mapping,
    folder: Union[str, "os.PathLike[str]"],
    sample: str = "grid",
    cases: Optional[int] = None,
    columns: Optional[Sequence[str]] = None,
    command: Optional[Sequence[str]] = None,
    resume: bool = True,
    **keys: Any,
) -> np.ndarray:
    """Run `irezone sweep` and return its table.

    >>> table = sweep("plan.yaml", {"pulses[0].voltage": {"values": [1500, 2000, 2500]}}, folder="out")
    >>> table["volume_cm3"]

    :param vary: what to vary, as in a sweep file; a list of values is short for ``{"values": [...]}``
    :param folder: where the sweep is kept; one that was interrupted there goes on. A list of values that has grown is gone on
        with; one that has changed otherwise is refused: the folder holds another sweep
    :param columns: more numbers of the summary: ``["zone.by_region.tumour.ablated_cm3"]``
    :param command: how to start the program instead, as in ``["mpiexec", "-n", "4", "irezone"]``
    :param keys: other keys of a sweep file
    """
    if plan is None:
        raise PlanError("there is no plan to vary: state a file, a dictionary or a Plan")
    folder = os.path.abspath(path_text(folder, "folder is a path"))
    varied = {key: {"values": plain(values)} if not isinstance(values, Mapping) else plain(values)
              for key, values in check_mapping(vary).items()}  # fmt: skip
    chosen = plan if isinstance(plan, Plan) else Plan(plan)
    os.makedirs(folder, exist_ok=True)
    file = chosen.file
    tree: Dict[str, Any] = {"sample": sample, **plain(keys)}
    if file is None or chosen.request().get("set"):
        file = os.path.join(folder, "plan.json")  # JSON is YAML
        _write(file, _with_whole_paths(chosen.to_dict(), chosen.folder))
    tree["plan"] = file
    tree["vary"] = varied
    if cases is not None:
        tree["cases"] = cases
    if columns is not None:
        tree["columns"] = list(columns)
    _write(os.path.join(folder, "sweep.json"), tree)
    words = [*command_words(command), "sweep", os.path.join(folder, "sweep.json"), "-o", folder, "-q"]
    if resume and os.path.isdir(os.path.join(folder, "journal")):
        words.append("--resume")
    done = subprocess.run(words, stderr=subprocess.PIPE, text=True, errors="replace", check=False)
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.startswith("irezone: ") and "warning:" not in line]
        raise error_for(done.returncode, lines[-1][len("irezone: ") :] if lines else f"status {done.returncode}")
    return read_table(folder)


def _with_whole_paths(tree: Dict[str, Any], folder: str) -> Dict[str, Any]:
    """A plan whose files are found from any folder."""
    for room, key in (("mesh", "file"), ("anatomy", "labels")):
        if isinstance(tree.get(room), dict) and tree[room].get(key):
            tree[room][key] = os.path.join(folder, tree[room][key])
    return tree


def _write(path: str, content: Any) -> None:
    """Write JSON under a temporary name, then rename."""
    with open(path + ".part", "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
        file.write("\n")
    os.replace(path + ".part", path)

"""Plans as nested dictionaries that are also addressed by key paths."""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Mapping
from typing import Any, Dict, List, Optional, Union

from .errors import PlanError

_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")

Source = Union[str, "os.PathLike[str]", Mapping, "Plan", None]


def _steps(path: str) -> List[Union[str, int]]:
    """The steps of a key path: "probes[1].tip" is ["probes", 1, "tip"]."""
    if not isinstance(path, str):
        raise PlanError(f"{path!r} is no key path; one is a text as \"probes[1].tip\"")
    steps: List[Union[str, int]] = []
    at = 0
    while at < len(path):
        found = _STEP.match(path, at)
        if found is None or (at == 0 and path[0] in ".["):
            raise PlanError(f"{path!r} is no key path; one looks like probes[1].tip")
        steps.append(int(found.group(2)) if found.group(2) is not None else found.group(1))
        at = found.end()
    if not steps:
        raise PlanError("a key path is empty")
    return steps


def plain(value: Any) -> Any:
    """A value as JSON knows it: numpy's arrays and numbers become lists and numbers.

    :raises PlanError: for what a plan cannot hold
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, (list, tuple, range)):
        return [plain(item) for item in value]
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if hasattr(value, "__float__"):  # a decimal, a fraction
        return float(value)
    raise PlanError(f"a plan cannot hold {_kind(value)}; it takes numbers, texts, lists, dictionaries and numpy's arrays")


def _kind(value: Any) -> str:
    """What a value is, for messages."""
    return f"a value of type {type(value).__name__}"


def check_mapping(changes: Any) -> Mapping:
    """Changes by key path.

    :raises PlanError: if they are something else
    """
    if not isinstance(changes, Mapping):
        hint = "; a plan is stated with plan=" if isinstance(changes, (str, os.PathLike, Plan)) else ""
        raise PlanError(f'changes are a dictionary as {{"pulses[0].voltage": 2500}}, not {_kind(changes)}{hint}')
    for key in changes:
        _steps(key)
    return changes


def path_text(path: Any, what: str) -> str:
    """A path as text.

    :raises PlanError: if it is none
    """
    try:
        return os.fsdecode(path)
    except TypeError:
        raise PlanError(f"{what}, not {_kind(path)}") from None


class Plan:
    """A plan: a YAML file, a dictionary, or both with changes.

    >>> plan = Plan("plan.yaml")
    >>> plan["pulses[0].voltage"] = 2500
    >>> plan["probes[1].tip"]
    [10.0, 0.0, -10.0]

    Values are in the units of plan files: mm, V, V/cm, S/m, microseconds, Hz. Relative paths in a dictionary count from
    ``folder``, or from the current folder. Nothing is checked until the plan is used, or :meth:`check` is called.
    """

    def __init__(self, source: Source = None, folder: Union[str, "os.PathLike[str]", None] = None) -> None:
        self.file: Optional[str] = None
        self.folder = os.path.abspath(path_text(folder, "folder is a path") if folder is not None else os.curdir)
        self._tree: Dict[str, Any] = {}
        self._changes: Dict[str, Any] = {}
        if isinstance(source, Plan):
            self.file, self.folder = source.file, source.folder
            self._tree, self._changes = copy.deepcopy(source._tree), copy.deepcopy(source._changes)
        elif isinstance(source, Mapping):
            self._tree = plain(source)
        elif source is not None:
            self.file = os.path.abspath(path_text(source, "a plan is the path of a file, a dictionary or a Plan"))
            if not os.path.exists(self.file):
                raise PlanError(f"{source}: there is no such file")
            if os.path.isdir(self.file):
                raise PlanError(f"{self.file}: is a folder; a plan is a file")
            self.folder = os.path.dirname(self.file)

    def __setitem__(self, key: str, value: Any) -> None:
        """Change a value; ``None`` removes the key, so that its default applies."""
        _steps(key)
        self._changes.pop(key, None)  # what is changed last is changed last
        self._changes[key] = plain(value)

    def __delitem__(self, key: str) -> None:
        self[key] = None

    def __getitem__(self, key: str) -> Any:
        """A value: as stated, else what the tissue's preset supplies, else the default."""
        _steps(key)
        from .session import shared_session

        return shared_session().get(self, [key])[key]

    def __repr__(self) -> str:
        return f"Plan({self.file or self._tree!r}, changes={self._changes!r})"

    def update(self, changes: Mapping) -> None:
        """Change several values."""
        for key, value in check_mapping(changes).items():
            self[key] = value

    def copy(self) -> "Plan":
        """A plan of its own with the same content."""
        return Plan(self)

    def to_dict(self) -> Dict[str, Any]:
        """All that the plan states, changes included, as nested dictionaries and lists."""
        from .session import shared_session

        return shared_session().tree(self)

    def check(self) -> List[str]:
        """Check the plan without a mesh, as ``irezone check`` does.

        :returns: its warnings
        :raises PlanError: with the key that is wrong, and what is allowed
        """
        from .session import shared_session

        return shared_session().check(self)

    def request(self, changes: Optional[Mapping] = None) -> Dict[str, Any]:
        """What `irezone serve` is told of this plan with further changes."""
        wanted: Dict[str, Any] = {"load": self.file} if self.file else {"plan": self._tree, "folder": self.folder}
        further = check_mapping(changes) if changes is not None else {}
        changed = {**self._changes, **{key: plain(value) for key, value in further.items()}}
        if changed:
            wanted["set"] = changed
        return wanted


def value_at(tree: Any, path: str) -> Any:
    """Value at a path of a tree of dictionaries and lists; an entry of a list is also found by its region or name."""
    for step in _steps(path):
        if isinstance(tree, list) and isinstance(step, str):
            named = [item for item in tree if isinstance(item, Mapping) and step in (item.get("region"), item.get("name"))]
            tree = named[0] if named else None
        elif isinstance(tree, list) and isinstance(step, int):
            tree = tree[step] if step < len(tree) else None
        elif isinstance(tree, Mapping):
            tree = tree.get(step)
        else:
            tree = None
        if tree is None:
            raise KeyError(path)
    return tree

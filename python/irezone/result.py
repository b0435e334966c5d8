"""What a plan came to."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Sequence, Union

import numpy as np

from .errors import PlanError
from .plan import path_text, value_at

if TYPE_CHECKING:
    from .session import Session


class Zone(NamedTuple):
    """Surface of the ablated zone."""

    points: np.ndarray
    """(n, 3) float, mm"""
    triangles: np.ndarray
    """(m, 3) int, indices of points; outwards by the right-hand rule"""


class Samples(NamedTuple):
    """Values at points. Outside the tissue, as inside a needle, fields are NaN and the zone is False."""

    field_V_per_cm: np.ndarray
    """(n,) the largest over the pulses, V/cm"""
    potential_V: np.ndarray
    """(n, pulses), V"""
    zone: np.ndarray
    """(n,) bool, whether the point is ablated"""


class Result:
    """A result: numbers as attributes, and all of them in :attr:`summary`."""

    def __init__(self, session: "Session", request: Dict[str, Any], answer: Dict[str, Any]) -> None:
        self._session, self._request = session, request
        #: the summary as ``NAME.json`` has it
        self.summary: Dict[str, Any] = answer["summary"]
        #: seconds that the answer took
        self.seconds: float = answer["seconds"]

    def __repr__(self) -> str:
        return f"<Result {self.summary['plan']}: {self.volume_cm3:.4g} +- {self.volume_error_cm3:.2g} cm3>"

    def __getitem__(self, path: str) -> Any:
        """A number of the summary by its path: ``result["zone.by_region.tumour.ablated_cm3"]``."""
        return value_at(self.summary, path)

    @property
    def volume_cm3(self) -> float:
        """Volume of the ablated zone, cm^3."""
        return self.summary["zone"]["volume_cm3"]

    @property
    def volume_error_cm3(self) -> float:
        """Its estimated error, cm^3; NaN if it was not estimated."""
        error = self.summary["zone"].get("volume_error_cm3")
        return float("nan") if error is None else error

    @property
    def current_A(self) -> float:
        """Largest current over the pulses, A."""
        return max(pulse["current_A"] for pulse in self.summary["pulses"])

    @property
    def warnings(self) -> List[str]:
        """What the program warns of."""
        return self.summary["warnings"]

    @property
    def zone(self) -> Zone:
        """Surface of the ablated zone, as the program draws it."""
        zone = self._session.ask({**self._request, "want": ["zone"]})["zone"]
        return Zone(
            np.asarray(zone["points_mm"], dtype=float).reshape(-1, 3), np.asarray(zone["triangles"], dtype=int).reshape(-1, 3)
        )

    def sample(self, points_mm: Union[np.ndarray, Sequence[Sequence[float]]]) -> Samples:
        """Field, potentials and zone at points.

        :param points_mm: (n, 3) coordinates in the plan's frame, mm; or (3,) for one point, whose values come alone
        :raises PlanError: for an array of another shape
        """
        try:
            points = np.asarray(points_mm, dtype=float)
        except (TypeError, ValueError):
            raise PlanError("points_mm must be numbers: (n, 3), or (3,) for one point") from None
        single = points.shape == (3,)
        if points.size == 0 and points.ndim < 3:
            points = points.reshape(0, 3)
        if not single and (points.ndim != 2 or points.shape[1] != 3):
            raise PlanError(f"points_mm has the shape {points.shape}; it must be (n, 3), or (3,) for one point")
        if not np.isfinite(points).all():
            raise PlanError("points_mm has coordinates that are not finite")
        points = points.reshape(-1, 3)
        answer = self._session.ask({**self._request, "want": [], "sample": {"points_mm": points.tolist()}})["sample"]
        field = np.asarray(answer["field_V_per_cm"], dtype=float)
        names = sorted(name for name in answer if name.startswith("potential_V"))
        potential = np.stack([np.asarray(answer[name], dtype=float) for name in names], axis=-1)
        zone = np.asarray(answer["zone"], dtype=bool)
        return Samples(field[0], potential[0], zone[0]) if single else Samples(field, potential, zone)

    def write(self, folder: Union[str, "os.PathLike[str]"]) -> str:
        """Write ``NAME.json`` and ``NAME.hdf`` to a folder, as ``irezone run -o`` does; returns the summary's path."""
        folder = os.path.abspath(path_text(folder, "folder is a path"))
        self._session.ask({**self._request, "want": [], "write": folder})
        return os.path.join(folder, f"{self.summary['plan']}.json")

    def to_json(self) -> str:
        """The summary as text."""
        return json.dumps(self.summary, indent=2)

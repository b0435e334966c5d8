"""irezone from Python: irreversible electroporation, planned and simulated.

>>> import irezone
>>> plan = irezone.Plan("plan.yaml")
>>> plan["pulses[0].voltage"] = 2500
>>> result = irezone.solve(plan)
>>> result.volume_cm3, result.volume_error_cm3

The program `irezone` does the work; this package starts it and speaks with it (`irezone serve`). It needs numpy only, no compiled
extension, and works in ParaView's and 3D Slicer's Python. This is research software.
"""

from .errors import (
    CancelledError,
    InputError,
    IrezoneError,
    OutOfMemoryError,
    OutputError,
    PlanError,
    SolverError,
)
from .plan import Plan
from .result import Result, Samples, Zone
from .session import Session, program, solve
from .sweep import read_table, sweep
from .version import __version__

__all__ = [
    "__version__",
    "CancelledError",
    "InputError",
    "IrezoneError",
    "OutOfMemoryError",
    "OutputError",
    "Plan",
    "PlanError",
    "Result",
    "Samples",
    "Session",
    "SolverError",
    "Zone",
    "program",
    "read_table",
    "solve",
    "sweep",
]

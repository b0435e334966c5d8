"""What can go wrong, a class for each exit status of the program."""

from __future__ import annotations


class IrezoneError(Exception):
    """Something went wrong; the text is the program's one line."""

    code = 1


class PlanError(IrezoneError, ValueError):
    """A plan, a key or a request is wrong."""

    code = 2


class InputError(IrezoneError):
    """A mesh, label map or another input file is wrong."""

    code = 3


class SolverError(IrezoneError):
    """The solver did not converge."""

    code = 4


class OutputError(IrezoneError):
    """A result could not be written."""

    code = 5


class OutOfMemoryError(IrezoneError, MemoryError):
    """The program has run out of memory."""

    code = 6


class CancelledError(IrezoneError):
    """The solve was cancelled."""

    code = 7


_BY_CODE = {
    kind.code: kind
    for kind in (PlanError, InputError, SolverError, OutputError, OutOfMemoryError, CancelledError)
}


def error_for(code: int, text: str) -> IrezoneError:
    """The error that belongs to a status of the program."""
    return _BY_CODE.get(code, IrezoneError)(text)

"""A process of `irezone serve`, asked many questions."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Mapping
from typing import Any, Callable, Dict, List, Optional, Sequence

from .errors import CancelledError, IrezoneError, PlanError, error_for
from .plan import Plan, Source, check_mapping, path_text
from .result import Result


def program() -> str:
    """The program: ``$IREZONE``, else `irezone` on the path, else that of the source tree this package lies in."""
    stated = os.environ.get("IREZONE")
    if stated:
        return stated
    found = shutil.which("irezone")
    if found:
        return found
    here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    built = os.path.join(here, "build", "irezone")
    if os.access(built, os.X_OK):
        return built
    raise IrezoneError("the program irezone is not on the path; set the environment variable IREZONE to it")


def _signal_name(number: int) -> str:
    """Name of a signal."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def _environment() -> Dict[str, str]:
    """The environment of the program. 3D Slicer and ParaView bring libraries of their own, which it must not find."""
    if "slicer" in sys.modules:
        return dict(sys.modules["slicer"].util.startupEnvironment())
    environment = dict(os.environ)
    if "paraview" in sys.modules:
        environment.pop("LD_LIBRARY_PATH", None)
    return environment


def command_words(command: Optional[Sequence[str]]) -> List[str]:
    """How to start the program, word by word."""
    if command is None:
        return [program()]
    if isinstance(command, (str, bytes)) or not isinstance(command, Iterable):
        raise PlanError(f'command is a list of words as ["mpiexec", "-n", "4", "irezone"], not {command!r}')
    words = [path_text(word, "a word of command is a text") for word in command]
    if not words:
        raise PlanError('command is empty; it is a list of words as ["mpiexec", "-n", "4", "irezone"]')
    return words


class Session:
    """A process that stays and solves one plan after another; what it can use again it does not compute again.

    >>> with Session("plan.yaml") as session:
    ...     for voltage in (1500, 2000, 2500):
    ...         print(session.solve({"pulses[0].voltage": voltage}).volume_cm3)

    :param plan: the plan that the changes of :meth:`solve` start from; a file, a dictionary or a :class:`Plan`
    :param threads: threads at most; the program chooses if not stated
    :param command: how to start the program instead, as in ``["mpiexec", "-n", "4", "irezone"]``
    :param progress: called with the name of the stage and how much of it is done, 0 to 1, while a plan is solved

    A session may be used by several threads; they wait for one another. :meth:`cancel` does not wait.
    """

    def __init__(
        self,
        plan: Source = None,
        threads: Optional[int] = None,
        command: Optional[Sequence[str]] = None,
        progress: Optional[Callable[[str, float], None]] = None,
    ) -> None:
        self._plan = plan if isinstance(plan, Plan) else Plan(plan) if plan is not None else None
        if progress is not None and not callable(progress):
            raise PlanError(f"progress is a function of a stage's name and how much of it is done, not {progress!r}")
        self._progress = progress
        self._turn = threading.RLock()
        self._pen = threading.Lock()
        self._number = 0
        self._running: Optional[int] = None
        self._end: Optional[str] = None
        words = command_words(command)
        words.append("serve")
        if threads is not None:
            words += ["--threads", str(threads)]
        # pylint: disable-next=consider-using-with
        self._complaints = tempfile.TemporaryFile()
        try:
            # pylint: disable-next=consider-using-with
            self._process: Optional[subprocess.Popen] = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._complaints,
                env=_environment(),
                start_new_session=True,  # an interrupt from the keyboard cancels a solve, not the process
            )
        except OSError as error:
            self._complaints.close()
            raise IrezoneError(f"{words[0]} cannot be started: {error.strerror}") from error

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_process", None) is not None:
            self.close()

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        self._end = self._end or "the session is closed"
        try:
            process.stdin.close()
        except OSError:
            pass
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
        self._complaints.close()

    @property
    def alive(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def solve(self, changes: Optional[Mapping] = None, plan: Source = None) -> Result:
        """Solve the session's plan, or another one, with changes.

        :param changes: values by key path, on top of the plan: ``{"probes[0].tip": [-11, 0, -10]}``
        :raises IrezoneError: one of its kinds; the session can go on
        """
        request = self._request(plan, changes)
        return Result(self, request, self.ask({**request, "want": ["summary"]}))

    def check(self, plan: Source = None, changes: Optional[Mapping] = None) -> List[str]:
        """Check a plan; returns its warnings."""
        return self.ask({**self._request(plan, changes), "want": ["check"]})["warnings"]

    def get(self, plan: Source, keys: Sequence[str]) -> Dict[str, Any]:
        """Values of a plan by their key paths: stated, else a preset's, else by default."""
        if isinstance(keys, str) or not all(isinstance(key, str) for key in keys):
            raise PlanError(f"keys is a list of key paths, not {keys!r}")
        return self.ask({**self._request(plan), "want": ["check"], "get": list(keys)})["values"]

    def tree(self, plan: Source = None) -> Dict[str, Any]:
        """All that a plan states."""
        return self.ask({**self._request(plan), "want": ["plan"]})["plan"]

    def cancel(self) -> None:
        """Stop the solve that another thread waits for; it raises :class:`CancelledError` there."""
        running = self._running
        if running is not None:
            self._write({"id": f"cancel {running}", "cancel": running})

    def _request(self, plan: Source, changes: Optional[Mapping] = None) -> Dict[str, Any]:
        if changes is not None:
            check_mapping(changes)
        chosen = self._plan if plan is None else plan if isinstance(plan, Plan) else Plan(plan)
        if chosen is None:
            raise PlanError("there is no plan: state one, a file, a dictionary or a Plan; this session was started without")
        return chosen.request(changes)

    def _write(self, request: Mapping) -> None:
        try:
            line = json.dumps(request, allow_nan=False).encode() + b"\n"
        except (TypeError, ValueError) as error:
            raise PlanError(f"a value cannot be sent: {error}") from None
        with self._pen:
            if self._process is None:
                raise IrezoneError(self._end)
            try:
                self._process.stdin.write(line)
                self._process.stdin.flush()
            except OSError:
                raise self._unheard() from None

    def _death(self) -> IrezoneError:
        """The error to raise where the process has ended: its last line, and what later questions are told."""
        code = self._process.wait()
        self._complaints.seek(0)
        lines = [line for line in self._complaints.read().decode(errors="replace").splitlines() if line.strip()]
        how = f"was ended by the signal {_signal_name(-code)}" if code < 0 else f"ended with status {code}"
        text = lines[-1] if lines else f"the program {how}"
        text = text[len("irezone: "):] if text.startswith("irezone: ") else text
        self._end = f"the session's program has ended before: {text}"
        self.close()
        return error_for(code, text)

    def _unheard(self) -> IrezoneError:
        """The error to raise where nobody takes a request: what has ended may have said that it is another program."""
        line = self._process.stdout.readline()
        try:
            strange = bool(line) and not isinstance(json.loads(line), dict)
        except ValueError:
            strange = True
        return self._stranger(line) if strange else self._death()

    def _stranger(self, line: bytes) -> IrezoneError:
        """The error to raise where the process says what `irezone serve` never does."""
        said = line.decode(errors="replace").strip()
        said = said if len(said) <= 80 else said[:77] + "..."
        self._end = f"the session's program is not `irezone serve`: it said {said!r}"
        self._process.kill()
        self.close()
        return IrezoneError(self._end)

    def ask(self, request: Mapping) -> Dict[str, Any]:
        """Send a request of `irezone serve` as it is and wait for its answer.

        :raises IrezoneError: if the answer is an error
        """
        if not isinstance(request, Mapping):
            raise PlanError(f"a request is a dictionary, not {request!r}")
        with self._turn:
            self._number += 1
            number = self._running = self._number
            told = {**request, "id": number}
            if self._progress is not None:
                told["progress"] = True
            try:
                self._write(told)
                try:
                    answer = self._await(number)
                except KeyboardInterrupt:
                    self.cancel()
                    try:
                        self._await(number)
                    except CancelledError:
                        pass
                    raise
            finally:
                self._running = None
        if not answer["ok"]:
            raise error_for(int(answer.get("code", 1)), answer["error"])
        return answer

    def _await(self, number: int) -> Dict[str, Any]:
        while True:
            line = self._process.stdout.readline() if self._process is not None else b""
            if not line.endswith(b"\n"):
                if self._process is None:
                    raise IrezoneError(self._end)
                raise self._death()
            try:
                answer = json.loads(line)
            except ValueError:
                raise self._stranger(line) from None
            if not isinstance(answer, dict) or not ("ok" in answer or isinstance(answer.get("progress"), dict)):
                raise self._stranger(line)
            if answer.get("id") != number:
                continue
            if "progress" in answer:
                if self._progress is not None:
                    self._progress(answer["progress"]["stage"], answer["progress"]["done"])
                continue
            return answer


_shared: Optional[Session] = None


def shared_session() -> Session:
    """The session of :func:`solve` and of plans that are asked for their values; started when it is first needed."""
    global _shared  # pylint: disable=global-statement
    if _shared is None or not _shared.alive:
        _shared = Session()
    return _shared


@atexit.register
def _close_shared() -> None:
    if _shared is not None:
        _shared.close()


def solve(plan: Source, changes: Optional[Mapping] = None) -> Result:
    """Solve a plan: a file, a dictionary or a :class:`Plan`.

    >>> solve("plan.yaml", {"pulses[0].voltage": 2500}).volume_cm3
    """
    if plan is None:
        raise PlanError("there is no plan to solve: state a file, a dictionary or a Plan")
    return shared_session().solve(changes, plan)

"""How long the code of a model's file may run while the model is loaded.

A file may hold an endless loop, at its top or in its vector field, which runs when it is traced.
Commands set a limit by an environment variable; a program of the user's own has none.
"""

from __future__ import annotations

import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from gradaudit.errors import ModelError

VARIABLE = "GRADAUDIT_IMPORT_S"
"""Environment variable with the limit, in seconds; without it there is none."""

DEFAULT = 300.0  # s
Listener = Callable[[str, float], None]
listeners: list[Listener] = []
"""Called with what is loaded, and its limit, when that begins; and with ("", 0) when it ends."""


@contextmanager
def loading(path: Path) -> Iterator[None]:
    """Raise a ModelError where what is within takes longer than the limit.

    It is raised at the line of Python that runs then. Compiled code does not notice; whoever has
    started this process hears of it as a listener, and can end it.
    """
    seconds = _limit()
    if seconds is None:
        yield
        return
    for listener in listeners:
        listener(str(path), seconds)
    try:
        with _alarm(path, seconds):
            yield
    finally:
        for listener in listeners:
            listener("", 0.0)


def too_long(path: str, seconds: float, line: int | None = None) -> str:
    """The sentence for a file that takes too long."""
    where = f", line {line}" if line else ""
    return (
        f"{path}{where}: loading the model took longer than {seconds:g} s and was stopped. Is "
        "there an endless loop, at the top of the file or in the vector field? If it needs the "
        "time, raise limits.import_s in the configuration."
    )


def _limit() -> float | None:
    try:
        return float(os.environ.get(VARIABLE, "")) or None
    except ValueError:
        return None


@contextmanager
def _alarm(path: Path, seconds: float) -> Iterator[None]:
    """The alarm clock of the system, if this is the main thread and nobody else uses it."""
    free = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    if not free or signal.getsignal(signal.SIGALRM) is not signal.SIG_DFL:
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        stack = traceback.extract_stack(frame)
        lines = [entry.lineno for entry in stack if entry.filename == str(path)]
        raise ModelError(too_long(str(path), seconds, lines[-1] if lines else None))

    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)

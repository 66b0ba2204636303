"""A job in a process of its own, which another one watches: limits of time, and what it died of.

A solve is compiled code, which nothing interrupts but the end of its process. So the process of a
job forks before anything has run, and the fork, the worker, does the work. It tells what it begins,
and hands over each solve that it has finished. If one takes too long, the worker is ended, and
another one goes on with what is known: that solve has the status `time_limit`.

Elsewhere than on Linux jobs have no limits.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import struct
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from gradaudit.errors import GradauditError
from gradaudit.model import patience
from gradaudit.pipeline.memory import Peak

VARIABLE = "GRADAUDIT_JOB_S"
"""Environment variable with the limit of a job, in seconds; without it there is none."""

watching = False
"""Whether jobs are watched: set in a process that is new, and has started no JAX."""

CODE = 3  # of a job that was ended for its time
GRACE = 2.0  # s beyond its limit for a model that is loaded, in which its own alarm ends it
_LOOK = 0.5  # s between two looks at the memory


class _TooLong:
    """In place of the result of a solve that was ended."""


TOO_LONG = _TooLong()
_HEAD = struct.Struct("!Q")


@dataclass
class _Worker:
    """The end of the pipe in the worker, and the solves that earlier workers have finished."""

    pipe: int
    known: dict[Hashable, Any]

    def tell(self, *message: Any) -> None:
        data = pickle.dumps(message)
        _write(self.pipe, _HEAD.pack(len(data)) + data)


_worker: _Worker | None = None  # of this process, if it is one


def solve_within(seconds: float, key: Hashable, solve: Callable[[], Any]) -> Any:
    """`solve()`, or None if it takes longer than that many seconds, compilation included.

    Parameters
    ----------
    seconds
        The limit.
    key
        What tells this solve from the others of the job; the same in each run of the job.
    solve
        Its result can be pickled.
    """
    if _worker is None:
        return solve()
    if key in _worker.known:
        result = _worker.known[key]
        return None if isinstance(result, _TooLong) else result
    _worker.tell("begin", key, float(seconds))
    result = solve()
    _worker.tell("end", key, result)
    return result


@dataclass
class _Watched:
    """What the watching process knows of the worker."""

    about: str
    job_limit: float
    ends: float
    known: dict[Hashable, Any] = field(default_factory=dict)
    now: tuple[str, Hashable, float, float] | None = None
    """What the worker does: its kind, which, the limit, and when that is over."""

    def hear(self, message: tuple[Any, ...]) -> None:
        kind, *rest = message
        if kind == "end":
            self.known[rest[0]] = rest[1]
        starts = kind != "end" and bool(rest[0])
        extra = GRACE if kind == "load" else 0.0
        self.now = (kind, *rest, time.monotonic() + rest[1] + extra) if starts else None

    @property
    def deadline(self) -> float:
        return min(self.ends, self.now[3] if self.now else float("inf"))


def supervised(work: Callable[[], int | None], about: str) -> int:
    """The exit code of `work`, which runs in a worker.

    Parameters
    ----------
    work
        Prints its own errors but `GradauditError`, and returns an exit code or None.
    about
        What the job is, for its sentences: "stage gradients of models/mine.py".
    """
    if sys.platform != "linux":
        return work() or 0
    limit = float(os.environ.get(VARIABLE) or "inf")
    ends = time.monotonic() + limit
    watched = _Watched(about, limit, ends)
    while True:
        code = _watch(work, watched)
        if code is not None:
            return code


def _watch(work: Callable[[], int | None], watched: _Watched) -> int | None:
    """One worker from its beginning to its end; None if another one has to go on."""
    reading, writing = os.pipe()
    living, held = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads that only wait
        child = os.fork()
    if child == 0:
        os.close(reading)
        os.close(held)
        _become_worker(work, _Worker(writing, watched.known), living)
    os.close(writing)
    os.close(living)
    peak = Peak(child)
    try:
        in_time = _listen(reading, watched, peak)
        if not in_time:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    finally:
        os.close(reading)
        os.close(held)
    if in_time:
        code = os.waitstatus_to_exitcode(status)
        if code < 0:
            _tell(f"{watched.about}: {peak.sentence(-code)}")
            return 128 - code
        return code
    return _ended(watched)


def _ended(watched: _Watched) -> int | None:
    """After a worker that took too long: its exit code, or None where another one goes on."""
    if watched.now is not None and time.monotonic() >= watched.now[3]:
        kind, key, limit, _ = watched.now
        watched.now = None
        if kind == "begin":
            watched.known[key] = TOO_LONG
            return None
        _tell(patience.too_long(str(key), limit))
        return CODE
    _tell(
        f"{watched.about}: the job took longer than {watched.job_limit:g} s and was stopped. Is "
        "there an endless loop in the model? If it needs the time, raise limits.job_s in the "
        "configuration."
    )
    return CODE


def _listen(pipe: int, watched: _Watched, peak: Peak) -> bool:
    """Hear the worker until it ends; false if it takes too long."""
    buffer = b""
    while True:
        left = watched.deadline - time.monotonic()
        if left <= 0.0:
            return False
        ready, _, _ = select.select([pipe], [], [], min(left, _LOOK))
        peak.look()
        if not ready:
            continue
        data = os.read(pipe, 1 << 20)
        if not data:
            return True
        buffer += data
        while len(buffer) >= _HEAD.size:
            end = _HEAD.size + _HEAD.unpack_from(buffer)[0]
            if len(buffer) < end:
                break
            watched.hear(pickle.loads(buffer[_HEAD.size : end]))  # our own worker's
            buffer = buffer[end:]


def _become_worker(work: Callable[[], int | None], worker: _Worker, living: int) -> None:
    """Do the work in this process, which ends with the one that watches it; never returns."""
    global _worker  # of this process, as the name says
    _worker, code = worker, 1
    patience.listeners.append(lambda path, seconds: worker.tell("load", path, seconds))
    threading.Thread(target=_follow, args=(living,), daemon=True).start()
    try:
        code = work() or 0
    except GradauditError as error:
        _tell(str(error))
        code = 2
    except KeyboardInterrupt:
        code = 130
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code & 0xFF)


def _follow(living: int) -> None:
    os.read(living, 1)
    os._exit(130)


def _write(pipe: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(pipe, view) :]


def _tell(sentence: str) -> None:
    print(f"gradaudit: {sentence}", file=sys.stderr, flush=True)

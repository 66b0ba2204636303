"""Certified solves of a problem's conditions in processes side by side.

Each process reads the problem for itself, and keeps what it has solved, so that it solves the same
conditions again where digits are missing.
"""

from __future__ import annotations

import time
import warnings
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradaudit.errors import ModelWarning, ProblemError
from gradaudit.problem.definition import Problem
from gradaudit.problem.likelihood import Contribution
from gradaudit.problem.loading import load_problem
from gradaudit.problem.simulation import Goal, Part, Solves, share
from gradaudit.problem.solving import Solved
from gradaudit.records.results import Extended

Array = NDArray[np.float64]

WORTH = 20.0
"""Seconds that the other conditions take, from which on more processes are worth their start."""

HERE = -1
"""The owner of what this process has solved."""

Sent = tuple[tuple[Contribution, ...], str, Extended]


class Crew(Solves):
    """`Solves` with the help of other processes, where the first group shows that it is worth it.

    Use as a context manager, which ends the processes.

    Attributes
    ----------
    processes
        How many there are at most, with this one.
    """

    def __init__(
        self, problem: Problem, values: Array, derivatives: bool, refines: bool, processes: int
    ) -> None:
        super().__init__(problem, values, derivatives, refines)
        self.helpers: list[ProcessPoolExecutor] = []
        self.processes = processes
        self.owners = [HERE for _ in self.groups]

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is not None:
            self._stop()
        for helper in self.helpers:
            helper.shutdown(cancel_futures=True)

    def _stop(self) -> None:
        """End what other processes solve, so that an error is told at once."""
        for helper in self.helpers:
            for process in list((helper._processes or {}).values()):
                process.kill()

    def every(self, digits: float, time_limit: float) -> tuple[Part, ...]:
        """All groups, each by the process that is free; errors as for `simulate`."""
        started, count = time.perf_counter(), len(self.groups)
        found = {0: self.first(0, digits, share(time_limit, count))} if count else {}
        waiting, lock = deque(range(1, count)), Lock()
        took = time.perf_counter() - started
        if took * (count - 1) > WORTH:
            self._start(min(self.processes - 1, count - 1))
        team, failures = len(self.helpers) + 1, list[BaseException]()

        def work(owner: int) -> None:
            while True:
                with lock:
                    if not waiting:
                        return
                    index, behind = waiting.popleft(), len(waiting) + 1
                left = max(time_limit - (time.perf_counter() - started), 1.0)
                limit = share(left, -(-behind // team))
                self.owners[index] = owner
                try:
                    found[index] = (
                        self.first(index, digits, limit)
                        if owner == HERE
                        else self._by(owner, index, _first, digits, limit)
                    )
                except BaseException as error:  # of any thread, the first is raised below
                    with lock:
                        waiting.clear()
                        failures.append(error)
                    if owner == HERE:
                        self._stop()

        with ThreadPoolExecutor(max(len(self.helpers), 1)) as threads:
            others = [threads.submit(work, owner) for owner in range(len(self.helpers))]
            work(HERE)
            for other in others:
                other.result()
        if failures:
            raise failures[0]
        return tuple(found[index] for index in range(count))

    def together(self, pending: Sequence[int]) -> list[int]:
        """One of each process that has any."""
        first: dict[int, int] = {}
        for index in pending:
            first.setdefault(self.owners[index], index)
        return list(first.values())

    def several(self, goals: Mapping[int, Goal], time_limit: float) -> dict[int, Part]:
        """Groups of different processes again."""
        here = [index for index in goals if self.owners[index] == HERE]
        with ThreadPoolExecutor(len(goals)) as threads:
            futures = {
                index: threads.submit(self._by, self.owners[index], index, _again, goal, time_limit)
                for index, goal in goals.items()
                if index not in here
            }
            found = {index: self.again(index, goals[index], time_limit) for index in here}
            return found | {index: future.result() for index, future in futures.items()}

    def _start(self, count: int) -> None:
        own = self.problem.path, self.values, self.derivatives, self.refines
        self.helpers = [
            ProcessPoolExecutor(
                1, mp_context=get_context("spawn"), initializer=_begin, initargs=own
            )
            for _ in range(count)
        ]

    def _by(self, owner: int, index: int, what: Any, *how: Any) -> Part:
        group = self.groups[index]
        try:
            future: Future[Sent] = self.helpers[owner].submit(what, index, *how)
            contributions, status, found = future.result()
        except BrokenProcessPool as error:
            raise ProblemError(
                f"the process that solved the condition {group.label} ended, perhaps for want of "
                "memory; take fewer processes (--cores)."
            ) from error
        return Part(group, contributions, status, partial(self._restored, index, status, found))

    def _restored(self, index: int, status: str, found: Extended) -> Solved:
        """The solve of another process, with the model as this one reads it."""
        group = self.groups[index]
        prepared = self.preparation.prepared(group, time_limit=np.inf)
        return Solved(prepared.translation, group.times, found, status, prepared.owners, True)


_solves: list[Solves] = []
"""Of a process of a crew."""


def _begin(path: Path, values: Array, derivatives: bool, refines: bool) -> None:
    warnings.simplefilter("ignore", ModelWarning)  # which were told where the problem was loaded
    _solves[:] = [Solves(load_problem(path), values, derivatives, refines)]


def _first(index: int, digits: float, time_limit: float) -> Sent:
    return _sent(_solves[0].first(index, digits, time_limit))


def _again(index: int, goal: Goal, time_limit: float) -> Sent:
    return _sent(_solves[0].again(index, goal, time_limit))


def _sent(found: Part) -> Sent:
    return found.contributions, found.status, found.solved.found

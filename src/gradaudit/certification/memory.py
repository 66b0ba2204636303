"""What a reference has solved, for another one that asks for more of the same."""

from __future__ import annotations

import time
from dataclasses import dataclass

from gradaudit.certification.climb import Climb
from gradaudit.certification.collocation.rungs import Collocation
from gradaudit.certification.variational import Solution


@dataclass
class Memory:
    """The solves by collocation of one model at one set of times; empty where there are none."""

    collocation: Collocation | None = None
    scout: Solution | None = None

    def keep(self, collocation: Collocation, scout: Solution) -> None:
        """Remember solves."""
        self.collocation, self.scout = collocation, scout

    def clear(self) -> None:
        """Forget them."""
        self.collocation = self.scout = None

    @property
    def size(self) -> int:
        """Bytes of what is remembered."""
        if self.collocation is None:
            return 0
        return sum(s.values.nbytes + s.derivatives.nbytes for s in self.collocation.done.values())

    def resumed(self, new: Climb) -> Climb:
        """The climb of the solves, with the time and the demands of another one."""
        assert self.collocation is not None
        climb = self.collocation.climb
        climb.started, climb.limit = time.perf_counter(), new.limit
        climb.lacking, climb.progress = new.lacking, new.progress
        return climb

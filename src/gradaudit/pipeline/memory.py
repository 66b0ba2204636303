"""The memory of a process, and what is said of it when the process dies."""

from __future__ import annotations

import signal
from pathlib import Path

GIB = 2.0**20  # in KiB


class Peak:
    """The most memory that a process had, as far as one has looked."""

    def __init__(self, process: int) -> None:
        self._status = Path(f"/proc/{process}/status")
        self.kib = 0

    def look(self) -> None:
        """Read it once more."""
        try:
            for line in self._status.read_text(encoding="ascii").splitlines():
                if line.startswith("VmHWM:"):
                    self.kib = max(self.kib, int(line.split()[1]))
        except (OSError, ValueError):
            return

    def sentence(self, number: int) -> str:
        """Why a process may have died of a signal."""
        name = signal.Signals(number).name
        text = f"the process died by signal {number} ({name}), with {self.kib / GIB:.2f} GiB"
        total = _total()
        if total:
            text += f" of the {total / GIB:.1f} GiB of this machine"
        if number == signal.SIGKILL:
            return (
                f"{text}. The system or the cluster ends a job so that needs too much memory: run "
                "fewer jobs at a time (CORES=1), or ask for more with --default-resources mem_mb=."
            )
        return f"{text}."


def _total() -> int:
    try:
        line = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()[0]
        return int(line.split()[1])
    except (OSError, ValueError, IndexError):
        return 0

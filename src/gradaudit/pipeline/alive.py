"""Who is alive: locks of the operating system, which end with the process that holds them.

A lock file of Snakemake stays behind if it is killed. One of these does not, however a process
ends, and on a shared file system it is seen from other machines.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform != "win32":  # there nobody is known to be alive, or to be dead
    import fcntl

_held: list[int] = []  # descriptors that stay open as long as this process lives


def hold(path: Path) -> None:
    """Be alive at `path` until this process ends; does nothing where files cannot be locked."""
    descriptor = _locked(path, shared=True)
    if descriptor is not None:
        _held.append(descriptor)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Be alive at `path` within."""
    descriptor = _locked(path, shared=True)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


@contextmanager
def alone(path: Path, *, seconds: float = 0.0) -> Iterator[bool]:
    """Whether nobody is alive at `path`; if so, whoever wants to be has to wait until the end.

    Parameters
    ----------
    path
        The file that the others hold.
    seconds
        How long to wait for them to end.
    """
    deadline = time.monotonic() + seconds
    descriptor = _locked(path, shared=False)
    while descriptor is None and time.monotonic() < deadline:
        time.sleep(0.1)
        descriptor = _locked(path, shared=False)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _locked(path: Path, *, shared: bool) -> int | None:
    """A descriptor with a lock, which other programs that this one starts do not inherit."""
    if sys.platform == "win32":
        return None
    descriptor = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        # Whoever cleans holds the file for a moment only.
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX | fcntl.LOCK_NB
        fcntl.flock(descriptor, kind)
    except OSError:
        if descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(descriptor)
        return None
    return descriptor

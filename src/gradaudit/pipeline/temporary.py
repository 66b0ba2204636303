"""Temporary folders that can be told from those of processes that were killed."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gradaudit.pipeline import alive

PREFIX = "gradaudit-"
YOUNG = 1.0  # s; its owner may be about to hold it
ALIVE = ".alive"
"""File in each of the folders that its owner holds."""


def make() -> Path:
    """A new temporary folder that is removed when this process ends.

    If the process is killed, `remove_dead` does so.
    """
    made = Path(tempfile.mkdtemp(prefix=PREFIX))
    alive.hold(made / ALIVE)
    atexit.register(_remove_own, made, os.getpid())
    return made


def _remove_own(path: Path, process: int) -> None:
    if os.getpid() == process:  # and not a fork of the one that made it
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def folder() -> Iterator[Path]:
    """A temporary folder that is removed at the end."""
    made = make()
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def remove_dead() -> list[Path]:
    """Remove the temporary folders whose owner is dead; those that were removed.

    A folder of that prefix that somebody else has made is left alone.
    """
    removed = []
    for path in sorted(_candidates()):
        with contextlib.suppress(OSError):  # another start may remove it at the same time
            if _is_dead(path) and _removed(path):
                removed.append(path)
    return removed


def _candidates() -> Iterator[Path]:
    with contextlib.suppress(OSError):
        for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
            if path.is_dir() and not path.is_symlink() and path.stat().st_uid == os.getuid():
                yield path


def _is_dead(path: Path) -> bool:
    if time.time() - path.stat().st_mtime < YOUNG:
        return False
    if (path / ALIVE).is_file():
        with alive.alone(path / ALIVE) as dead:
            return dead
    inside = list(path.iterdir())  # of sockets alone: made before the folders had an owner
    return bool(inside) and all(entry.is_symlink() or _is_deaf(entry) for entry in inside)


def _is_deaf(path: Path) -> bool:
    """Whether a path is a socket at which nobody listens."""
    if not path.is_socket():
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.connect(str(path))
        except ConnectionRefusedError:
            return True
        except OSError:
            pass
    return False


def _removed(path: Path) -> bool:
    shutil.rmtree(path, ignore_errors=True)
    return not path.exists()

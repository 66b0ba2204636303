"""Where compiled programs are kept between two commands of a user, and how many."""

from __future__ import annotations

import hashlib
import os
import platform
from contextlib import suppress
from pathlib import Path

from gradaudit.errors import SettingError

MOST = 500_000_000
"""Bytes that the folder of a user may take; an audit of a model adds about 3 MB."""


def prepared_folder() -> Path | None:
    """The folder of this user for programs of this processor; None if it cannot be written to.

    A program uses the instructions of the processor that compiled it, which XLA does not compare
    when it takes a program from disk; homes of clusters are shared by machines that differ.
    """
    from platformdirs import user_cache_path

    digest = hashlib.sha256(_processor().encode()).hexdigest()[:8]
    folder = user_cache_path("gradaudit", appauthor=False) / f"xla-{digest}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    drop_oldest(folder)
    return folder if os.access(folder, os.W_OK) else None


def made(folder: Path) -> Path:
    """A folder that a user has named, which is made if there is none.

    Raises
    ------
    SettingError
        If it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError(
            f"compiled programs cannot be kept in {folder}: {error.strerror}; name another folder "
            "by --cache or GRADAUDIT_CACHE, or none."
        ) from error
    return folder


def drop_oldest(folder: Path, most: int = MOST) -> None:
    """Remove what was written first until the files of a folder take `most` bytes or less.

    JAX does not read again what has gone; it compiles it.
    """
    found = []
    with suppress(OSError):  # another process removes files, too
        for path in folder.iterdir():
            status = path.stat()
            found.append((status.st_mtime, status.st_size, path))
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if total <= most:
            return
        with suppress(OSError):
            path.unlink()
        total -= size


def _processor() -> str:
    named = [platform.machine(), platform.processor()]
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        named += [line for line in lines if line.startswith(("flags", "Features"))][:1]
    return " ".join(named)

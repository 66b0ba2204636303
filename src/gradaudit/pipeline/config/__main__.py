"""Check configuration files before Snakemake, which names no line: arguments are the files."""

from __future__ import annotations

import sys
from pathlib import Path

from gradaudit.errors import SettingError
from gradaudit.pipeline.config.files import read_source


def main(paths: list[str]) -> int:
    """0, or 2 where a file is missing, is not YAML, or sets a key twice."""
    for path in map(Path, paths):
        if not path.is_file():
            print(f"{path}: there is no such configuration file.", file=sys.stderr)
            return 2
        try:
            read_source(path)
        except SettingError as error:
            print(error, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Write what is made from declarations: the schema, and tables in the guides.

python -m gradaudit.pipeline.generate            # write
python -m gradaudit.pipeline.generate --check    # 1 where a file is not what it would be
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from gradaudit.errors import SettingError
from gradaudit.pipeline.config.schema import schema_text
from gradaudit.pipeline.config.table import entry_table, key_table
from gradaudit.pipeline.guide import GUIDES, with_tables

SCHEMA = Path("workflow/schemas/config.schema.yaml")
README = Path("config/README.md")


def generated(root: Path) -> Iterator[tuple[Path, str]]:
    """Every generated file, and the text that it is to have.

    Raises
    ------
    SettingError
        If a file has lost the markers between which a table is written.
    """
    yield root / SCHEMA, schema_text()
    text = (root / README).read_text(encoding="utf-8")
    for name, table in (("keys", key_table()), ("entries", entry_table())):
        text = between(text, name, table, where=README)
    yield root / README, with_tables(text)
    for guide in GUIDES:
        yield root / guide, with_tables((root / guide).read_text(encoding="utf-8"))


def between(text: str, name: str, part: str, *, where: Path) -> str:
    """`text` with `part` between the markers of `name`."""
    begin, end = f"<!-- generated: {name} -->\n", f"<!-- end: {name} -->"
    pattern = re.compile(f"({re.escape(begin)}).*?({re.escape(end)})", re.DOTALL)
    if not pattern.search(text):
        raise SettingError(f"{where}: the lines {begin.strip()} and {end} are missing; add them.")
    return pattern.sub(lambda match: match[1] + part + match[2], text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the files below the working directory; 1 where a check fails."""
    parser = argparse.ArgumentParser(description="Write the schema, and tables in the guides.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if out of date")
    checking = parser.parse_args(arguments).check
    stale = []
    for path, text in generated(Path.cwd()):
        if path.read_text(encoding="utf-8") != text if path.exists() else True:
            stale.append(path)
            if not checking:
                path.write_text(text, encoding="utf-8")
    if checking and stale:
        names = ", ".join(str(path.relative_to(Path.cwd())) for path in stale)
        print(f"{names}: out of date; run: make format", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

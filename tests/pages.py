"""Files and commands of a page of the documentation, as a reader would type them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


class Page:
    """The blocks of a page; a block whose first line is a comment with a name is a file."""

    def __init__(self, name: str) -> None:
        text = (ROOT / "docs" / name).read_text(encoding="utf-8")
        self.blocks: list[tuple[str, str]] = re.findall(
            r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL
        )

    @property
    def commands(self) -> list[str]:
        """What a reader types, in order."""
        return [text.strip() for language, text in self.blocks if language == "sh"]

    @property
    def code(self) -> list[str]:
        """Blocks that are to be files."""
        return [text for language, text in self.blocks if language in ("python", "yaml")]

    @property
    def files(self) -> dict[str, str]:
        """Those that name themselves, by their names."""
        named = ((re.match(r"# (\w+\.\w+)\n", text), text) for text in self.code)
        return {match[1]: text for match, text in named if match}

    def write(self, folder: Path) -> Path:
        """Write the files into a folder."""
        for name, text in self.files.items():
            (folder / name).write_text(text, encoding="utf-8")
        return folder


def typed(command: str, folder: Path) -> str:
    """The output of a command that ends well."""
    environment = {
        **os.environ,
        "GRADAUDIT": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "XDG_CACHE_HOME": str(folder / "cache"),
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",  # programs here are compiled to run once
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert "Traceback" not in output
    return output

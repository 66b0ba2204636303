"""The commented template of a model, `gradaudit new PATH`."""

from __future__ import annotations

import re
from pathlib import Path

from gradaudit.errors import ModelError

TEMPLATE = Path(__file__).parent / "model.py.txt"
_STEM = re.compile(r"[A-Za-z][A-Za-z0-9_-]*\Z")


def write(path: Path) -> None:
    """Write the template under a new name; the model in it is named after the file.

    Raises
    ------
    ModelError
        If there is such a file, or the name is none of a model.
    """
    path = Path(path)
    if path.suffix != ".py" or not _STEM.match(path.stem):
        raise ModelError(
            f"{path}: a model is a file ending in .py whose name is made of letters, digits, '_' "
            "and '-' and begins with a letter, such as my_model.py."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE.read_text(encoding="utf-8").replace("NAME", path.stem))
    except FileExistsError:
        raise ModelError(
            f"{path} exists and is left as it is; choose another name, or remove it first."
        ) from None
    except OSError as error:
        raise ModelError(f"{path} cannot be written: {error.strerror}.") from error

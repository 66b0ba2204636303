"""Which package a method of another tool needs, known without importing it."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

from gradaudit.errors import SettingError

PACKAGES = {
    "cvodes": ("casadi",),
    "cvodes_partial": ("casadi",),
    "diffsol": ("casadi", "pydiffsol"),  # casadi writes the equations down
    "diffsol_partial": ("casadi", "pydiffsol"),
}


def check_installed(methods: Iterable[str]) -> None:
    """Check that the packages of `methods` are there; methods of this project need none.

    Raises
    ------
    SettingError
        At the first method whose package is missing.
    """
    for method in methods:
        missing = [name for name in PACKAGES.get(method, ()) if find_spec(name) is None]
        if missing:
            raise SettingError(
                f"method {method!r} needs {' and '.join(missing)}, not installed here; "
                "run: pip install 'gradaudit[witnesses]' (in a checkout: pip install -e "
                "'.[witnesses]'), or leave the method out."
            )

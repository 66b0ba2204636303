"""Which packages a method needs, known without importing them."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

from gradaudit.errors import SettingError
from gradaudit.records.catalogue import catalogue


def packages() -> dict[str, tuple[str, ...]]:
    """The packages that a method needs besides those of this project, for methods that need any."""
    return {name: m.packages for name, m in catalogue("methods").items() if m.packages}


def missing_packages(method: str) -> list[str]:
    """Those of `packages` that are not installed."""
    return [name for name in packages().get(method, ()) if find_spec(name) is None]


def check_installed(methods: Iterable[str]) -> None:
    """Check that the packages of `methods` are there; methods of this project need none.

    Raises
    ------
    SettingError
        At the first method whose package is missing.
    """
    for method in methods:
        missing = missing_packages(method)
        if missing:
            raise SettingError(
                f"method {method!r} needs {' and '.join(missing)}, not installed here; "
                "run: pip install 'gradaudit[witnesses]' (in a checkout: pip install -e "
                "'.[witnesses]'), or leave the method out."
            )

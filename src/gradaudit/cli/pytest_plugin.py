"""The fixture `gradient_check` for tests with pytest, and a file of what was known before.

    def test_the_gradient_of_my_loss(gradient_check):
        gradient_check(loss, parameters)

A gradient that is proven to be wrong fails; one of which nothing is proven is a warning. With
``--gradient-baseline FILE`` a wrong one fails only if it is proven to be worse than in the file.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gradaudit.cli.check import content_of

if TYPE_CHECKING:
    from gradaudit.checked.gradient_check import GradientCheck

SCHEMA = "gradaudit gradient checks 1"
FILE = pytest.StashKey[dict[str, dict[str, Any]]]()


class InconclusiveGradientWarning(UserWarning):
    """A gradient of which nothing is proven."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the fixture."""
    group = parser.getgroup("gradaudit")
    group.addoption(
        "--gradient-baseline",
        metavar="FILE",
        help="JSON file of earlier gradient checks: fail only where one is proven to be worse",
    )
    group.addoption(
        "--gradient-baseline-update",
        action="store_true",
        help="write the checks of this run into that file",
    )


@pytest.fixture
def gradient_check(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """`gradaudit.check_gradient`, which fails the test where a gradient is proven to be wrong."""
    from gradaudit.checked.gradient_check import check_gradient

    config = request.config
    made: dict[str, GradientCheck] = {}

    def check(fun: Any, p: Any = None, gradient: Any = None, **options: Any) -> GradientCheck:
        found = check_gradient(fun, p, gradient, **options)
        name = f"{request.node.nodeid} {len(made) + 1}"
        made[name] = found
        if found.outcome == "inconclusive":
            warnings.warn(str(found), InconclusiveGradientWarning, stacklevel=2)
        elif found.failed and is_worse(found, _known(config).get(name)):
            pytest.fail(str(found), pytrace=False)
        return found

    yield check
    if config.getoption("--gradient-baseline-update"):
        _keep(config, {name: entry_of(found) for name, found in made.items()})


def entry_of(found: GradientCheck) -> dict[str, Any]:
    """What is kept of a check; None for what is not finite."""
    numbers = {name: float(getattr(found, name)) for name in ("disagreement", "error_bar")}
    return {
        "outcome": found.outcome,
        **{name: value if math.isfinite(value) else None for name, value in numbers.items()},
    }


def is_worse(found: GradientCheck, before: Mapping[str, Any] | None) -> bool:
    """Whether a gradient that has failed is proven to be worse than it was.

    It is not if it had failed before, unless the disagreement is larger by more than both bars.
    """
    if before is None or before["outcome"] != "failed" or before["disagreement"] is None:
        return True
    most = before["disagreement"] + (before["error_bar"] or 0.0)
    return not found.disagreement - found.error_bar <= most


def _file(config: pytest.Config) -> Path | None:
    name = config.getoption("--gradient-baseline")
    return Path(name) if name else None


def _known(config: pytest.Config) -> dict[str, dict[str, Any]]:
    """The checks of the file, by test and number."""
    if FILE not in config.stash:
        config.stash[FILE] = _read(_file(config))
    return config.stash[FILE]


def _read(path: Path | None) -> dict[str, dict[str, Any]]:
    if path is None or not path.exists():
        return {}
    content = content_of(path, SCHEMA)
    if content is None:
        raise pytest.UsageError(f"{path} is no file of gradient checks ({SCHEMA!r}).")
    return dict(content["checks"])


def _keep(config: pytest.Config, checks: Mapping[str, Mapping[str, Any]]) -> None:
    path = _file(config)
    if path is None:
        raise pytest.UsageError("--gradient-baseline-update needs --gradient-baseline FILE.")
    whole = {**_read(path), **checks}
    content = {"schema": SCHEMA, "checks": dict(sorted(whole.items()))}
    path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")

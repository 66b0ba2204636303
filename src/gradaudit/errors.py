"""The exceptions that reach a user: each message says what was wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

EXTRAS = {
    "heyoka": "reference",
    "threadpoolctl": "reference",
    "libsbml": "sbml",
    **dict.fromkeys(["petab", "sympy"], "petab"),
    **dict.fromkeys(["casadi", "pydiffsol"], "witnesses"),
    **dict.fromkeys(
        [
            "PIL", "grimp", "h5netcdf", "h5py", "jinja2", "matplotlib", "mlflow", "pandas",
            "platformdirs", "pyarrow", "pydantic", "rich", "seaborn", "snakemake", "xarray", "yaml",
        ],
        "workflow",
    ),
}  # fmt: skip
"""By the name of a module that the library alone does not need: the extra that installs it."""


class GradauditError(Exception):
    """Base of every error that is for the user to correct; shown without a traceback."""


class ModelError(GradauditError):
    """A model that cannot be loaded, or is not what its declaration says."""


class ProblemError(GradauditError):
    """An estimation problem that cannot be read, contradicts itself or is not supported."""


class SettingError(GradauditError):
    """A solver, method, tolerance, time or configuration value that is invalid."""


class TranslationError(GradauditError):
    """A vector field that the Taylor method cannot integrate correctly."""


class MissingExtraError(GradauditError, ImportError):
    """A part of gradaudit was asked for whose packages are not installed."""


class MissingResultError(GradauditError):
    """A stage was asked to run before the stages that it reads from."""


class DamagedResultError(GradauditError):
    """A result that cannot be read, or is another one than its place says."""


class ModelWarning(UserWarning):
    """A model that is most likely not what was meant, and whose results are right all the same."""


@contextmanager
def extras_by_name(feature: str) -> Iterator[None]:
    """Say which extra is missing where an import within fails for it.

    Parameters
    ----------
    feature
        What needs the extra, in the words of a user: the beginning of the sentence.

    Raises
    ------
    MissingExtraError
        In place of the ModuleNotFoundError of a package that an extra installs.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRAS:
            raise
        raise MissingExtraError(
            f"{feature} needs the package {package}, which is not installed. "
            f"Run: pip install 'gradaudit[{EXTRAS[package]}]'"
        ) from None


@contextmanager
def forward_mode_by_name(where: str) -> Iterator[None]:
    """Say what to do where JAX cannot differentiate forward, which it says without a place.

    Parameters
    ----------
    where
        Whose function it is: the beginning of the sentence.

    Raises
    ------
    SettingError
        In place of JAX's TypeError for a function with a rule of `jax.custom_vjp`.
    """
    try:
        yield
    except TypeError as error:
        if "custom_vjp" not in str(error):
            raise
        raise SettingError(
            f"{where} calls a function with a rule of jax.custom_vjp, which is for reverse mode "
            "alone, and forward mode was asked for. Give the function its rule by jax.custom_jvp, "
            "which serves both, or remove it."
        ) from None


NAMED = 3
"""Names that a message spells out."""


def first_few(names: Iterable[object], *, quoted: bool = True) -> str:
    """Names in a message: of a long list the first three, and how many more there are."""
    shown = [repr(name) if quoted else str(name) for name in names]
    more = f" and {len(shown) - NAMED} more" if len(shown) > NAMED else ""
    return ", ".join(shown[:NAMED]) + more

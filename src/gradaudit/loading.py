"""Loading a model, of the library or of a user's file, and checking that it is what it says."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from gradaudit.errors import ModelError
from gradaudit.model import Model

LIBRARY = Path(__file__).parent / "models"


def library_names() -> list[str]:
    """Names of the models that come with the package, sorted."""
    return sorted(path.stem for path in LIBRARY.glob("*.py") if not path.stem.startswith("_"))


def model_path(model: str | Path) -> Path:
    """The file that defines `model`, a library name or the path of a file.

    Raises
    ------
    ModelError
        If there is no such model.
    """
    text = str(model)
    if text in library_names():
        return LIBRARY / f"{text}.py"
    path = Path(text).expanduser()
    if path.suffix == ".py" and path.is_file():
        return path
    raise ModelError(
        f"no model {text!r}: it is neither a file ending in .py nor one of the library's models "
        f"({', '.join(library_names())})."
    )


def load_model(model: str | Path | Model) -> Model:
    """Load a model by its library name or from the path of a file that defines ``MODEL``.

    Raises
    ------
    ModelError
        If the file does not import, has no ``MODEL``, or the model does not pass `check`.
    """
    if isinstance(model, Model):
        check(model)
        return model
    path = model_path(model).resolve()
    return _load(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _load(path: Path, modified: int) -> Model:
    """One object for one state of a file, so that what is compiled for a model is found again."""
    del modified
    loaded = _from_file(path)
    check(loaded)
    return replace(loaded, source=str(path))


def _from_file(path: Path) -> Model:
    import gradaudit.jaxconfig  # noqa: F401  # float64 before the file makes its first array

    module_name = f"gradaudit_model_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise ModelError(f"{path}: not a python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(
            f"{path}: importing it failed with {type(error).__name__}: {error}"
        ) from error
    loaded = getattr(module, "MODEL", None)
    if not isinstance(loaded, Model):
        raise ModelError(
            f"{path}: defines no MODEL; end the file with MODEL = gradaudit.Model(...)."
        )
    return loaded


def check(model: Model) -> None:
    """Trace the vector field once and evaluate it at t = 0.

    Raises
    ------
    ModelError
        If it cannot be traced, has the wrong shape or type, or is not finite at t = 0.
    """
    import jax
    import jax.numpy as jnp
    import numpy as np

    import gradaudit.jaxconfig  # noqa: F401
    from gradaudit.integrals import initial_state

    where = f"model {model.name!r}"
    p = jnp.asarray(model.nominal)
    y0 = _trace(f"{where}: initial_state", lambda: initial_state(model, p))
    if y0.shape != (model.n,):
        raise ModelError(
            f"{where}: initial_state returns shape {y0.shape}; it must be ({model.n},)."
        )
    if not np.all(np.isfinite(y0)):
        raise ModelError(f"{where}: the initial state is not finite: {np.asarray(y0)}.")
    zero = jnp.zeros(())
    shape = _trace(
        f"{where}: vector_field", lambda: jax.eval_shape(model.vector_field, zero, y0, p)
    )
    if getattr(shape, "shape", None) != (model.n,):
        raise ModelError(
            f"{where}: vector_field returns {_describe(shape)}; it must return one array of shape "
            f"({model.n},), the derivatives of {list(model.states)}."
        )
    if shape.dtype != jnp.float64:
        raise ModelError(
            f"{where}: vector_field returns {shape.dtype}; it must return float64. "
            "Remove casts to another type."
        )
    dy = np.asarray(model.vector_field(zero, y0, p))
    if not np.all(np.isfinite(dy)):
        bad = [name for name, value in zip(model.states, dy, strict=True) if not np.isfinite(value)]
        raise ModelError(f"{where}: the derivative of {bad} is not finite at t = 0.")


def _trace(what: str, call):
    import jax

    try:
        return call()
    except (jax.errors.TracerBoolConversionError, jax.errors.ConcretizationTypeError) as error:
        raise ModelError(
            f"{what} branches in python on a traced value. Write the branch with jnp.where and "
            f"declare where it switches. ({str(error).splitlines()[0]})"
        ) from error
    except Exception as error:
        raise ModelError(f"{what} failed with {type(error).__name__}: {error}") from error


def _describe(shape) -> str:
    if hasattr(shape, "shape"):
        return f"shape {shape.shape}"
    return f"a {type(shape).__name__}"

"""gradaudit measures where forward-mode gradients through ODE solvers can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradaudit.errors import GradauditError, ModelError, SettingError, TranslationError

if TYPE_CHECKING:
    from gradaudit.checked import CheckedJacobian, checked_jacfwd, diffeqsolve
    from gradaudit.loading import load_model
    from gradaudit.methods import sensitivities
    from gradaudit.model import Event, Model
    from gradaudit.restarts import shooting
    from gradaudit.taylor import reference

__version__ = "0.1.0"

# What imports JAX or numpy is loaded when it is first asked for: `gradaudit --help` and the stages
# that only read tables start in a fraction of a second.
_LAZY = {
    "CheckedJacobian": "gradaudit.checked",
    "Event": "gradaudit.model",
    "Model": "gradaudit.model",
    "checked_jacfwd": "gradaudit.checked",
    "diffeqsolve": "gradaudit.checked",
    "load_model": "gradaudit.loading",
    "reference": "gradaudit.taylor",
    "sensitivities": "gradaudit.methods",
    "shooting": "gradaudit.restarts",
}

__all__ = [
    "CheckedJacobian",
    "Event",
    "GradauditError",
    "Model",
    "ModelError",
    "SettingError",
    "TranslationError",
    "checked_jacfwd",
    "diffeqsolve",
    "load_model",
    "reference",
    "sensitivities",
    "shooting",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        import importlib

        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'gradaudit' has no attribute {name!r}")

"""gradaudit measures where forward-mode gradients through ODE solvers can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradaudit.errors import (
    GradauditError,
    MissingExtraError,
    ModelError,
    ProblemError,
    SettingError,
    TranslationError,
    extras_by_name,
)

if TYPE_CHECKING:
    from gradaudit.certification import reference
    from gradaudit.checked import CheckedJacobian, checked_jacfwd, diffeqsolve
    from gradaudit.checked.gradient_check import GradientCheck, check_gradient
    from gradaudit.checked.hessian_product import checked_hvp
    from gradaudit.checked.information import fisher_information
    from gradaudit.evaluation.information import FisherInformation
    from gradaudit.model.definition import Event, Model
    from gradaudit.model.loading import load_model
    from gradaudit.model.multiple_shooting import shooting
    from gradaudit.problem import load_problem, reference_gradient
    from gradaudit.problem.recommendation import Recommendation, recommend
    from gradaudit.sensitivity.api import sensitivities

__version__ = "0.1.0"

# What imports JAX or numpy is loaded when it is first asked for: `gradaudit --help` and the stages
# that only read tables start in a fraction of a second.
_LAZY = {
    "CheckedJacobian": "gradaudit.checked",
    "Event": "gradaudit.model.definition",
    "FisherInformation": "gradaudit.evaluation.information",
    "GradientCheck": "gradaudit.checked.gradient_check",
    "Model": "gradaudit.model.definition",
    "Recommendation": "gradaudit.problem.recommendation",
    "check_gradient": "gradaudit.checked.gradient_check",
    "checked_hvp": "gradaudit.checked.hessian_product",
    "checked_jacfwd": "gradaudit.checked",
    "diffeqsolve": "gradaudit.checked",
    "fisher_information": "gradaudit.checked.information",
    "load_model": "gradaudit.model.loading",
    "load_problem": "gradaudit.problem",
    "recommend": "gradaudit.problem.recommendation",
    "reference": "gradaudit.certification",
    "reference_gradient": "gradaudit.problem",
    "sensitivities": "gradaudit.sensitivity.api",
    "shooting": "gradaudit.model.multiple_shooting",
}

__all__ = [
    "CheckedJacobian",
    "Event",
    "FisherInformation",
    "GradauditError",
    "GradientCheck",
    "MissingExtraError",
    "Model",
    "ModelError",
    "ProblemError",
    "Recommendation",
    "SettingError",
    "TranslationError",
    "check_gradient",
    "checked_hvp",
    "checked_jacfwd",
    "diffeqsolve",
    "fisher_information",
    "load_model",
    "load_problem",
    "recommend",
    "reference",
    "reference_gradient",
    "sensitivities",
    "shooting",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        import importlib

        with extras_by_name(f"gradaudit.{name}"):
            return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'gradaudit' has no attribute {name!r}")

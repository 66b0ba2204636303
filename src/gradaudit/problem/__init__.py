"""Estimation problems in PEtab, their log-likelihood and its gradient, certified and by every
method; what a model is belongs to `model`, and solves of it to `certification` and `sensitivity`.
"""

from __future__ import annotations

from gradaudit.problem.certified import ReferenceGradient, reference_gradient
from gradaudit.problem.definition import Parameters, Problem
from gradaudit.problem.gradient import Gradient, gradients
from gradaudit.problem.loading import load_problem

__all__ = [
    "Gradient",
    "Parameters",
    "Problem",
    "ReferenceGradient",
    "gradients",
    "load_problem",
    "reference_gradient",
]

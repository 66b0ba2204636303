"""Estimation problems in PEtab, their log-likelihood and its certified gradient; what a model is
belongs to `model`, and a certified solve of it to `certification`.
"""

from __future__ import annotations

from gradaudit.problem.certified import ReferenceGradient, reference_gradient
from gradaudit.problem.definition import Parameters, Problem
from gradaudit.problem.loading import load_problem

__all__ = ["Parameters", "Problem", "ReferenceGradient", "load_problem", "reference_gradient"]

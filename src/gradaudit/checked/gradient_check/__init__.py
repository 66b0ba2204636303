"""Verdicts on gradients that others computed: of a function with solves of diffrax inside, of a
model or of an estimation problem; how to compute better ones belongs to `checked`.
"""

from __future__ import annotations

from gradaudit.checked.gradient_check.api import check_gradient
from gradaudit.checked.gradient_check.result import Blamed, GradientCheck

__all__ = ["Blamed", "GradientCheck", "check_gradient"]

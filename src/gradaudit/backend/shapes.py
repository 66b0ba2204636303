"""Shapes of arrays as annotations, which the tests check at run time.

One letter has one meaning: n states, N states and integrals, m parameters, c parameters that are
propagated together, T times, E events, Q switches. Within one call the same letter is the same
number. A vector field that a user writes needs none of these.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from jaxtyping import Array, Bool, Float, Inexact, Int

Scalar: TypeAlias = Float[Array, ""]
Vector: TypeAlias = Float[Array, "_"]
Matrix: TypeAlias = Float[Array, "_ _"]

ScalarLike: TypeAlias = Float[Array | np.ndarray, ""] | float
"""A time or a tolerance: a number of Python or NumPy, or a traced one."""

Flag: TypeAlias = Bool[Array, ""]
Count: TypeAlias = Int[Array, ""]

States: TypeAlias = Float[Array, "N"]
Tangents: TypeAlias = Float[Array, "N c"]
Parameters: TypeAlias = Float[Array, "m"]
Seeds: TypeAlias = Float[Array, "m c"]
Slopes: TypeAlias = Float[Array, "c"]
Times: TypeAlias = Float[Array, "T"]
StatesAtTimes: TypeAlias = Float[Array, "T N"]
TangentsAtTimes: TypeAlias = Float[Array, "T N c"]
EventValues: TypeAlias = Float[Array, "E"]
Margins: TypeAlias = Float[Array, "Q"]

SizesOf: TypeAlias = Float[Array, "*c"]
ComponentsOf: TypeAlias = Float[Array, "n *c"]

ModelState: TypeAlias = Inexact[Array, "n"]
"""The states alone, without integrals."""
ComplexStates: TypeAlias = Inexact[Array, "N"]
"""States that a complex step may have moved off the real line."""
ComplexParameters: TypeAlias = Inexact[Array, "m"]
ComplexStatesAtTimes: TypeAlias = Inexact[Array, "T N"]

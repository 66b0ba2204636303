"""Scales on which parameters are estimated and observables are compared: lin, log and log10."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SCALES = ("lin", "log", "log10")
DIGITS_OF_LN10 = "2.30258509299404568401799145468436420760110148862877298"
LN10 = np.longdouble(DIGITS_OF_LN10)


def scaled(value: float, scale: str) -> float:
    """A number on a scale; NaN where its logarithm does not exist, minus infinity for 0."""
    if scale == "lin":
        return float(value)
    if not value > 0.0:
        return -math.inf if value == 0.0 else math.nan
    return math.log(value) if scale == "log" else math.log10(value)


def unscaled(value: float, scale: str) -> float:
    """The number of which `value` is the image on a scale."""
    if scale == "lin":
        return float(value)
    with np.errstate(over="ignore"):
        return float(np.exp(value) if scale == "log" else np.power(10.0, value))


def slope(value: float, scale: str) -> Any:
    """d value / d (value on the scale), in extended precision."""
    if scale == "lin":
        return np.longdouble(1)
    return np.longdouble(value) * (1 if scale == "log" else LN10)


def transformed(value: Any, scale: str) -> tuple[Any, Any, Any]:
    """Values on a scale, and the first two derivatives of the scale there, of the same shape."""
    if scale == "lin":
        return value, np.ones_like(value), np.zeros_like(value)
    unit = number(DIGITS_OF_LN10, value) if scale == "log10" else 1
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(value) / unit, 1 / (unit * value), -1 / (unit * value**2)


def number(digits: str, like: Any) -> Any:
    """A number in the type of an array, in extended precision where that has fewer digits."""
    kind = np.asarray(like).dtype
    return (np.longdouble if kind == np.float64 else kind.type)(digits)

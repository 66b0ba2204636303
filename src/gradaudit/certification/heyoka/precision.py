"""The floating-point types that the Taylor method runs in, and how values enter and leave them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import heyoka as hy
import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradaudit.errors import SettingError


@dataclass(frozen=True)
class Precision:
    """A floating-point type of heyoka.

    Attributes
    ----------
    name
        "double", "long double", "quad" or "multiple".
    fp_type
        What heyoka calls the type.
    bits
        Bits of the significand.
    """

    name: str
    fp_type: type
    bits: int

    @property
    def eps(self) -> float:
        """Distance from 1 to the next number."""
        return 2.0 ** (1 - self.bits)

    @property
    def options(self) -> dict[str, Any]:
        """Keyword arguments that select this precision in heyoka's constructors."""
        chosen: dict[str, Any] = {"fp_type": self.fp_type}
        if self.name == "multiple":
            chosen["prec"] = self.bits
        return chosen

    def number(self, value: Any) -> Any:
        """The scalar of this precision with exactly the given (double or integer) value."""
        if self.name == "multiple":
            return hy.real(value, self.bits)
        return self.fp_type(value)

    def array(self, values: ArrayLike) -> NDArray[Any]:
        """The array of this precision with exactly the given double values."""
        given = np.asarray(values, dtype=np.float64)
        if self.name != "multiple":
            return given.astype(self.fp_type)
        lifted: NDArray[Any] = np.empty(given.shape, dtype=self.fp_type)
        for index, value in np.ndenumerate(given):
            lifted[index] = self.number(float(value))
        return lifted


DOUBLE = Precision("double", float, 53)
LONG_DOUBLE = Precision("long double", np.longdouble, int(np.finfo(np.longdouble).nmant) + 1)
QUAD = Precision("quad", getattr(hy, "real128", float), 113)

PIECES = 3  # float64 numbers, whose sum is a number in quad precision


def available(precision: Precision) -> bool:
    """Whether this machine and this build of heyoka have the precision, beyond double."""
    if precision.name == "double":
        return True
    if precision.name == "long double":
        return precision.bits > DOUBLE.bits and hasattr(hy, "taylor_adaptive_ldbl")
    if precision.name == "quad":
        return hasattr(hy, "real128")
    return hasattr(hy, "real")


def multiple(bits: int) -> Precision:
    """MPFR numbers with `bits` bits; slow, for the rare case that quad does not certify.

    Raises
    ------
    SettingError
        If `bits` is less than quad has.
    """
    if bits <= QUAD.bits:
        raise SettingError(f"multiple precision of {bits} bits: ask for more than {QUAD.bits}.")
    return Precision("multiple", getattr(hy, "real", float), bits)


def to_float64(values: NDArray[Any]) -> NDArray[np.float64]:
    """Round to float64, from any precision; infinities and NaN stay what they are."""
    if values.dtype == np.float64:
        return values
    return np.asarray(values.astype(np.float64))


def to_extended(values: NDArray[Any], precision: Precision) -> NDArray[np.longdouble]:
    """Round to long double, which is float64 where the machine has no other."""
    high = to_float64(values)
    if values.dtype in (np.float64, np.longdouble):
        return values.astype(np.longdouble)
    with np.errstate(invalid="ignore"):
        low = to_float64(values - precision.array(high))
    return high.astype(np.longdouble) + low


def to_quad(values: NDArray[Any], precision: Precision) -> NDArray[Any]:
    """Round to quad precision, from any other one; exact from those that have fewer bits."""
    if precision.name == "quad":
        return values
    if precision.name == "long double":
        high = to_float64(values)
        with np.errstate(invalid="ignore"):
            low = to_float64(np.where(np.isfinite(high), values - high, 0.0))
        return np.asarray(QUAD.array(high) + QUAD.array(low))
    total, rest = QUAD.array(np.zeros(values.shape)), values
    for _ in range(PIECES):
        piece = to_float64(rest)
        total = total + QUAD.array(piece)
        rest = rest - precision.array(piece)
    return np.asarray(total)

"""Numbers in the form that tables, cards and sentences share: few digits, short exponents."""

from __future__ import annotations

import math


def number(value: float, digits: int = 3) -> str:
    """Three significant digits; powers of ten in short where a number is large or small."""
    if not math.isfinite(value):
        return "not finite"
    if value == 0.0:
        return "0"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    if -3 < int(exponent) < 5:
        return grouped(float(f"{value:.{digits - 1}e}"))
    return f"{float(mantissa):g}e{int(exponent)}"


def grouped(value: float) -> str:
    """A number or a count, with its thousands apart from five digits on."""
    return f"{value:,.10g}".replace(",", "\u202f" if abs(value) >= 1e4 else "")


def tolerance(value: float) -> str:
    """A tolerance: always a power of ten in short, 1e-3."""
    return short(value, 2)


def short(value: float, digits: int = 2) -> str:
    """A number as a power of ten in short, 1.2e-3."""
    if not math.isfinite(value):
        return "not finite"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"


def rounded_down(digits: float) -> str:
    """Certified digits to a tenth, never more of them than are certified."""
    return f"{math.floor(10.0 * digits) / 10.0:.1f}" if math.isfinite(digits) else f"{digits}"

"""Log-likelihoods of single measurements, with derivatives.

Numbers are in extended or in quad precision, so that the rounding of these formulas is far below
that of the states that they take.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradaudit.problem.scales import number, transformed

PI = "3.14159265358979323846264338327950288419716939937510582"
DISTRIBUTIONS = ("normal", "laplace")


@dataclass(frozen=True)
class Terms:
    """Log-likelihoods of R measurements, shape (R,), and derivatives of each.

    Attributes
    ----------
    value
        Logarithm of the density of the measurement.
    h, s
        Derivatives with respect to the simulated value h and the noise s.
    hh, hs, ss
        Second derivatives.
    residual
        (measured - simulated) / s on the scale of the observable.
    value_size, s_size
        Sums of the absolute values of what is added up in `value` and `s`: where it cancels, as
        where a residual is as large as its noise, rounding is beside these sizes.
    """

    value: Any
    h: Any
    s: Any
    hh: Any
    hs: Any
    ss: Any
    residual: Any
    value_size: Any
    s_size: Any


def terms(measured: Any, h: Any, s: Any, *, scale: str, distribution: str) -> Terms:
    """Log-likelihoods as PEtab 1 defines them: densities of the measured value itself.

    Parameters
    ----------
    measured, h, s
        Measured and simulated values, both not on the scale, and the noise; each (R,).
    scale
        "lin", "log" or "log10": the scale on which the noise is added.
    distribution
        "normal", with the standard deviation s, or "laplace", with the scale s.
    """
    goal, jacobian, _ = transformed(measured, scale)
    image, first, second = transformed(h, scale)
    with np.errstate(divide="ignore", invalid="ignore"):
        r = (goal - image) / s
        if distribution == "normal":
            constant, size = np.log(2 * number(PI, s) * s**2) / 2, r**2 / 2
            w, ww, ws = r / s, -1 / s**2, -2 * r / s**2
            noise, noise2 = (r**2 - 1) / s, (1 - 3 * r**2) / s**2
            noise_size = (r**2 + 1) / s
        else:
            sign, size = np.sign(r), np.abs(r)
            constant = np.log(2 * s)
            w, ww, ws = sign / s, np.zeros_like(s), -sign / s**2
            noise, noise2 = (size - 1) / s, (1 - 2 * size) / s**2
            noise_size = (size + 1) / s
        of_scale = np.log(np.abs(jacobian))
    return Terms(
        value=of_scale - constant - size,
        h=w * first,
        s=noise,
        hh=ww * first**2 + w * second,
        hs=ws * first,
        ss=noise2,
        residual=r,
        value_size=np.abs(constant) + size + np.abs(of_scale) + 1,  # rounding of what is in a log
        s_size=noise_size,
    )

"""Power of an observable at its dominant frequency.

    J = |2 / sum(w) sum over j of w_j (x_j - mean(x)) exp(-2 pi i k j / T)|^2

with Hann's window w over the T observations: the squared amplitude, in the squared unit of the
observable. The number k of cycles in the window is the one where the certified trace has the most
power, and is fixed, so that J is a quadratic form of the observations. It hardly depends on the
phase.
"""

from __future__ import annotations

import numpy as np

from gradaudit.evaluation.functional import Array, Context, Functional
from gradaudit.evaluation.functional_family import Family
from gradaudit.evaluation.oscillation import oscillating

EVEN = 1e-9  # of the spacing: how far observation times may be from equidistant


def functionals(context: Context) -> list[Functional]:
    """The power for every observable that oscillates, on equidistant observation times."""
    spacing = np.diff(context.times)
    if np.ptp(spacing) > EVEN * np.mean(spacing):
        return []
    return [_power(context, name, column) for name, column in oscillating(context)]


def _power(context: Context, observable: str, column: int) -> Functional:
    projection = _projection(context.observations[:, column])

    def amplitude(z: Array) -> complex:
        return complex(projection @ z[:, column])

    def weights(z: Array) -> Array:
        phi = np.zeros_like(z)
        phi[:, column] = 2.0 * np.real(np.conj(amplitude(z)) * projection)
        return phi

    return Functional(
        name=f"spectrum_{observable}",
        kind="spectrum",
        value=lambda z: abs(amplitude(z)) ** 2,
        weights=weights,
        natural_weights=np.abs(weights(context.observations)),
    )


def _projection(certified: Array) -> Array:
    """Complex weights (T,) of the observations in the amplitude at the dominant frequency."""
    count = len(certified)
    window = np.hanning(count)
    power = np.abs(np.fft.rfft(window * (certified - np.mean(certified)))) ** 2
    cycles = 1 + int(np.argmax(power[1:]))
    wave = window * np.exp(-2j * np.pi * cycles * np.arange(count) / count)
    projection: Array = 2.0 / np.sum(window) * (wave - np.mean(wave))
    return projection


FAMILY = Family(
    name="spectrum",
    label="power at the main frequency",
    rank=80,
    value="power at the dominant frequency",
    purpose="observables that oscillate",
    group="phase-invariant",
    functionals=functionals,
    naming=lambda name: f"power of {name.removeprefix('spectrum_')} at its main frequency",
)

"""The squid axon of Hodgkin and Huxley, firing under a constant current."""

import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from gradaudit import Model
from gradaudit.backend.shapes import Scalar, Vector

REST = -65.0  # mV


def over_expm1(x: Scalar | float) -> Scalar:
    """x / (exp(x) - 1), for |x| < 20, as an expression that is smooth at x = 0 too.

    (exp(x) - 1)/x is the product of (exp(x/2^k) + 1)/2 over k = 1 to 6, times itself at x/64,
    where its series converges fast. As a quotient of two zeros it has no usable Taylor series
    next to x = 0, which the voltage crosses in every spike.
    """
    small = x / 64.0
    ratio: Any = 1.0 / math.factorial(13)  # a number here, an array below
    for k in range(12, 0, -1):
        ratio = ratio * small + 1.0 / math.factorial(k)
    power = jnp.exp(small)
    for _ in range(6):
        ratio = 0.5 * ratio * (power + 1.0)
        power = power * power
    return 1.0 / ratio


def rates(v: Scalar | float) -> tuple[Vector, Vector]:
    """Opening and closing rates of the gates m, h, n, in 1/ms, with the rest at -65 mV."""
    opening = jnp.stack(
        [
            over_expm1(-(v + 40.0) / 10.0),
            0.07 * jnp.exp(-(v + 65.0) / 20.0),
            0.1 * over_expm1(-(v + 55.0) / 10.0),
        ]
    )
    closing = jnp.stack(
        [
            4.0 * jnp.exp(-(v + 65.0) / 18.0),
            1.0 / (1.0 + jnp.exp(-(v + 35.0) / 10.0)),
            0.125 * jnp.exp(-(v + 65.0) / 80.0),
        ]
    )
    return opening, closing


def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
    """The current balance of the membrane, and three gates."""
    v, gates = y[0], y[1:]
    m, h, n = gates
    g_na, g_k, g_l, e_na, e_k, e_l, c, current = p
    ionic = g_na * m**3 * h * (v - e_na) + g_k * n**4 * (v - e_k) + g_l * (v - e_l)
    opening, closing = rates(v)
    return jnp.concatenate(
        [((current - ionic) / c)[None], opening * (1.0 - gates) - closing * gates]
    )


OPEN, CLOSE = (np.asarray(rate) for rate in rates(REST))
AT_REST = OPEN / (OPEN + CLOSE)

MODEL = Model(
    name="hodgkin_huxley",
    vector_field=vector_field,
    states={
        "V": (REST, "mV"),
        **{gate: (float(x), "1") for gate, x in zip("mhn", AT_REST, strict=True)},
    },
    parameters={
        "gNa": (120.0, "mS/cm^2"),
        "gK": (36.0, "mS/cm^2"),
        "gL": (0.3, "mS/cm^2"),
        "ENa": (50.0, "mV"),
        "EK": (-77.0, "mV"),
        "EL": (-54.387, "mV"),
        "C": (1.0, "uF/cm^2"),
        "I": (10.0, "uA/cm^2"),
    },
    t_end=100.0,
    time_unit="ms",
    observations=201,
    axes={"t_end": (10.0, 30.0, 100.0, 300.0)},
    mechanism="phase drift on a limit cycle",
    regime="bad",
    description=(
        "A neuron that spikes regularly: sensitivities of the voltage grow with the window and "
        "peak at the flanks of the spikes."
    ),
    citation=(
        "A. L. Hodgkin, A. F. Huxley, A quantitative description of membrane current and its "
        "application to conduction and excitation in nerve, Journal of Physiology 117 (1952) "
        "500-544."
    ),
)

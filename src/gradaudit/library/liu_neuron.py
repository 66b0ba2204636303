"""The bursting, conductance-based neuron of Liu et al. 1998, whose gradient went wrong in print.

Thirteen states: the voltage, the calcium concentration and eleven gates. Voltage in mV, time in
ms; conductances come without a capacitance factor, so that g (E - V) is a rate in mV/ms.
"""

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from gradaudit import Model
from gradaudit.backend.shapes import Scalar, Vector

NERNST = 500.0 * 8.6174e-5 * 283.15  # mV; R T / (z F) as the model's authors round it, z = 2
CALCIUM_OUTSIDE = 3000.0  # uM

STATES = {
    "V": (-60.0, "mV"),
    "Ca": (0.05, "uM"),
    **{
        gate: (0.0, "1")
        for gate in (
            "mNa", "hNa", "mCaS", "hCaS", "mCaT", "hCaT", "mIh", "mKa", "hKa", "mKCa", "mKdr",
        )
    },
}  # fmt: skip

PARAMETERS = {
    "eNa": (50.0, "mV"),
    "eh": (-20.0, "mV"),
    "eK": (-80.0, "mV"),
    "eleak": (-50.0, "mV"),
    "tauCa": (20.0, "ms"),
    "gNa": (100.0, "1/ms"),
    "gCaS": (3.0, "1/ms"),
    "gCaT": (1.3, "1/ms"),
    "gKa": (5.0, "1/ms"),
    "gKCa": (10.0, "1/ms"),
    "gKdr": (20.0, "1/ms"),
    "gh": (0.5, "1/ms"),
    "gleak": (0.01, "1/ms"),
}


# One row per gate: x_inf = 1 / (1 + exp((V + A) / C)).
INFINITY = np.array(
    [
        (25.5, -5.29),  # mNa
        (48.9, 5.18),  # hNa
        (33.0, -8.1),  # mCaS
        (60.0, 6.2),  # hCaS
        (27.1, -7.2),  # mCaT
        (32.1, 5.5),  # hCaT
        (70.0, 6.0),  # mIh
        (27.2, -8.7),  # mKa
        (56.9, 4.9),  # hKa
        (28.3, -12.6),  # mKCa, times Ca / (Ca + 3)
        (12.3, -11.8),  # mKdr
    ]
)
# tau = A + B / (1 + exp((V + C) / D)) in ms, for all gates but hNa, mCaS and hCaS.
TAU = np.array(
    [
        (1.32, -1.26, 120.0, -25.0),  # mNa
        (21.7, -21.3, 68.1, -20.5),  # mCaT
        (105.0, -89.8, 55.0, -16.9),  # hCaT
        (272.0, 1499.0, 42.2, -8.73),  # mIh
        (11.6, -10.4, 32.9, -15.2),  # mKa
        (38.6, -29.2, 38.9, -26.5),  # hKa
        (90.3, -75.1, 46.0, -22.7),  # mKCa
        (7.2, -6.4, 28.3, -19.2),  # mKdr
    ]
)
# tau = A + B / (exp((V + C) / D) + exp(-(V + E) / F)) in ms, for mCaS and hCaS.
BELL_TAU = np.array(
    [
        (1.4, 7.0, 27.0, 10.0, 70.0, 13.0),  # mCaS
        (60.0, 150.0, 55.0, 9.0, 65.0, 16.0),  # hCaS
    ]
)


def boltzmann(v: Scalar, a: ArrayLike, c: ArrayLike) -> Array:
    """1 / (1 + exp((v + a) / c))."""
    return 1.0 / (1.0 + jnp.exp((v + a) / c))


def time_constants(v: Scalar) -> Vector:
    """tau of the eleven gates in ms, in the order of the states, (11,)."""
    plain = TAU[:, 0] + TAU[:, 1] * boltzmann(v, TAU[:, 2], TAU[:, 3])
    h_na = 0.67 * boltzmann(v, 62.9, -10.0) * (1.5 + boltzmann(v, 34.9, 3.6))
    a, b, c, d, e, f = BELL_TAU.T
    bell = a + b / (jnp.exp((v + c) / d) + jnp.exp(-(v + e) / f))
    return jnp.concatenate([plain[:1], h_na[None], bell, plain[1:]])


def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
    """Currents, calcium and gates; rates in mV/ms, uM/ms and 1/ms."""
    v, ca, gates = y[0], y[1], y[2:]
    m_na, h_na, m_cas, h_cas, m_cat, h_cat, m_ih, m_ka, h_ka, m_kca, m_kdr = gates
    e_na, e_h, e_k, e_leak, tau_ca, g_na, g_cas, g_cat, g_ka, g_kca, g_kdr, g_h, g_leak = p
    e_ca = NERNST * jnp.log(CALCIUM_OUTSIDE / ca)
    i_cas = g_cas * m_cas**3 * h_cas * (e_ca - v)
    i_cat = g_cat * m_cat**3 * h_cat * (e_ca - v)
    dv = (
        g_na * m_na**3 * h_na * (e_na - v)
        + i_cas
        + i_cat
        + g_h * m_ih * (e_h - v)
        + g_ka * m_ka**3 * h_ka * (e_k - v)
        + g_kca * m_kca**4 * (e_k - v)
        + g_kdr * m_kdr**4 * (e_k - v)
        + g_leak * (e_leak - v)
    )
    dca = (0.05 + 0.94 * (i_cas + i_cat) - ca) / tau_ca
    infinity = boltzmann(v, INFINITY[:, 0], INFINITY[:, 1])
    binding = jnp.concatenate([jnp.ones(9), (ca / (ca + 3.0))[None], jnp.ones(1)])
    return jnp.concatenate([dv[None], dca[None], (binding * infinity - gates) / time_constants(v)])


MODEL = Model(
    name="liu_neuron",
    vector_field=vector_field,
    states=STATES,
    parameters=PARAMETERS,
    t_end=500.0,
    time_unit="ms",
    observations=251,
    mechanism="linear amplification",
    regime="bad",
    description=(
        "Bursting neuron of the stomatogastric ganglion: sensitivities grow to 1e5, so that a "
        "small error of the state becomes a large error of the gradient."
    ),
    citation=(
        "Z. Liu, J. Golowasch, E. Marder, L. F. Abbott, A model neuron with activity-dependent "
        "conductances regulated by multiple calcium sensors, Journal of Neuroscience 18 (1998) "
        "2309-2320."
    ),
)

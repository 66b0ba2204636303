"""The circadian clock of Drosophila: PER and TIM, their messengers and their complex.

Ten states, 37 parameters. Equations and values are those of the public model BIOMD0000000021, in
constant darkness: the symmetric set, for which the clock is periodic. The Hill coefficient is 4.
"""

import jax.numpy as jnp

from gradaudit import Model
from gradaudit.backend.shapes import Scalar, Vector

HILL = 4

STATES = ("MP", "P0", "P1", "P2", "MT", "T0", "T1", "T2", "C", "CN")

# In the order of the vector field: for PER, for TIM, for their complex.
CHAIN = {
    "vs": (1.0, "nM/h"),  # transcription
    "KI": (1.0, "nM"),
    "vm": (0.7, "nM/h"),  # decay of the messenger
    "Km": (0.2, "nM"),
    "ks": (0.9, "1/h"),  # translation
    "V1": (8.0, "nM/h"),  # phosphorylations 1 and 3, dephosphorylations 2 and 4
    "K1": (2.0, "nM"),
    "V2": (1.0, "nM/h"),
    "K2": (2.0, "nM"),
    "V3": (8.0, "nM/h"),
    "K3": (2.0, "nM"),
    "V4": (1.0, "nM/h"),
    "K4": (2.0, "nM"),
    "vd": (2.0, "nM/h"),  # decay of the protein
    "Kd": (0.2, "nM"),
}
PARAMETERS = {
    **{f"{name}_P": value for name, value in CHAIN.items()},
    **{f"{name}_T": value for name, value in CHAIN.items()},
    "k1": (0.6, "1/h"),
    "k2": (0.2, "1/h"),
    "k3": (1.2, "1/(nM h)"),
    "k4": (0.6, "1/h"),
    "kd": (0.01, "1/h"),
    "kd_C": (0.01, "1/h"),
    "kd_CN": (0.01, "1/h"),
}


def chain(y: Vector, p: Vector, *, nuclear: Scalar, binding: Scalar, decay: Scalar) -> Vector:
    """Messenger and protein with no, one and two phosphates, (4,)."""
    messenger, none, one, two = y
    vs, ki, vm, km, ks, v1, k1, v2, k2, v3, k3, v4, k4, vd, kd = p
    first = v1 * none / (k1 + none) - v2 * one / (k2 + one)
    second = v3 * one / (k3 + one) - v4 * two / (k4 + two)
    repressed = vs * ki**HILL / (ki**HILL + nuclear**HILL)
    rates = [
        repressed - vm * messenger / (km + messenger),
        ks * messenger - first,
        first - second,
        second - binding - vd * two / (kd + two),
    ]
    return jnp.stack(rates) - decay * y


def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
    """Two chains that meet in a complex, which represses both genes in the nucleus."""
    size = len(CHAIN)
    k1, k2, k3, k4, decay, decay_c, decay_cn = p[2 * size :]
    cytosol, nuclear = y[8], y[9]
    binding = k3 * y[3] * y[7] - k4 * cytosol
    entry = k1 * cytosol - k2 * nuclear
    common = {"nuclear": nuclear, "binding": binding, "decay": decay}
    complexes = [binding - entry - decay_c * cytosol, entry - decay_cn * nuclear]
    return jnp.concatenate(
        [
            chain(y[:4], p[:size], **common),
            chain(y[4:8], p[size : 2 * size], **common),
            jnp.stack(complexes),
        ]
    )


MODEL = Model(
    name="drosophila_clock",
    vector_field=vector_field,
    states={name: (0.0, "nM") for name in STATES},
    parameters=PARAMETERS,
    t_end=72.0,
    time_unit="h",
    observables=("MP", "CN"),
    axes={"t_end": (24.0, 72.0, 120.0)},
    mechanism="phase drift on a limit cycle",
    regime="bad",
    description=(
        "A systems-biology model of ordinary size, from rest onto its limit cycle, with 37 "
        "parameters of which many move the phase."
    ),
    citation=(
        "J.-C. Leloup, A. Goldbeter, A model for circadian rhythms in Drosophila incorporating the "
        "formation of a complex between the PER and TIM proteins, Journal of Biological Rhythms 13 "
        "(1998) 70-87; J.-C. Leloup, A. Goldbeter, Chaos and birhythmicity in a model for "
        "circadian oscillations of the PER and TIM proteins in Drosophila, Journal of Theoretical "
        "Biology 198 (1999) 445-459; values as in BioModels BIOMD0000000021."
    ),
)

"""HIRES: how a plant grows by light, in eight stiff equations."""

import jax.numpy as jnp

from gradaudit import Model
from gradaudit.backend.shapes import Scalar, Vector


def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
    """Phytochrome, red and far red, free and bound; the last of it binds an enzyme."""
    red, far_red, bound_red, bound_far_red, red_receptor, receptor, complex_, enzyme = y
    k1, k2, k3, k4, k5, k6, k_plus, k_minus, k_star, supply = p
    binding = k_plus * receptor * enzyme
    enzyme_change = (k2 + k_minus + k_star) * complex_ - binding
    return jnp.stack(
        [
            -k1 * red + k2 * far_red + k6 * bound_red + supply,
            k1 * red - (k2 + k3) * far_red,
            -(k1 + k6) * bound_red + k2 * bound_far_red + k5 * red_receptor,
            k3 * far_red + k1 * bound_red - (k2 + k4) * bound_far_red,
            -(k1 + k5) * red_receptor + k2 * (receptor + complex_),
            -binding + k4 * bound_far_red + k1 * red_receptor - k2 * receptor + k_minus * complex_,
            -enzyme_change,
            enzyme_change,
        ]
    )


MODEL = Model(
    name="hires",
    vector_field=vector_field,
    states={
        "Pr": (1.0, "1"),
        "Pfr": (0.0, "1"),
        "PrX": (0.0, "1"),
        "PfrX": (0.0, "1"),
        "PrX_": (0.0, "1"),
        "PfrX_": (0.0, "1"),
        "PfrX_E": (0.0, "1"),
        "E": (0.0057, "1"),
    },
    parameters={
        "k1": (1.71, "1/s"),
        "k2": (0.43, "1/s"),
        "k3": (8.32, "1/s"),
        "k4": (0.69, "1/s"),
        "k5": (0.035, "1/s"),
        "k6": (8.32, "1/s"),
        "k_plus": (280.0, "1/s"),
        "k_minus": (0.69, "1/s"),
        "k_star": (0.69, "1/s"),
        "supply": (0.0007, "1/s"),
    },
    t_end=321.8122,
    time_unit="s",
    observables=("Pr", "PfrX_", "E"),
    mechanism="stiff but slow",
    regime="good",
    description=(
        "High irradiance responses of photomorphogenesis: a published biochemical model of eight "
        "states with fast binding, integrated into a slow decay."
    ),
    citation=(
        "E. Schaefer, A new approach to explain the 'high irradiance responses' of "
        "photomorphogenesis on the basis of phytochrome, Journal of Mathematical Biology 2 (1975) "
        "41-56; equations and values of E. Hairer, G. Wanner, Solving Ordinary Differential "
        "Equations II, Springer, 1996, 144-145."
    ),
)

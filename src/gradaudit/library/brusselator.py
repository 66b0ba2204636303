"""The Brusselator with diffusion, by the method of lines: dimension as an axis."""

import jax.numpy as jnp
import numpy as np

from gradaudit import Model
from gradaudit.backend.shapes import Scalar, Vector


def at(cells: float = 10.0) -> Model:
    """The model on `cells` inner points of the unit interval, u = 1 and v = 3 at its ends."""
    n = int(cells)
    x = np.arange(1, n + 1) / (n + 1)

    def laplacian(y: Vector, ends: float) -> Vector:
        padded = jnp.concatenate([jnp.full(1, ends), y, jnp.full(1, ends)])
        return float((n + 1) ** 2) * (padded[:-2] - 2.0 * y + padded[2:])

    def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
        u, v = y[:n], y[n:]
        a, b, diffusion = p
        reaction = u * u * v
        du = a + reaction - (b + 1.0) * u + diffusion * laplacian(u, 1.0)
        dv = b * u - reaction + diffusion * laplacian(v, 3.0)
        return jnp.concatenate([du, dv])

    return Model(
        name="brusselator",
        vector_field=vector_field,
        states={
            **{f"u{i + 1}": (float(1.0 + np.sin(2.0 * np.pi * x[i])), "1") for i in range(n)},
            **{f"v{i + 1}": (3.0, "1") for i in range(n)},
        },
        parameters={"A": (1.0, "1/s"), "B": (3.0, "1/s"), "D": (0.02, "1/s")},
        t_end=10.0,
        time_unit="s",
        observables=(f"u{(n + 1) // 2}",),
        axes={"cells": (2.0, 5.0, 10.0, 20.0)},
        mechanism="dimension",
        regime="good",
        description=(
            "Reaction and diffusion in one dimension. More cells mean more states and, with the "
            "square of their number, more stiffness."
        ),
        citation=(
            "I. Prigogine, R. Lefever, Symmetry breaking instabilities in dissipative systems. II, "
            "Journal of Chemical Physics 48 (1968) 1695-1700; initial and boundary values as in "
            "E. Hairer, S. P. Nørsett, G. Wanner, Solving Ordinary Differential Equations I, 2nd "
            "edition, Springer, 1993, section II.10."
        ),
    )


MODEL = at()

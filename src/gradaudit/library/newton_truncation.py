"""A stiff problem that is not linear: implicit stages end where the root finder is content."""

import jax.numpy as jnp

from gradaudit import Model
from gradaudit.backend.shapes import Matrix, Scalar, Vector


def exact_solution(t: Scalar, p: Vector) -> Vector:
    """y(t) = cos(p t), for any stiffness."""
    return jnp.cos(p * t)


def exact_sensitivities(t: Scalar, p: Vector) -> Matrix:
    """dy/dp = -t sin(p t)."""
    return (-t * jnp.sin(p * t))[None, :]


def at(stiffness: float = 1e3) -> Model:
    """The model with the rate `stiffness`, in 1/s."""

    def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
        return -stiffness * (y**3 - jnp.cos(p * t) ** 3) - p * jnp.sin(p * t)

    return Model(
        name="newton_truncation",
        vector_field=vector_field,
        states={"y": (1.0, "1")},
        parameters={"p": (1.0, "rad/s")},
        t_end=1.4,
        time_unit="s",
        exact_solution=exact_solution,
        exact_sensitivities=exact_sensitivities,
        axes={"stiffness": (1e1, 1e2, 1e3, 1e4)},
        mechanism="Newton truncation",
        regime="bad",
        description=(
            "Prothero and Robinson's problem with a cube: the stages of an implicit method are "
            "roots to the tolerance of the root finder, and the tangent's error follows it."
        ),
        citation=(
            "A. Prothero, A. Robinson, On the stability and accuracy of one-step methods for "
            "solving stiff systems of ordinary differential equations, Mathematics of Computation "
            "28 (1974) 145-162; with a cube in place of the linear term."
        ),
    )


MODEL = at()

"""A stiff decay that starts at its equilibrium: the tangent leaves the region of stability."""

import jax.numpy as jnp

from gradaudit import Model
from gradaudit.backend.shapes import Scalar, Vector


def at(stiffness: float = 10.0) -> Model:
    """The model with the rate `stiffness`, in 1/s."""

    def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
        return -stiffness * (y - p)

    def exact_solution(t: Scalar, p: Vector) -> Vector:
        return jnp.exp(-stiffness * t) - p * jnp.expm1(-stiffness * t)

    return Model(
        name="exploding_tangent",
        vector_field=vector_field,
        states={"y": (1.0, "1")},
        parameters={"p": (1.0, "1")},
        t_end=10.0,
        time_unit="s",
        exact_solution=exact_solution,
        axes={"stiffness": (10.0, 30.0, 100.0, 300.0, 1000.0)},
        mechanism="exploding tangent at an equilibrium",
        regime="horrible",
        description=(
            "The state stands still and the steps grow past the limit of stability: an explicit "
            "method multiplies a tangent that is not in the error test by R(h L) in every step, "
            "whatever the tolerance."
        ),
        citation=(
            "Elementary; for the region of stability: E. Hairer, G. Wanner, Solving Ordinary "
            "Differential Equations II, 2nd edition, Springer, 1996, section IV.2."
        ),
    )


MODEL = at()

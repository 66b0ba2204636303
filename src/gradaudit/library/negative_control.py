"""A polynomial in time: state and tangent are integrated exactly, and nothing can go wrong."""

from gradaudit import Model
from gradaudit.backend.shapes import Matrix, Scalar, Vector


def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
    """y' = (t - theta)^4."""
    return (t - p) ** 4


def exact_solution(t: Scalar, p: Vector) -> Vector:
    """((t - theta)^5 + theta^5) / 5, as a polynomial in t, which does not cancel near t = 0."""
    return t * (p**4 + t * (-2.0 * p**3 + t * (2.0 * p**2 + t * (-p + t / 5.0))))


def exact_sensitivities(t: Scalar, p: Vector) -> Matrix:
    """theta^4 - (theta - t)^4, in factors."""
    return (t * (2.0 * p - t) * (p**2 + (p - t) ** 2))[None, :]


MODEL = Model(
    name="negative_control",
    vector_field=vector_field,
    states={"y": (0.0, "1")},
    parameters={"theta": (1.0, "s")},
    t_end=10.0,
    time_unit="s",
    exact_solution=exact_solution,
    exact_sensitivities=exact_sensitivities,
    mechanism="negative control",
    regime="good",
    description=(
        "A method of order 5 or more integrates the state exactly, and the tangent too: an error "
        "control with nothing to see, and yet no failure."
    ),
    citation="Elementary: a polynomial in t, integrated by hand.",
)

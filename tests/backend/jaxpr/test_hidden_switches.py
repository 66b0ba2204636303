"""The root of a square, the cut of an angle and a pole in one, watched as what they are."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gradaudit.backend.jaxpr.branches import FrozenField
from gradaudit.checked import checked_jacfwd

WRITTEN = {
    "product": lambda x: jnp.sqrt(x * x),
    "power": lambda x: jnp.sqrt(x**2),
    "square": lambda x: jnp.sqrt(jnp.square(x)),
    "jit": jax.jit(lambda x: jnp.sqrt(jax.jit(jnp.square)(x))),
    "exponent": lambda x: (x**2) ** 0.5,
    "reciprocal": lambda x: 1.0 / jax.lax.rsqrt(x * x),
    "multiple": lambda x: 0.5 * jnp.sqrt(4.0 * x**2),
    "norm of one": lambda x: jnp.linalg.norm(x)[None],
    "stacked": lambda x: jnp.sqrt(jnp.stack([x[0] ** 2, jnp.exp(x[0])]))[:1],
}


@pytest.mark.parametrize("name", WRITTEN)
def test_the_root_of_a_square_is_an_absolute_value(name):
    field = FrozenField(lambda t, y, p: WRITTEN[name](y - p), 1, 1)
    p = jnp.ones(1)
    assert field.switches
    left, right = (field.decisions(0.0, jnp.array([y]), p) for y in (0.5, 1.5))
    assert jnp.any(left[0] != right[0])
    np.testing.assert_allclose(field(0.0, jnp.array([1.5]), p, left), -0.5)
    # the root itself, 2 x where that is taken of 4 x^2; the first entry of what is stacked
    margin = 1.0 if name == "multiple" else 0.5
    np.testing.assert_allclose(field.margins(0.0, jnp.array([1.5]), p, right)[0], margin)


def test_other_roots_are_smooth():
    assert not FrozenField(lambda t, y, p: jnp.sqrt(y * p + y**3), 1, 1).switches
    assert not FrozenField(lambda t, y, p: jnp.linalg.norm(y) * y, 2, 1).switches


def _angle(y):
    return jnp.stack([jnp.arctan2(y[1], y[0]), 0.0])


def test_an_angle_goes_on_over_its_cut():
    field = FrozenField(lambda t, y, p: _angle(y), 2, 1)
    above, below = jnp.array([-1.0, 0.1]), jnp.array([-1.0, -0.1])
    p = jnp.ones(1)
    decided = field.decisions(0.0, above, p)
    further = field(0.0, below, p, decided) - field(0.0, above, p, decided)
    np.testing.assert_allclose(further[0], 2.0 * np.arctan(0.1), rtol=1e-12)
    assert field.margins(0.0, above, p, decided) > 0.0 > field.margins(0.0, below, p, decided)


@pytest.mark.slow
@pytest.mark.parametrize(("centre", "crosses"), [(-2.0, True), (2.0, False)])
def test_a_jacobian_across_the_cut_is_told_and_one_beside_it_is_not(centre, crosses):
    """z' = the angle of (centre, p - t): it jumps at t = p where the centre is left of 0."""

    def field(t, y, p):
        return jnp.arctan2(p[0] - t, jnp.array([centre]))

    result = checked_jacfwd(lambda ys: ys[-1], field, y0=jnp.zeros(1), ts=[1.0])(jnp.array([0.4]))
    assert bool(result.warnings.switched) == crosses


ANGLES = {
    # of t and p; whether it jumps in 0 < t < 1, where p = 0.4
    "reciprocal": (lambda t, p: jnp.arctan(1.0 / (t - p)), True),
    "quotient": (lambda t, p: jnp.arctan((t - 2.0) / (p - t)), True),
    "saw tooth": (lambda t, p: jnp.arctan(jnp.tan((t + 0.1) * np.pi / (2.5 * p))), True),
    "scaled": (lambda t, p: jnp.arctan(1.0 - 0.5 / (t - p)), True),
    "power": (lambda t, p: jnp.tanh((t - p) ** -1), True),
    "tanh": (lambda t, p: jnp.tanh(0.3 / (p - t)), True),
    "tanh of a tangent": (lambda t, p: jnp.tanh(jnp.tan((t + 0.1) * np.pi / (2.5 * p))), True),
    "erf": (lambda t, p: jax.scipy.special.erf(1.0 / (t - p)), True),
    "logistic": (lambda t, p: jax.nn.sigmoid(1.0 / (t - p)), True),
    "stacked": (lambda t, p: jnp.tanh(jnp.stack([1.0 / (t - p[0]), t]))[:1], True),
    "array over a number": (lambda t, p: jnp.tanh(jnp.array([0.3, 1.0]) / (t - p[0]))[:1], True),
    "sum": (lambda t, p: jnp.tanh(jnp.sum(jnp.stack([t, 1.0 / (t - p[0])])))[None], True),
    "product with a matrix": (
        lambda t, p: jnp.tanh(jnp.array([[1.0, 2.0]]) @ jnp.stack([1.0 / (t - p[0]), t])),
        True,
    ),
    "set in an array": (
        lambda t, p: jnp.tanh(jnp.zeros(2).at[1].set(1.0 / (t - p[0])))[1:],
        True,
    ),
    "guarded rate in an exponential": (
        lambda t, p: jnp.exp(
            -jnp.where(
                jnp.abs(t - p) < 1e-6,
                1.0 + (t - p) / 2,
                (t - p) / -jnp.expm1(-jnp.where(jnp.abs(t - p) < 1e-6, 1.0, t - p)),
            )
        ),
        False,
    ),
    "logistic by hand": (lambda t, p: 1.0 / (1.0 + jnp.exp(1.0 / (t - p))), True),
    "even": (lambda t, p: jnp.tanh((t - p) ** -2), False),
    "removable": (
        lambda t, p: jnp.arctan(0.7 * jnp.expm1(t - p) / jnp.where(t == p, 1.0, t - p)),
        False,
    ),
    "removable quotient": (
        lambda t, p: jnp.arctan(jnp.expm1(t**2 - p**2) / jnp.where(t == p, 1.0, t**2 - p**2)),
        False,
    ),
    "numerator": (lambda t, p: jnp.arctan((t - p) / (p + 0.1 * t)), False),
    "number": (lambda t, p: jnp.arctan((t - p) / 0.3), False),
}


@pytest.mark.sampled(25)
@pytest.mark.parametrize("name", ANGLES)
def test_an_arctangent_jumps_at_a_pole_and_nowhere_else(name):
    rate, jumps = ANGLES[name]
    result = checked_jacfwd(
        lambda ys: ys[-1], lambda t, y, p: rate(t, p), y0=jnp.zeros(1), ts=[1.0]
    )(jnp.array([0.4]))
    # Beside the pole of "logistic by hand" an exponential overflows: there is no derivative.
    told = result.warnings.switched | result.warnings.undifferentiable
    assert bool(told) == jumps
    assert bool(result.warnings.any) == jumps


def test_what_only_parameters_divide_has_no_pole():
    field = FrozenField(lambda t, y, p: jnp.tanh(y / p) + jnp.exp(-p / (p + 1.0)), 1, 1)
    assert not field.switches
    assert FrozenField(lambda t, y, p: jnp.tanh(p / y), 1, 1).switches


NUMBERS = {
    # of t and p; whether it jumps in 0 < t < 1, where p = 0.4
    "isnan": (lambda t, p: jnp.where(jnp.isnan(jnp.sqrt(t - p)), 1.0, 2.0), True),
    "nan_to_num": (lambda t, p: jnp.nan_to_num(jnp.sqrt(t - p) + 1.0), True),
    "isfinite": (lambda t, p: jnp.where(jnp.isfinite(jnp.log(t - p)), 1.0, 2.0), True),
    "asin": (lambda t, p: jnp.where(jnp.isnan(jnp.arcsin(t / p)), 1.0, 2.0), True),
    "isinf": (lambda t, p: jnp.where(jnp.isinf(jnp.exp(710.0 * t / p)), 1.0, 2.0), True),
    "continuous": (lambda t, p: jnp.nan_to_num(jnp.sqrt(t - p) ** 3), False),
    "at a number": (lambda t, p: p * jnp.where(jnp.isnan(jnp.sqrt(t - 0.3)), 1.0, 2.0), False),
    "always": (lambda t, p: jnp.nan_to_num(jnp.cos(t * p)), False),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NUMBERS)
def test_a_question_for_nan_switches_where_numbers_end(name):
    rate, jumps = NUMBERS[name]
    result = checked_jacfwd(
        lambda ys: ys[-1], lambda t, y, p: rate(t, p) - y, y0=jnp.zeros(1), ts=[1.0]
    )(jnp.array([0.4]))
    assert bool(result.warnings.switched) == jumps

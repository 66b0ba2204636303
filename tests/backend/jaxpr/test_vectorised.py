"""What is evaluated by arrays is what its scalar equations say, and so are its derivatives."""

import random

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit.backend.jaxpr.form as module
from gradaudit.backend.jaxpr.form import Form, form_of
from gradaudit.backend.jaxpr.recording import recorded

N, M = 7, 5


def network(seed, terms=12):
    """Rates (N,) of many terms: products, quotients, powers, sums with factors, a switch."""
    draw = random.Random(seed)
    kinds = [
        lambda t, a, b, k: k * a * b,
        lambda t, a, b, k: k * a / (b + 0.5),
        lambda t, a, b, k: jnp.exp(-k * a) - 2.0 * b,
        lambda t, a, b, k: a**2 / (1.0 + a**2) * k,
        lambda t, a, b, k: k * jnp.where(t < 0.5, a, 0.3),
        lambda t, a, b, k: -(a - b) - (0.7 * k - a),
        lambda t, a, b, k: a**1.5 + t,
    ]

    def term():
        return draw.choice(kinds), draw.randrange(N), draw.randrange(N), draw.randrange(M)

    plan = [[term() for _ in range(draw.randint(1, terms))] for _ in range(N)]

    def rates(t, y, p):
        found = []
        for row in plan:
            total = 0.25 * y[0]
            for kind, i, j, k in row:
                total = total + (-1.0, 1.0, 2.5)[(i + j) % 3] * kind(t, y[i], y[j], p[k])
            found.append(total)
        return jnp.stack(found)

    return recorded(rates, None, N, M)


def point(seed):
    numbers = np.random.default_rng(seed)
    return jnp.asarray(0.4), *(jnp.asarray(numbers.uniform(0.2, 1.5, k)) for k in (N, M))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1))
def test_values_and_derivatives_are_those_of_the_equations(seed, monkeypatch):
    """Up to the order of sums of a hundred terms: 1e-13 of the largest."""
    plain = network(seed)
    numbers = form_of(plain.closed)[1]
    monkeypatch.setattr(module, "MANY", 10)
    form = Form(plain.closed)
    assert form._arrays is not None
    assert len(form._arrays.steps) < len(plain.closed.jaxpr.eqns) / 2
    at = point(seed)

    def pushed(f):
        return jax.jvp(f, at, point(seed + 10))[1]

    def pulled(f):
        value, pull = jax.vjp(f, *at)
        return jnp.concatenate([jnp.ravel(x) for x in pull(jnp.arange(1.0, 1.0 + len(value)))])

    def arrays(*arguments):
        return form(jnp.asarray(numbers), *arguments)

    for derived in (lambda f: f(*at), pushed, pulled):
        right, found = (np.asarray(derived(f)) for f in (plain, arrays))
        np.testing.assert_allclose(found, right, rtol=0, atol=1e-13 * np.abs(right).max())


def test_other_numbers_take_the_place_of_its_own(monkeypatch):
    monkeypatch.setattr(module, "MANY", 1)

    def rates(t, y, p):
        return jnp.stack([3.0 * y[0] * p[0] - 2.0 * y[1], y[0] - 5.0])

    closed = recorded(rates, None, 2, 1).closed
    form, numbers = Form(closed), form_of(closed)[1]
    assert sorted(numbers) == [2.0, 3.0, 5.0]
    changed = jnp.asarray([10.0 * value for value in numbers])
    found = form(changed, jnp.zeros(()), jnp.asarray([2.0, 1.0]), jnp.asarray([7.0]))
    np.testing.assert_allclose(found, [30.0 * 14.0 - 20.0, 2.0 - 50.0])


def test_a_chain_of_sums_longer_than_any_recursion(monkeypatch):
    monkeypatch.setattr(module, "MANY", 10)

    def rates(t, y, p):
        total = y[0]
        for _ in range(1500):
            total = total + p[0] * y[0]
        return jnp.stack([total])

    closed = recorded(rates, None, 1, 1).closed
    form, numbers = Form(closed), jnp.asarray(form_of(closed)[1])
    found = form(numbers, jnp.zeros(()), jnp.ones(1), jnp.ones(1))
    np.testing.assert_allclose(found, [1501.0], rtol=1e-12)


@pytest.mark.slow
def test_what_is_constant_has_no_derivative_beside_what_varies(monkeypatch):
    """Else a literal exponent of a negative base, or the root of t = 0, is 0 times infinity."""
    monkeypatch.setattr(module, "MANY", 10)
    steep = range(4)

    def rates(t, y, p):
        powers = [jnp.power(y[i], 3.0) + jnp.power(y[i + 4], p[i]) for i in steep]
        flat = [jnp.power(y[i], jnp.sign(y[i])) + jnp.power(y[i + 4], y[i]) for i in steep]
        roots = [jnp.sqrt(t) * p[i] + jnp.sqrt(y[i + 4]) for i in steep]
        return jnp.stack([sum(parts) for parts in zip(powers, flat, roots, strict=True)])

    plain = recorded(rates, None, 8, 4)
    form, numbers = Form(plain.closed), jnp.asarray(form_of(plain.closed)[1])
    assert form._arrays is not None
    t, p = jnp.zeros(()), jnp.linspace(0.5, 1.5, 4)
    y = jnp.asarray([-0.9, -0.4, -0.2, -0.1, 0.3, 0.5, 0.8, 1.1])
    for k in (1, 2):
        right = jax.jacfwd(plain, k)(t, y, p)
        found = jax.jacfwd(lambda *at: form(numbers, *at), k)(t, y, p)
        assert np.isfinite(right).all()
        np.testing.assert_allclose(found, right, rtol=1e-12, atol=1e-14)


def test_results_are_gathered_and_not_cut_out_one_by_one(monkeypatch):
    """XLA makes a kernel of every slice, and of each of its derivatives."""
    monkeypatch.setattr(module, "MANY", 10)

    def rates(t, y, p):
        y, p = jnp.unstack(y), jnp.unstack(p)
        return jnp.stack([p[i % 3] * y[i] * y[(7 * i) % 40] for i in range(40)])

    plain = recorded(rates, None, 40, 3)
    form, numbers = Form(plain.closed), jnp.asarray(form_of(plain.closed)[1])
    at = jnp.zeros(()), jnp.linspace(0.1, 2.0, 40), jnp.linspace(0.5, 1.5, 3)
    assert len(jax.make_jaxpr(lambda *at: form(numbers, *at))(*at).eqns) < 40
    np.testing.assert_array_equal(form(numbers, *at), plain(*at))


@pytest.mark.slow
def test_what_is_only_compared_has_no_derivative_beside_what_is_a_result(monkeypatch):
    """Else the root of 0, which only a comparison sees, is 0 times infinity in reverse."""
    monkeypatch.setattr(module, "MANY", 10)

    def rates(t, y, p):
        compared = [jnp.where(jnp.sqrt(y[i]) > p[0], 2.0 * y[i], y[i] * y[i]) for i in range(4)]
        return jnp.stack([*compared, *(jnp.sqrt(y[i]) for i in range(4, 8))])

    plain = recorded(rates, None, 8, 1)
    form, numbers = Form(plain.closed), jnp.asarray(form_of(plain.closed)[1])
    t, y, p = jnp.zeros(()), jnp.asarray([0.0, 0.0, 2.0, 3.0, 1.0, 0.5, 4.0, 9.0]), jnp.ones(1)
    right = jax.jacrev(plain, 1)(t, y, p)
    assert np.isfinite(right).all()
    np.testing.assert_allclose(jax.jacrev(lambda y: form(numbers, t, y, p))(y), right, rtol=1e-14)


@pytest.mark.slow
def test_a_regular_model_is_evaluated_by_arrays_sooner_than_one_of_many_kinds_of_terms():
    """A chain of 150 reactions is a handful of operations."""

    def chain(t, y, p):
        (rate,) = jnp.unstack(p)
        rates = [rate * state for state in jnp.unstack(y)]
        middle = [rates[k - 1] - rates[k] for k in range(1, 149)]
        return jnp.stack([-rates[0], *middle, rates[148] + 0.1 * rates[149]])

    plain = recorded(chain, None, 150, 1)
    form, numbers = form_of(plain.closed)
    assert form._arrays is not None
    at = jnp.asarray(0.0), jnp.linspace(0.1, 1.0, 150), jnp.asarray([0.7])
    np.testing.assert_allclose(form(jnp.asarray(numbers), *at), plain(*at), rtol=1e-15)
    irregular = network(1, terms=20)
    assert module.SEVERAL < len(irregular.closed.jaxpr.eqns) < module.MANY
    assert form_of(irregular.closed)[0]._arrays is None

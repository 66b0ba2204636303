"""The Fisher information of checked Jacobians, against closed forms of decay and growth."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit.errors import SettingError

TIMES = np.array([0.3, 1.0, 2.0, 3.5, 5.0])
NOISE = np.array([0.1, 0.1, 0.2, 0.2, 0.3])


def decay(t, y, p):
    return -p["rate"] * y


def logistic(t, y, p):
    return p["rate"] * y * (1 - y / p["size"])


def decayed(p):
    return p["size"] * jnp.exp(-p["rate"] * TIMES)


def grown(p):
    return p["size"] / (1 + (p["size"] / 0.2 - 1) * jnp.exp(-p["rate"] * TIMES))


CASES = {
    "decay": (decay, lambda p: jnp.stack([p["size"]]), decayed, {"rate": 0.7, "size": 3.0}),
    "logistic": (logistic, np.array([0.2]), grown, {"rate": 1.3, "size": 2.0}),
}


def exact(solution, p):
    """F of the closed form."""
    columns = jax.jacfwd(solution)({name: jnp.asarray(value) for name, value in p.items()})
    rows = np.stack([np.asarray(columns[name]) for name in sorted(p)], axis=1) / NOISE[:, None]
    return rows.T @ rows


@pytest.mark.slow
@pytest.mark.parametrize("rtol", [1e-3, 1e-6, 1e-9])
@pytest.mark.parametrize("case", CASES)
def test_bars_hold_the_closed_form(case, rtol):
    field, y0, solution, p = CASES[case]
    found = gradaudit.fisher_information(
        gradaudit.checked_jacfwd(lambda ys: ys[:, 0], field, y0=y0, ts=TIMES, rtol=rtol)(p),
        noise=NOISE,
    )
    F = exact(solution, p)
    assert found.status == "ok"
    assert found.parameters == ("p['rate']", "p['size']")
    assert np.all(np.abs(found.matrix - F) <= found.matrix_error)
    true = np.sqrt(np.diag(np.linalg.inv(F)))
    low, high = found.standard_error_bars.T
    assert np.all((low <= true) & (true <= high))
    values = np.linalg.eigvalsh(F)[::-1]
    low, high = found.eigenvalue_bars.T
    assert np.all((low <= values) & (values <= high))
    low, high = found.condition_bar
    assert low <= values[0] / values[1] <= high
    # errors of the tolerance's size, times the safety factor and the condition of the rows
    assert found.resolution < 1e3 * rtol


@pytest.fixture(scope="module")
def result():
    """The checked Jacobian of the decay."""
    field, y0, _, p = CASES["decay"]
    return gradaudit.checked_jacfwd(lambda ys: ys[:, 0], field, y0=y0, ts=TIMES)(p)


def test_relative_standard_errors_and_a_known_parameter(result):
    _, _, solution, p = CASES["decay"]
    F = exact(solution, p)
    plain = gradaudit.fisher_information(result, noise=NOISE)
    relative = gradaudit.fisher_information(result, noise=NOISE, scale=p)
    np.testing.assert_allclose(
        relative.standard_errors, plain.standard_errors / [p["rate"], p["size"]], rtol=1e-12
    )
    alone = gradaudit.fisher_information(result, noise=NOISE, fixed=["p['size']"])
    np.testing.assert_allclose(alone.standard_errors, [1 / np.sqrt(F[0, 0])], rtol=1e-5)


@pytest.mark.slow
def test_two_rates_of_which_only_the_sum_matters_are_not_resolved():
    def field(t, y, p):
        return -(p[0] + p[1]) * y

    result = gradaudit.checked_jacfwd(lambda ys: ys[:, 0], field, y0=jnp.array([1.0]), ts=TIMES)(
        jnp.array([0.3, 0.4])
    )
    found = gradaudit.fisher_information(result, noise=0.1)
    assert found.status.startswith("not resolved")
    assert "p[0]" in found.status
    assert np.isnan(found.standard_errors).all()
    assert np.isinf(found.standard_error_bars[:, 1]).all()


@pytest.mark.slow
def test_a_jump_leaves_nothing_resolved():
    def field(t, y, p):
        return jnp.where(y > 1.0, -1.0, -2.0) * p * y

    result = gradaudit.checked_jacfwd(
        lambda ys: ys[:, 0], field, y0=jnp.array([2.0]), ts=TIMES[1:3]
    )(jnp.array([1.0]))
    found = gradaudit.fisher_information(result, noise=0.1)
    assert found.status.startswith("not resolved: the checked Jacobian has the warning switched")
    assert np.isnan(found.standard_errors).all()


def test_arrays_take_their_errors():
    rows = np.array([[1.0, 0.0], [0.0, 2.0]])
    found = gradaudit.fisher_information(rows, noise=1.0, error=0.0)
    np.testing.assert_allclose(found.standard_errors, [1.0, 0.5], rtol=1e-14)
    assert found.source == "given"
    with pytest.raises(SettingError, match=r"takes `noise` and `error`"):
        gradaudit.fisher_information(rows, noise=1.0)
    with pytest.raises(SettingError, match=r"positive and finite"):
        gradaudit.fisher_information(rows, noise=0.0, error=0.0)
    with pytest.raises(SettingError, match=r"rtol is not a setting"):
        gradaudit.fisher_information(rows, noise=1.0, error=0.0, rtol=1e-3)
    with pytest.raises(SettingError, match=r"none of p\[0\], p\[1\]"):
        gradaudit.fisher_information(rows, noise=1.0, error=0.0, fixed=["q"])
    with pytest.raises(SettingError, match="leave at least one out"):
        gradaudit.fisher_information(rows, noise=1.0, error=0.0, fixed=["p[0]", "p[1]"])
    with pytest.raises(SettingError, match=r"read the problem by gradaudit\.load_problem"):
        gradaudit.fisher_information("problem.yaml")


@pytest.mark.parametrize("name", ["switched", "saturated", "one_sided", "uncontrolled"])
def test_a_warning_that_the_error_cannot_tell_of_leaves_nothing_resolved(result, name):
    warned = result._replace(warnings=result.warnings._replace(**{name: np.True_}))
    found = gradaudit.fisher_information(warned, noise=NOISE)
    assert found.status.startswith(f"not resolved: the checked Jacobian has the warning {name}")
    assert np.isnan(found.standard_errors).all()
    assert np.isinf(found.standard_error_bars[:, 1]).all()


def test_an_error_of_the_whole_alone_is_refused(result):
    spread = jax.tree.map(lambda j: result.raw_relative_error * abs(j), result.jacobian)
    with pytest.raises(SettingError, match="propagate=True"):
        gradaudit.fisher_information(result._replace(error=spread), noise=NOISE)


@pytest.mark.slow
def test_what_has_no_error_of_each_entry_is_refused():
    field, y0, _, p = CASES["decay"]
    for how in (False, "probe"):
        result = gradaudit.checked_jacfwd(
            lambda ys: ys[:, 0], field, y0=y0, ts=TIMES, propagate=how
        )(p)
        with pytest.raises(SettingError, match="propagate=True"):
            gradaudit.fisher_information(result, noise=NOISE)


@pytest.mark.slow
def test_a_batch_and_tracers_are_refused():
    field, y0, _, _ = CASES["decay"]
    checked = gradaudit.checked_jacfwd(lambda ys: ys[:, 0], field, y0=y0, ts=TIMES)
    many = jax.vmap(checked)({"rate": jnp.array([0.5, 0.6]), "size": jnp.array([1.0, 2.0])})
    with pytest.raises(SettingError, match="for each of its members"):
        gradaudit.fisher_information(many, noise=NOISE)
    with pytest.raises(SettingError, match="call it outside"):
        jax.jit(
            lambda rate: (
                gradaudit.fisher_information(
                    checked({"rate": rate, "size": 1.0}), noise=NOISE
                ).resolution
            )
        )(1.0)

"""The external solvers on a decay with a closed form, called directly."""

import jax.numpy as jnp
import numpy as np
import pytest

pytest.importorskip("casadi")
pytest.importorskip("pydiffsol")

from gradaudit import Model
from gradaudit.errors import SettingError
from gradaudit.sensitivity.external.cvodes import _blocks, _inputs, cvodes
from gradaudit.sensitivity.external.diffsol import diffsol
from gradaudit.sensitivity.request import Request
from gradaudit.solvers.options import SolveOptions

DECAY = Model(
    name="decay",
    vector_field=lambda t, y, p: -p[0] * y,
    initial_state=lambda p: p[1:],
    states={"y": (3.0, "1")},
    parameters={"k": (2.0, "1/s"), "y0": (3.0, "1")},
    t_end=1.0,
)
TIMES = np.array([0.0, 0.5, 1.0])


def request(model=DECAY, times=TIMES, **options):
    return Request(model=model, times=times, options=SolveOptions(rtol=1e-8, atol=1e-11, **options))


@pytest.mark.parametrize("controlled", [True, False])
@pytest.mark.parametrize("solve", [cvodes, diffsol])
def test_a_decay_and_its_integral_have_their_closed_form(solve, controlled):
    """A multistep method accumulates some tens of its tolerance."""
    found = solve(request(), controlled=controlled)
    y = 3.0 * np.exp(-2.0 * TIMES)
    assert found.status == "ok"
    np.testing.assert_allclose(found.states[:, 0], y, atol=1e-6)
    np.testing.assert_allclose(
        found.sensitivities[:, 0], np.stack([-TIMES * y, y / 3.0], 1), atol=1e-6
    )
    np.testing.assert_allclose(found.integrals[:, 0], 1.5 - y / 2.0, atol=1e-6)
    assert found.stats["seconds"] > 0.0


@pytest.mark.parametrize("solve", [cvodes, diffsol])
def test_a_model_without_translation_is_a_status(solve):
    strange = Model(
        name="strange",
        vector_field=lambda t, y, p: -p * jnp.linalg.eigvalsh(jnp.outer(y, y))[-1:],
        states={"y": (1.0, "1")},
        parameters={"k": (1.0, "1/s")},
        t_end=1.0,
    )
    found = solve(request(strange), controlled=True)
    assert found.status == "not_translatable"
    assert np.isnan(found.states).all()


def test_too_many_steps_of_cvodes_are_a_status():
    found = cvodes(request(max_steps=3), controlled=True)
    assert found.status == "max_steps"
    assert np.isnan(found.sensitivities).all()


@pytest.mark.parametrize("times", [[0.5, 0.5 + 1e-10], [1e-10, 0.5]])
def test_times_that_cvodes_cannot_tell_apart_are_refused(times):
    with pytest.raises(SettingError) as error:
        cvodes(request(times=np.array(times)), controlled=True)
    assert str(error.value) == (
        "method 'cvodes' takes times less than 1e-09 apart for one and the same; change the "
        "observation times or the unit of time of model 'decay'."
    )


def test_inputs_have_scaled_tangents_beside_them_with_their_weight():
    start, parameters = _inputs(DECAY, 0.5)
    np.testing.assert_array_equal(start, [[3.0, 0.0, 1.5]])
    np.testing.assert_array_equal(parameters, [[2.0, 1.0, 0.0], [3.0, 0.0, 1.5]])


def test_blocks_are_taken_apart_by_time():
    """Of two components at three times with one tangent: state, tangent, state, tangent, ..."""
    found = _blocks(np.arange(12.0).reshape(2, 6), 1)
    assert found.shape == (3, 2, 2)
    np.testing.assert_array_equal(found[1], [[2.0, 3.0], [8.0, 9.0]])

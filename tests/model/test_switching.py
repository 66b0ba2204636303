"""Which vector fields switch branches; integrands count as well."""

import jax.numpy as jnp
import numpy as np

from eventful import switch_in_time
from gradaudit import Model
from gradaudit.model.switching import branching, switches


def model_of(field, **more):
    return Model(
        name="case",
        vector_field=field,
        states={"y": (1.0, "1")},
        parameters={"p": (2.0, "1")},
        t_end=1.0,
        **more,
    )


def test_a_smooth_field_has_no_branches():
    smooth = model_of(lambda t, y, p: -p * jnp.tanh(y))
    assert branching(smooth) is None
    assert not switches(smooth)


def test_a_field_that_switches_can_be_read_on_either_branch():
    field = branching(model_of(lambda t, y, p: jnp.where(t < p, y, 0.0)))
    assert field is not None
    z, p = jnp.array([3.0, 0.0]), jnp.array([2.0])
    before, after = field.decisions(1.0, z, p), field.decisions(2.5, z, p)
    np.testing.assert_array_equal(field(2.5, z, p, before)[:1], [3.0])
    np.testing.assert_array_equal(field(1.0, z, p, after)[:1], [0.0])


def test_an_integrand_that_switches_is_a_switch():
    integrand = {"above": lambda t, y, p: jnp.maximum(y[0] - 0.5, 0.0)}
    assert switches(model_of(lambda t, y, p: -p * y, integrands=integrand))


def test_a_model_with_an_event_in_time_switches():
    assert switches(switch_in_time())

"""A member of a batch has the value, Jacobian and estimate that it has alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gradaudit import checked_jacfwd

MEMBERS = 64
LOST = 17  # whose solution ends before the window does


def _run():
    """y' = p0 y^2 - p1 y from 1: blows up in the window where p0 is large."""
    return checked_jacfwd(
        lambda ys: ys[-1, 0],
        lambda t, y, p: p["a"] * y**2 - p["b"] * y,
        y0=jnp.ones(1),
        ts=[0.5, 1.0],
        solver="tsit5",
        rtol=1e-6,
        max_steps=500,
    )


def _batch():
    rng = np.random.default_rng(0)
    a = rng.uniform(0.1, 0.5, MEMBERS)
    a[LOST] = 3.0
    return {"a": jnp.asarray(a), "b": jnp.asarray(rng.uniform(0.5, 1.5, MEMBERS))}


@pytest.mark.slow
@pytest.mark.parametrize("way", ["vmap", "jit of vmap", "scan", "vmap of checkpoint"])
def test_each_member_of_a_batch_is_what_it_is_alone(way):
    """To rounding, amplified by some ten steps; one member fails, and only that one."""
    run, batch = _run(), _batch()
    single = jax.jit(run)
    alone = [single({"a": batch["a"][i], "b": batch["b"][i]}) for i in range(MEMBERS)]
    together = {
        "vmap": lambda: jax.vmap(run)(batch),
        "jit of vmap": lambda: jax.jit(jax.vmap(run))(batch),
        "scan": lambda: jax.lax.scan(lambda carry, p: (carry, run(p)), 0, batch)[1],
        "vmap of checkpoint": lambda: jax.vmap(jax.checkpoint(run))(batch),
    }[way]()
    for i, one in enumerate(alone):
        lost = bool(together.warnings.max_steps[i]), bool(one.warnings.max_steps)
        assert lost == (i == LOST, i == LOST)
        if i == LOST:
            continue
        np.testing.assert_allclose(together.value[i], one.value, rtol=1e-12)
        for name in ("a", "b"):
            np.testing.assert_allclose(
                together.jacobian[name][i], one.jacobian[name], rtol=1e-10, atol=1e-13
            )
            np.testing.assert_allclose(
                together.error[name][i], one.error[name], rtol=1e-4, atol=1e-13
            )

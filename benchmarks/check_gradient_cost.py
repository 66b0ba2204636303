"""What does a check of a gradient cost, beside the gradient itself by reverse mode?

A neural ODE with 10,000 parameters: an MLP as vector field, from ten initial states, fitted to
spirals. All times are of warm programs in one process, medians of repeated runs that alternate.

    NPROC=1 python benchmarks/check_gradient_cost.py [--width 96] [--rtol 1e-6]
"""

from __future__ import annotations

import argparse
import statistics
import time

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

import gradaudit

REPEATS = 5
STATES, DATA = 4, 64


def weights(width: int, seed: int = 0) -> dict[str, jax.Array]:
    """Of an MLP with two hidden layers; 10,084 numbers for a width of 96."""
    rng = np.random.default_rng(seed)
    layers = [(STATES, width), (width, width), (width, STATES)]
    named = {}
    for k, (here, there) in enumerate(layers):
        named[f"W{k}"] = jnp.asarray(rng.standard_normal((there, here)) / np.sqrt(here))
        named[f"b{k}"] = jnp.asarray(0.1 * rng.standard_normal(there))
    return named


def loss_of(rtol: float, batched: bool):
    """The mean squared distance to the data."""
    times = jnp.linspace(0.0, 3.0, 20)
    angles = jnp.linspace(0.0, 3.0, DATA)
    starts = jnp.stack([jnp.cos(k * angles) for k in range(STATES)], axis=1)
    data = jnp.exp(-0.2 * times)[None, :, None] * starts[:, None, :]

    def field(t, y, p):
        hidden = jnp.tanh(p["W0"] @ y + p["b0"])
        hidden = jnp.tanh(p["W1"] @ hidden + p["b1"])
        return p["W2"] @ hidden + p["b2"]

    def fields(t, y, p):
        return jax.vmap(field, in_axes=(None, 0, None))(t, y, p)

    def loss(p):
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(fields if batched else field),
            diffrax.Tsit5(),
            0.0,
            3.0,
            None,
            starts if batched else starts[0],
            p,
            saveat=diffrax.SaveAt(ts=times),
            stepsize_controller=diffrax.PIDController(rtol=rtol, atol=1e-3 * rtol),
        )
        found = jnp.moveaxis(solution.ys, 0, 1) if batched else solution.ys[None]
        return jnp.mean((found - data[: len(found)]) ** 2)

    return jax.jit(loss)


def main() -> None:
    """Print times and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=96)
    parser.add_argument("--rtol", type=float, nargs="*", default=[1e-3, 1e-4, 1e-6, 1e-8])
    options = parser.parse_args()
    p = weights(options.width)
    count = sum(leaf.size for leaf in p.values())
    print(f"{count} parameters; ms of reverse mode, ms of the check, ratio, outcome")
    for batched in (False, True):
        for rtol in options.rtol:
            loss = loss_of(rtol, batched)
            gradient = jax.jit(jax.grad(loss))
            given = jax.block_until_ready(gradient(p))
            check = gradaudit.check_gradient(loss, p, given)
            times: tuple[list[float], list[float]] = ([], [])
            for _ in range(REPEATS):
                begin = time.perf_counter()
                jax.block_until_ready(gradient(p))
                middle = time.perf_counter()
                gradaudit.check_gradient(loss, p, given)
                times[0].append(middle - begin)
                times[1].append(time.perf_counter() - middle)
            grad, judged = (1e3 * statistics.median(each) for each in times)
            kind = f"{DATA if batched else 1} states" if batched else "1 state"
            print(
                f"{kind}, rtol {rtol:.0e}: {grad:8.1f} {judged:8.1f} {judged / grad:6.2f}  "
                f"{check.outcome}, disagreement {check.disagreement:.1e} +- {check.error_bar:.1e}",
                flush=True,
            )


if __name__ == "__main__":
    main()

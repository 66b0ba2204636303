"""How many wrong gradients does each checker of gradients pass, and how many right ones reject?

Gradients of a state at the end of the window, by forward AD through diffrax at two tolerances, the
certified one, and that one with its largest entry wrong by a tenth; and of the time at which a ball
hits the ground. Right is what has a relative error of at most 1e-2, by certified references and
closed forms. The checkers:

- gradaudit.check_gradient
- those of `gradaudit.checked.other_checkers`, of the function as it is (rtol 1e-6)

    NPROC=1 python benchmarks/gradient_checkers.py [model ...]
"""

from __future__ import annotations

import sys
import time
import warnings
from collections import Counter

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import optimistix as optx

import gradaudit
from gradaudit.checked.other_checkers import CHECKERS as OTHERS

MODELS = (
    "logistic", "harmonic_oscillator", "lotka_volterra", "brusselator", "fitzhugh_nagumo_canard",
    "lotka_volterra_equilibrium", "exploding_tangent", "switch_in_time", "switch_in_state",
    "hodgkin_huxley", "lorenz", "liu_neuron",
)  # fmt: skip
ACCURACY, CLOSE = 1e-2, 0.2  # of it: too close to the limit to be counted


def terminal(model, rtol, **options):
    """A function of p: the first observable at the end."""
    index = model.observable_indices[0]
    start = jnp.asarray(model.declared_state)

    def value(p):
        y0 = start if model.initial_state is None else jnp.asarray(model.initial_state(p))
        return diffrax.diffeqsolve(
            diffrax.ODETerm(model.vector_field),
            diffrax.Tsit5(),
            0.0,
            model.t_end,
            None,
            y0,
            p,
            stepsize_controller=diffrax.PIDController(rtol=rtol, atol=1e-3 * rtol),
            max_steps=200_000,
            throw=False,
            **options,
        ).ys[-1, index]

    return value


def falling_time(p):
    """When a ball that falls from p[1] hits the ground."""
    event = diffrax.Event(lambda t, y, args, **_: y[0], optx.Newton(1e-8, 1e-8))
    return diffrax.diffeqsolve(
        diffrax.ODETerm(lambda t, y, p: jnp.stack([y[1], -p[0]])),
        diffrax.Tsit5(),
        0.0,
        10.0,
        None,
        jnp.stack([p[1], 0.0 * p[1]]),
        p,
        event=event,
        stepsize_controller=diffrax.PIDController(rtol=1e-6, atol=1e-9),
    ).ts[-1]


def cases(names):
    """Name, function, point, true gradient, gradients by name."""
    for name in names:
        model = gradaudit.load_model(name)
        p = jnp.asarray(model.nominal)
        exact = gradaudit.reference(model, [model.t_end], digits=6.0, time_limit=120.0)
        truth = exact.sensitivities[-1, model.observable_indices[0]]
        given = {}
        for rtol in (1e-3, 1e-6):
            function = terminal(model, rtol, adjoint=diffrax.ForwardMode())
            given[f"AD {rtol:.0e}"] = np.asarray(jax.jit(jax.jacfwd(function))(p))
        yield name, terminal(model, 1e-6), p, truth, given
    if names == MODELS:
        p = jnp.array([9.81, 2.0])
        t = np.sqrt(2.0 * 2.0 / 9.81)
        yield "falling ball", falling_time, p, np.array([-t / 9.81, t / 2.0]) / 2.0, {}


def by_gradaudit(function, p, gradient):
    """What ours says."""
    return gradaudit.check_gradient(function, p, gradient).outcome


def other(check):
    """A checker of functions of numbers, of one that is traced."""

    def checked(function, p, gradient):
        compiled = jax.jit(function)
        return check(lambda p: float(compiled(p)), np.asarray(p, float), np.asarray(gradient))

    return checked


CHECKERS = {"gradaudit": by_gradaudit} | {name: other(check) for name, check in OTHERS.items()}


def main() -> None:
    """Print a row per gradient and the counts."""
    warnings.simplefilter("ignore")
    names = tuple(sys.argv[1:]) or MODELS
    counts = {checker: Counter() for checker in CHECKERS}
    print(f"{'function':28}{'gradient':12}{'error':>9}  " + "".join(f"{c:>14}" for c in CHECKERS))
    for name, function, p, truth, given in cases(names):
        sizes = np.where(p == 0, 1.0, np.abs(p))
        spoilt = truth.copy()
        spoilt[np.argmax(np.abs(truth * sizes))] *= 1.1
        begin = time.perf_counter()
        for label, gradient in {**given, "certified": truth, "spoilt": spoilt}.items():
            error = np.linalg.norm((gradient - truth) * sizes) / np.linalg.norm(truth * sizes)
            outcomes = [check(function, p, gradient) for check in CHECKERS.values()]
            print(f"{name:28}{label:12}{error:9.1e}  " + "".join(f"{o:>14}" for o in outcomes))
            if abs(error / ACCURACY - 1.0) > CLOSE or not np.isfinite(error):
                kind = "right" if error <= ACCURACY else "wrong"
                for checker, outcome in zip(CHECKERS, outcomes, strict=True):
                    counts[checker][kind, outcome] += 1
        print(f"{'':28}{time.perf_counter() - begin:.0f} s", flush=True)
    print(f"\n{'':14}{'wrong passed':>14}{'wrong open':>12}{'right failed':>14}{'right open':>12}")
    for checker, found in counts.items():
        wrong = sum(n for (kind, _), n in found.items() if kind == "wrong")
        right = sum(n for (kind, _), n in found.items() if kind == "right")
        print(
            f"{checker:14}{found['wrong', 'passed']:>7} of {wrong:<3}"
            f"{found['wrong', 'inconclusive']:>11}{found['right', 'failed']:>8} of {right:<3}"
            f"{found['right', 'inconclusive']:>11}"
        )


if __name__ == "__main__":
    main()

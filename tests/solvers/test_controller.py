"""Arguments of diffrax's controllers are gathered in their order, and nothing is lost."""

import inspect

import diffrax
import jax.numpy as jnp

import gradaudit.backend.jax_setup  # noqa: F401  # float64
from gradaudit.solvers.controller import Attempt, Controller, Start

SEEN = []


class Recorder(Controller):
    """Keeps every step."""

    length: float

    def begin(self, start):
        SEEN.append(start)
        return start.t0 + self.length, jnp.asarray(0)

    def decide(self, attempt):
        SEEN.append(attempt)
        state, ends = attempt.controller_state + 1, attempt.t1 + self.length
        return jnp.asarray(True), attempt.t1, ends, False, state, diffrax.RESULTS.successful


def parameters(method):
    return tuple(inspect.signature(method).parameters)[1:]


def test_the_fields_are_the_arguments_of_diffrax_in_its_order():
    interface = diffrax.AbstractStepSizeController
    assert Start._fields == parameters(interface.init)
    assert Attempt._fields == parameters(interface.adapt_step_size)


def test_what_diffrax_hands_over_arrives():
    SEEN.clear()
    recorder, t0, t1 = Recorder(0.5), jnp.asarray(0.0), jnp.asarray(2.0)
    end, state = recorder.init("terms", t0, t1, "y0", 0.1, "args", "func", 4)
    assert [Start("terms", t0, t1, "y0", 0.1, "args", "func", 4)] == SEEN
    keep, start, following, jump, state, _ = recorder.adapt_step_size(
        t0, end, "y0", "y1", "args", "error", 4, state
    )
    assert SEEN[1][2:7] == ("y0", "y1", "args", "error", 4)
    assert (bool(keep), float(start), float(following), jump) == (True, 0.5, 1.0, False)
    assert int(state) == 1


def test_a_solve_takes_the_steps_of_the_controller():
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(lambda t, y, p: -y), diffrax.Euler(), 0.0, 2.0, None, jnp.ones(1),
        stepsize_controller=Recorder(0.5), max_steps=8,
    )  # fmt: skip
    assert int(solution.stats["num_accepted_steps"]) == 4
    assert float(solution.ys[0, 0]) == 0.5**4


def test_there_are_no_tolerances_and_no_norm_of_its_own():
    recorder = Recorder(0.5)
    assert (recorder.rtol, recorder.atol, recorder.norm) == (0.0, 1.0, abs)
    assert recorder.wrap(1) is recorder

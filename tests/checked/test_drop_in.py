"""diffrax's diffeqsolve with controlled tangents: right where plain forward AD is not."""

from __future__ import annotations

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit.checked.nondifferentiable import DerivativeError
from gradaudit.errors import SettingError

CONTROLLER = diffrax.PIDController(rtol=1e-6, atol=1e-9)
TIMES = jnp.linspace(0.0, 5.0, 6)
P = {"rate": jnp.asarray(1.0), "capacity": jnp.asarray(10.0)}


@pytest.fixture(scope="module", autouse=True)
def _compiled_fast():
    """Programs here are compiled to run once."""
    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)


def _logistic(t, y, p):
    return {"size": p["rate"] * y["size"] * (1.0 - y["size"] / p["capacity"])}


def _solution(p, start=0.5, diffeqsolve=gradaudit.diffeqsolve, **options):
    return diffeqsolve(
        diffrax.ODETerm(_logistic),
        diffrax.Bosh3(),
        0.0,
        5.0,
        None,
        {"size": jnp.asarray(start)},
        p,
        saveat=diffrax.SaveAt(ts=TIMES),
        stepsize_controller=CONTROLLER,
        **options,
    )


def _exact(p, start=0.5):
    return p["capacity"] / (1.0 + (p["capacity"] / start - 1.0) * jnp.exp(-p["rate"] * TIMES))


def _scalar(field, start, end, solver=None, t0=0.0, **options):
    """y(end) of one equation as a function of p."""

    def terminal(p):
        return gradaudit.diffeqsolve(
            diffrax.ODETerm(field),
            solver or diffrax.Bosh3(),
            t0,
            end,
            None,
            jnp.asarray([start]),
            p,
            **{"stepsize_controller": CONTROLLER, **options},
        ).ys[-1, 0]

    return terminal


def _relax(t, y, p):
    return 10.0 * (p - y)


def test_the_solution_is_that_of_diffrax():
    ours = _solution(P)
    theirs = _solution(P, diffeqsolve=diffrax.diffeqsolve, adjoint=diffrax.ForwardMode())
    assert isinstance(ours, diffrax.Solution)
    # The same steps; arguments that the compiler knows are folded otherwise.
    np.testing.assert_allclose(ours.ys["size"], theirs.ys["size"], rtol=1e-14)
    np.testing.assert_array_equal(ours.ts, theirs.ts)
    assert ours.stats == theirs.stats
    assert bool(ours.result == diffrax.RESULTS.successful)


@pytest.mark.slow
def test_jacfwd_by_arguments_and_initial_state():
    """1e-5 is ten times rtol: errors of a handful of steps."""
    both = jax.jit(jax.jacfwd(lambda p, s: _solution(p, s).ys["size"], argnums=(0, 1)))(P, 0.5)
    exact = jax.jacfwd(_exact, argnums=(0, 1))(P, 0.5)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-9), both, exact)


@pytest.mark.slow
@pytest.mark.parametrize("solver", [diffrax.Tsit5(), diffrax.Kvaerno3()])
def test_tangents_that_explode_in_plain_forward_ad(solver):
    """y' = -10 (y - p) from y0 = p = 1: 1 - e^-100; explicit steps grow without bound else."""
    assert abs(float(jax.jit(jax.jacfwd(_scalar(_relax, 1.0, 10.0, solver)))(1.0)) - 1.0) < 1e-5


@pytest.mark.slow
def test_tangents_at_an_equilibrium():
    """(1 - e^-2)/2, which plain forward AD has wrong by 1e-2 at every tolerance."""
    terminal = _scalar(lambda t, y, p: p - 2.0 * y, 0.5, 1.0)
    assert abs(float(jax.jit(jax.jacfwd(terminal))(1.0)) - (1.0 - np.exp(-2.0)) / 2.0) < 1e-5


def _carried(jaxpr):
    """Shapes of what the loops of a jaxpr carry, and those within it."""
    for eqn in jaxpr.eqns:
        if eqn.primitive.name in ("while", "scan"):
            yield from (variable.aval.shape for variable in eqn.outvars)
        for value in eqn.params.values():
            for inner in value if isinstance(value, tuple | list) else [value]:
                if hasattr(inner, "eqns") or hasattr(inner, "jaxpr"):
                    yield from _carried(getattr(inner, "jaxpr", inner))


@pytest.mark.slow
def test_columns_of_jacfwd_are_one_solve():
    """As lanes of two directions they would be carried as (2, 1, 1); a batch in them is none."""

    def sizes(p, start=0.5):
        return _solution(p, start).ys["size"]

    starts = jnp.asarray([0.5, 0.6, 0.7])
    single = set(_carried(jax.make_jaxpr(jax.jacfwd(sizes))(P).jaxpr))
    each = jax.jacfwd(lambda p: jax.vmap(lambda s: sizes(p, s))(starts))
    within = set(_carried(jax.make_jaxpr(each)(P).jaxpr))
    assert (1, 2) in single
    assert (3, 1, 2) in within
    assert not {(2, 1, 1), (2, 3, 1, 1), (3, 2, 1, 1)} & (single | within)


@pytest.mark.slow
def test_batches_within_and_around():
    """Within 1e-5 of the closed form, as the single solve."""
    starts = jnp.asarray([0.5, 0.6])

    def ours(p):
        return jax.vmap(lambda s: _solution(p, s).ys["size"][-1])(starts)

    def exact(p):
        return jax.vmap(lambda s: _exact(p, s)[-1])(starts)

    batch = jax.tree.map(lambda x: jnp.stack([x, 1.1 * x, 1.2 * x]), P)
    got, want = (jax.jit(jax.vmap(jax.jacfwd(f)))(batch) for f in (ours, exact))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), got, want)


@pytest.mark.slow
def test_the_length_of_a_direction_does_not_matter():
    terminal = jax.jit(lambda v: jax.jvp(_scalar(_relax, 1.0, 1.0), (jnp.asarray(1.0),), (v,))[1])
    for length in (1e-30, 1e-3, 7e9):
        # The order of operations; and a direction of any length has the same steps.
        assert abs(float(terminal(length)) / length - float(terminal(1.0))) < 1e-12
    assert float(terminal(0.0)) == 0.0


@pytest.mark.slow
def test_what_the_vector_field_closes_over_is_differentiated():
    def terminal(p):
        return _scalar(lambda t, y, args: args * 10.0 * (p - y), 1.0, 10.0)(1.0)

    assert abs(float(jax.jit(jax.jacfwd(terminal))(1.0)) - 1.0) < 1e-5


@pytest.mark.slow
def test_inside_of_a_scan_and_backwards_in_time():
    """y = e^{p t} from t = 5 to 0, where dy/dp = -5 e^{-5 p}; 1e-5 of it."""
    terminal = _scalar(lambda t, y, p: p * y, 1.0, 0.0, t0=5.0)
    rates = jnp.asarray([0.9, 1.0])
    _, slopes = jax.lax.scan(lambda c, p: (c, jax.jacfwd(terminal)(p)), 0, rates)
    np.testing.assert_allclose(slopes, -5.0 * np.exp(-5.0 * rates), rtol=1e-5)


@pytest.mark.slow
def test_a_jump_that_the_grid_hits():
    """y = p min(t, 1): the tangents, too, are of steps that end there."""
    clipped = diffrax.ClipStepSizeController(CONTROLLER, jump_ts=jnp.asarray([1.0]))
    terminal = _scalar(
        lambda t, y, p: jnp.where(t < 1.0, p, 0.0) * jnp.ones_like(y),
        0.0,
        2.0,
        stepsize_controller=clipped,
        saveat=diffrax.SaveAt(t0=True, t1=True),
    )
    assert abs(float(jax.jit(jax.jacfwd(terminal))(3.0)) - 1.0) < 1e-9


def test_values_may_be_in_single_precision_and_derivatives_may_not():
    end = _scalar(_relax, jnp.float32(1.0), jnp.float32(1.0), t0=jnp.float32(0.0))
    assert end(jnp.float32(1.0)).dtype == jnp.float32
    with pytest.raises(SettingError, match=r"y0 is float32, and .* double precision only"):
        jax.jvp(end, (jnp.float32(1.0),), (jnp.float32(1.0),))
    with pytest.raises(SettingError, match=r"y0 is float32, and .* Give y0 in float64"):
        end(jnp.float64(1.0))


@pytest.mark.slow
def test_a_solve_of_the_tangents_that_fails():
    few = {"max_steps": 20}  # enough for a state that stands still
    assert float(_scalar(_relax, 1.0, 10.0, **few)(1.0)) == 1.0
    assert np.isnan(jax.jit(jax.jacfwd(_scalar(_relax, 1.0, 10.0, throw=False, **few)))(1.0))
    with pytest.raises(Exception, match="Raise max_steps"):
        jax.jacfwd(_scalar(_relax, 1.0, 10.0, **few))(1.0)


def test_derivatives_that_are_refused():
    def last(p):
        return _solution(p).ys["size"][-1]

    with pytest.raises(RuntimeError, match="forward mode only"):
        jax.grad(last)(P)
    with pytest.raises(DerivativeError, match="differentiated once"):
        jax.jacfwd(jax.jacfwd(last))(P)
    with pytest.raises(DerivativeError, match="rescale time"):
        jax.jacfwd(lambda t1: _scalar(_relax, 0.0, t1)(1.0))(1.0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"adjoint": diffrax.RecursiveCheckpointAdjoint()}, "forward mode only"),
        ({"event": diffrax.Event(lambda t, y, args, **_: y[0] < 0.0)}, "event is not supported"),
        ({"progress_meter": diffrax.TextProgressMeter()}, "progress_meter is not supported"),
        ({"stepsize_controller": diffrax.ConstantStepSize()}, "PIDController"),
        (
            {"stepsize_controller": diffrax.PIDController(rtol=1e-6, atol=1e-9, norm=jnp.max)},
            "norm of your own",
        ),
        ({"saveat": diffrax.SaveAt(t1=True, dense=True)}, "dense"),
        ({"saveat": diffrax.SaveAt(dense=True)}, "dense"),
        ({"saveat": diffrax.SaveAt(ts=[0.5, 0.2])}, "0.2 comes after 0.5. Sort the times"),
        ({"saveat": diffrax.SaveAt(steps=True)}, "steps"),
        ({"saveat": diffrax.SaveAt(t1=True, fn=lambda t, y, args: y)}, "fn"),
        ({"saveat": diffrax.SaveAt(subs=[diffrax.SubSaveAt(t1=True)])}, "subs"),
    ],
)
def test_options_that_are_not_supported(options, words):
    with pytest.raises(SettingError, match=words):
        _scalar(_relax, 1.0, 1.0, **options)(1.0)


def test_terms_solvers_and_states_that_are_not_supported():
    for terms, solver, start, words in (
        ((diffrax.ODETerm(_relax),), diffrax.Tsit5(), 1.0, "one diffrax.ODETerm"),
        (diffrax.ODETerm(_relax), diffrax.Euler(), 1.0, "cannot be lifted"),
        (diffrax.ODETerm(_relax), diffrax.Tsit5(), 1 + 1j, "real floating-point"),
        (diffrax.ODETerm(_relax), diffrax.Tsit5(), 1, "real floating-point"),
    ):
        with pytest.raises(SettingError, match=words):
            gradaudit.diffeqsolve(terms, solver, 0.0, 1.0, None, jnp.asarray(start), 1.0)

"""The states and integrals alone, in the steps that the lifted solver makes for forward AD.

What is differentiated in reverse mode, or perturbed by a complex step, is this solve: the same
method, the same error norm, the same steps and the same way to observe, without tangents.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp

from gradaudit.backend.shapes import ComplexParameters, ComplexStates, Scalar, Times
from gradaudit.model.definition import Model
from gradaudit.model.quadratures import initial_state, integrands, with_integrals
from gradaudit.solvers import integration
from gradaudit.solvers.error_norm import state_norm
from gradaudit.solvers.first_step import initial_step
from gradaudit.solvers.options import StaticOptions, TracedOptions
from gradaudit.solvers.registry import get_solver
from gradaudit.solvers.solver import ScanKind
from gradaudit.solvers.step_control import NormController, scalar_controller
from gradaudit.solvers.stepped_output import SteppedOutput


class Pieces(NamedTuple):
    """What `diffrax.diffeqsolve` is called with; `observer` makes the steps to an observation."""

    term: diffrax.ODETerm
    solver: diffrax.AbstractSolver
    observer: diffrax.AbstractSolver
    controller: Any
    y0: ComplexStates
    dt0: Scalar | None


class _Scaled(eqx.Module):
    """Scaled error of the n states: a pytree, for reverse mode does not look into closures."""

    options: TracedOptions
    n: int = eqx.field(static=True)

    def __call__(self, error: ComplexStates, before: ComplexStates, after: ComplexStates) -> Scalar:
        parts = (jax.lax.stop_gradient(jnp.real(x)[: self.n]) for x in (error, before, after))
        return state_norm(self.options, *parts)


@dataclass(frozen=True)
class StateSolve:
    """The solve of one model, with what is compiled of its options.

    Its states are (n + k,), the k integrals last. It is there to be differentiated, and compiles
    nothing by itself.
    """

    model: Model
    options: StaticOptions

    @property
    def size(self) -> int:
        """Number of states and integrals."""
        return self.model.n + len(integrands(self.model))

    def pieces(
        self, times: Times, p: ComplexParameters, traced: TracedOptions, *, scan_kind: ScanKind
    ) -> Pieces:
        """The parts of a solve for parameters `p` (m,), real or complex.

        Steps are chosen by real parts alone, and no derivative goes through the choice.
        `scan_kind` says in which mode the stages are differentiable ("lax": forward,
        "checkpointed": reverse).
        """
        model, n = self.model, self.model.n
        method = get_solver(self.options.solver)
        solver, observer = method.build(
            **traced.of_root_finder,
            n=n,
            scan_kind=scan_kind,
            # The transpose of stages written out takes three times as long to compile, and no less
            # to run.
            fast=scan_kind != "checkpointed",
        )

        scalar = scalar_controller(
            self.options.stepping,
            order=method.order,
            t_end=model.t_end,
            options=traced,
            adaptive=method.adaptive,
        )
        controller: Any = NormController(scalar, _Scaled(traced, n))
        if self.options.observe == "clip":
            controller = diffrax.ClipStepSizeController(controller, step_ts=times)
        start = jnp.concatenate([initial_state(model, p), jnp.zeros(len(integrands(model)))])
        return Pieces(
            term=diffrax.ODETerm(with_integrals(model)),
            solver=solver,
            observer=observer,
            controller=controller,
            y0=start.astype(p.dtype),
            dt0=initial_step(model, self.options.stepping, jnp.real(p), traced, method.order),
        )

    def observed(
        self,
        pieces: Pieces,
        times: Times,
        p: ComplexParameters,
        adjoint: diffrax.AbstractAdjoint,
    ) -> diffrax.Solution:
        """The solution at `times` (T,), which diffrax differentiates as `adjoint` says."""
        solver: Any = pieces.solver
        if self.options.observe != "interpolant":
            solver = SteppedOutput(pieces.solver, pieces.observer, pieces.term)
        return integration.diffeqsolve(
            pieces.term,
            solver,
            t0=0.0,
            t1=self.model.t_end,
            dt0=pieces.dt0,
            y0=pieces.y0,
            args=p,
            saveat=diffrax.SaveAt(ts=times),
            stepsize_controller=pieces.controller,
            adjoint=adjoint,
            max_steps=self.options.max_steps,
            throw=False,
        )


def counts_of(solution: diffrax.Solution) -> list[Any]:
    """Steps, accepted and rejected ones, and the code of the result."""
    counts = [solution.stats[f"num_{kind}steps"] for kind in ("", "accepted_", "rejected_")]
    return [*counts, solution.result._value]

"""A lifted solver with all that goes around it: estimates, recorded events, observations."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import diffrax
import jax.numpy as jnp

from gradaudit.solvers.event_recorder import EventRecorder
from gradaudit.solvers.global_error import (
    Estimated,
    EstimatedOutput,
    EstimatedTerm,
    EstimatingSolver,
)
from gradaudit.solvers.stepped_output import SteppedOutput
from gradaudit.solvers.tangent_solver import StateAndTangents, TangentSolver, TangentTerm

Markers = tuple[Callable[..., Any], tuple[int, ...]]
"""``g(t, z, p) -> (E,)`` of events to record, and the direction of each."""


def nested(
    solver: diffrax.AbstractSolver,
    observer: diffrax.AbstractSolver,
    lifted: TangentTerm,
    *,
    estimate: bool,
    direction: Any = None,
    markers: Markers | None = None,
    dense: bool = False,
    stops: bool = False,
) -> tuple[diffrax.ODETerm, diffrax.AbstractSolver]:
    """The term and the solver that `diffrax.diffeqsolve` is called with.

    Parameters
    ----------
    solver, observer
        Make the steps of the grid, and those that end at an observation: tangent solvers, or, where
        nothing is estimated, any solver of the large system.
    lifted
        The term of both.
    estimate
        Carry estimates of the global errors along; the state is then an `Estimated`.
    direction
        (c,), along which alone those of the tangents are carried; None for all of them.
    markers
        Events to record in passing.
    dense
        Observe by the method's dense output, not by steps.
    stops
        The solve ends at an event, for which steps are made to many times.
    """
    term: diffrax.ODETerm = lifted
    grid: diffrax.AbstractSolver = solver
    interpolation = solver.interpolation_cls if dense else None
    if estimate:
        assert isinstance(solver, TangentSolver)
        steps = dataclasses.replace(solver, branches=None)
        grid, term = EstimatingSolver(steps, lifted, solver, direction), EstimatedTerm(lifted)
    if markers is not None:
        grid = EventRecorder(grid, term, *markers)
    if estimate:
        observing = EstimatingSolver(observer, lifted, solver, direction, apart=stops)
        return term, EstimatedOutput(grid, observer, lifted, term, observing, interpolation)
    return term, grid if dense else SteppedOutput(grid, observer, lifted)


def without_errors(start: StateAndTangents, *, along_one: bool) -> Estimated:
    """What a solve begins with whose estimates are 0 there: of all tangents, or along one."""
    columns = start.tangents[:, :1] if along_one else start.tangents
    return Estimated(*start, jnp.zeros_like(start.y), jnp.zeros_like(columns))

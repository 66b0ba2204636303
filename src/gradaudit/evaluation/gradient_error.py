"""The error of a gradient, and which part of it dominates.

Gradients are compared in scaled parameters, p_j dJ/dp_j, so that units do not decide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradaudit.evaluation.functional import EventFunctional, Functional
from gradaudit.evaluation.occurrences import EventTable, EventWeights, weighted
from gradaudit.model.probe_direction import signs

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Observations:
    """States and integrals z (C, T, N) with scaled sensitivities (T, N, m).

    A method that propagates its parameters in chunks has states of its own in each of the C
    chunks; `chunk_of` (m,) tells which chunk a parameter belongs to.
    """

    z: Array
    sensitivities: Array
    chunk_of: Array

    @classmethod
    def single(cls, z: Array, sensitivities: Array) -> Observations:
        """Observations of one solve: z (T, N)."""
        return cls(
            z=z[None],
            sensitivities=sensitivities,
            chunk_of=np.zeros(sensitivities.shape[-1], dtype=np.int64),
        )


@dataclass(frozen=True, kw_only=True)
class GradientError:
    """A gradient against its reference; vectors are (m,), norms Euclidean.

    Attributes
    ----------
    gradient, reference
        Computed and certified gradient in scaled parameters.
    state_part, tangent_part, observation_part
        Vectors that add up to ``gradient - reference``: what wrong states do through phi, what
        wrong sensitivities do, and what a wrong derivative of events does.
    natural_scale
        Norm of the sums of natural |phi| times |S|: the size of the terms of the gradient.
    computed_scale
        The same with the computed S, for which no reference is needed; NaN where it has no meaning.
    """

    gradient: Array
    reference: Array
    state_part: Array
    tangent_part: Array
    observation_part: Array
    natural_scale: float
    computed_scale: float = math.nan

    @property
    def difference(self) -> Array:
        """``gradient - reference``."""
        return self.gradient - self.reference

    @property
    def relative(self) -> float:
        """|g_h - g| / |g|; infinite where g is 0 and g_h is not."""
        return ratio(norm(self.difference), norm(self.reference))

    @property
    def normalised(self) -> float:
        """|g_h - g| over the natural scale."""
        return ratio(norm(self.difference), self.natural_scale)

    @property
    def cosine(self) -> float:
        """Of the angle between computed and certified gradient; NaN where one of them is 0."""
        norms = norm(self.gradient) * norm(self.reference)
        return float(self.gradient @ self.reference / norms) if norms > 0 else float("nan")

    @property
    def residual(self) -> float:
        """What the parts leave unexplained, over the largest vector involved: rounding."""
        parts = (self.state_part, self.tangent_part, self.observation_part)
        left = norm(self.difference - np.sum(parts, axis=0))
        sizes = (self.gradient, self.reference, *parts)
        return ratio(left, max(norm(vector) for vector in sizes))

    def is_zero(self, cancellation: float) -> bool:
        """Whether |g| is below `cancellation` times the natural scale.

        Then a relative error means nothing.
        """
        return norm(self.reference) <= cancellation * self.natural_scale


def gradient_error(
    functional: Functional, computed: Observations, certified: Observations
) -> GradientError:
    """The error of a gradient with its two parts, exactly.

    g_h - g = sum [phi(z_h) - phi(z)] S + sum phi(z_h) [S_h - S].
    """
    exact = certified.z[0] if functional.truth is None else functional.truth
    phi = functional.weights(exact)
    phi_h = _weights(functional, computed)
    s, s_h = certified.sensitivities, computed.sensitivities
    natural = np.einsum("tn,tnj->j", functional.natural_weights, np.abs(s))
    return GradientError(
        gradient=_contract(phi_h, s_h),
        reference=np.einsum("tn,tnj->j", phi, s),
        state_part=_contract(phi_h - phi[..., None], s),
        tangent_part=_contract(phi_h, s_h - s),
        observation_part=np.zeros(s.shape[-1]),
        natural_scale=norm(natural),
        computed_scale=norm(np.einsum("tn,tnj->j", functional.natural_weights, np.abs(s_h))),
    )


def event_error(
    functional: EventFunctional,
    computed: EventTable,
    certified: EventTable,
    *,
    solved: bool = True,
) -> GradientError:
    """The error of the gradient of a functional of events.

    It is NaN where the solve failed, or has not the occurrences that are needed.

    With u the times and values of the events, g_h - g = [phi(u_h) - phi(u)] u' (state part: the
    events are elsewhere) + phi(u_h) [u_h' - u'] (observation part: their derivative is wrong).
    Into that derivative go the tangents and the location of the event; what is stored of it does
    not tell the two apart, so that the tangent part is 0.
    """
    most = max(computed.times.shape[1], certified.times.shape[1])
    computed, certified = computed.padded(most), certified.padded(most)
    phi, phi_h = functional.weights(certified), functional.weights(computed)
    reference = certified.gradient(phi)
    gradient = np.full_like(reference, np.nan)
    state_part = observation_part = gradient
    count = computed.counts()[computed.names.index(functional.event)]
    if solved and functional.needed <= count:
        gradient = computed.gradient(phi_h)
        change = EventWeights(phi_h.times - phi.times, phi_h.values - phi.values)
        state_part = certified.gradient(change)
        observation_part = weighted(phi_h.times, computed.slopes - certified.slopes) + weighted(
            phi_h.values, computed.value_slopes - certified.value_slopes
        )
    return GradientError(
        gradient=gradient,
        reference=reference,
        state_part=state_part,
        tangent_part=np.zeros_like(reference),
        observation_part=observation_part,
        natural_scale=norm(functional.natural),
    )


def estimated_event_change(
    functional: EventFunctional, computed: EventTable, perturbed: EventTable
) -> tuple[Array, Array]:
    """`estimated_change` of a functional of events.

    That is the difference to the gradient at the events of the perturbed solve, which belong to
    those of the solve one by one; it is infinite where the perturbed solve was lost.
    """
    gradient = computed.gradient(functional.weights(computed))
    change = perturbed.gradient(functional.weights(perturbed)) - gradient
    return np.where(np.isfinite(change), change, np.inf), gradient


def along(change: Array) -> float:
    """The size of a change (m,) as it is seen along one direction of the parameters."""
    return np.inf if np.any(np.isinf(change)) else abs(float(change @ signs(len(change))))


def estimated_change(
    functional: Functional, computed: Observations, errors: tuple[Array, Array]
) -> tuple[Array, Array]:
    """phi(z + d) (S + D) - phi(z) S, and the gradient phi(z) S, (m,) each.

    `errors` are estimates d (T, N) and D (T, N, m) of the errors of states and sensitivities. The
    change is infinite where they are not finite, NaN where there are none.
    """
    z, s = computed.z[0], computed.sensitivities
    gradient = np.einsum("tn,tnj->j", functional.weights(z), s)
    if np.all(np.isnan(errors[0])):
        return np.full_like(gradient, np.nan), gradient
    with np.errstate(invalid="ignore", over="ignore"):
        moved = np.einsum("tn,tnj->j", functional.weights(z + errors[0]), s + errors[1])
    change = moved - gradient
    return np.where(np.isnan(change), np.inf, change), gradient


def state_error(computed: Array, certified: Array) -> float:
    """Rms error over largest value of each column of z (T, N); the largest of these."""
    size = np.max(np.abs(certified), axis=0)
    error = np.sqrt(np.mean((computed - certified) ** 2, axis=0))
    return float(np.max(error / np.where(size > 0, size, 1.0)))


def _weights(functional: Functional, observed: Observations) -> Array:
    """phi (T, N, m): the weights that each parameter sees, those of its chunk."""
    each = np.stack([functional.weights(z) for z in observed.z], axis=-1)
    return each[..., observed.chunk_of]


def _contract(weights: Array, sensitivities: Array) -> Array:
    return np.einsum("tnj,tnj->j", weights, sensitivities)


def norm(vector: Array) -> float:
    """The Euclidean norm."""
    return float(np.linalg.norm(vector))


def ratio(numerator: float, denominator: float) -> float:
    """The ratio; infinite over 0, but 0 where both are."""
    if np.isnan(numerator) or numerator == 0.0:
        return numerator
    return numerator / denominator if denominator > 0 else float("inf")

"""What a checked Jacobian warns of, as booleans that can be traced, and as sentences."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import numpy as np

SATURATED = 0.1
"""The estimate is of first order in the error: from here on it may be any amount too small."""

UNCONTROLLED = 30.0
"""Embedded tangent error of a step over its tolerance; smooth models show 1 to 25."""

_SENTENCES = {
    "failed": "The solve failed and everything is NaN: p or y0 is not finite, a step became too "
    "short, or an implicit step found no root. Make p and y0 finite; else loosen rtol or take "
    "another solver; for a stiff model an implicit one, "
    'solver="kvaerno5".',
    "undifferentiable": "The solve failed and everything is NaN: where it stopped the rate of "
    "entry {entry:.0f} of y is finite and its derivative is not, as that of sqrt(c) or c**0.6 at "
    "c = 0, or of 1 / (1 + exp(x)) beyond x = 709. No tolerance and no solver helps. Keep the "
    "argument away from there (jnp.where in the argument and around the result, a small floor), or "
    "use a function that is safe (jax.nn.sigmoid).",
    "max_steps": "The solve stopped after max_steps steps and everything is NaN. Raise max_steps, "
    "loosen rtol, or take an implicit solver if the model is stiff.",
    "not_finite": "The solve came to its end, but the value or the Jacobian is not finite. Look "
    "for an overflow in the readout, or for tangents that explode; "
    'control="full" keeps their steps short.',
    "switched": "The vector field jumps from one branch to another along this solution, at a time "
    "that depends on the parameters: the tangents lack the saltation term, {neglected:.0%} of an "
    "entry, and are wrong at every tolerance. Make the switch an event "
    '(gradaudit.sensitivities(..., method="saltation")), or smooth it over a time that the steps '
    "resolve.",
    "one_sided": "The derivative exists from one side only: the solution begins at a threshold of "
    "the vector field or stays on one, or the vector field jumps at t0 or at the last of ts, and "
    "the parameters move the one against the other. A change of them to one side leads onto "
    "another branch than a change to the other side. Change the value of the parameter, or the end "
    "of the window.",
    "faint": "States begin below their absolute tolerance and grow out of it: they are "
    "{smallest:.1e} where steps took them for noise, and their relative error, which grows with "
    "them, is not controlled. Lower atol to {lower:.0e}.",
    "uncontrolled": "The tangents are not controlled: one step errs by {tangent_error:.1e} of "
    "them, as the states stand still or are integrated exactly while their sensitivities move. "
    'A tighter rtol does not help. Use control="full".',
    "saturated": "The estimate itself saturates: an estimated relative error of {raw_error:.1e} "
    "means that no digit of the Jacobian can be trusted, and the true error may be larger by "
    "orders of magnitude. Do not use this Jacobian; tighten rtol, leave the tangents in the error "
    'test (control="full"), or shorten the window.',
    "vanishes": "The Jacobian is zero to rounding: it is below 1e-10 of the natural scale of the "
    "readout, and so is its error. It has no digit of its own, and the relative error is that in "
    "relation to the scale.",
    "inaccurate": "The estimated relative error of the Jacobian is {relative_error:.1e}. The alarm "
    "is at {alarm:.1e}, from where the true error may be above the {wanted:.1e} that is wanted. "
    "Tighten rtol and atol; if that does not help, see whether "
    "the solution is chaotic or drifts in phase.",
    "cancelled": "The Jacobian nearly vanishes: its terms cancel to {cancellation:.1e} of their "
    "size, as near an optimum, and its estimated relative error is {relative_error:.1e} although "
    "that of the terms is small. This is as far as rtol goes: stop here, or tighten rtol to go on.",
}


_NUMBERS = (
    "relative_error",
    "raw_error",
    "wanted",
    "alarm",
    "entry",
    "smallest",
    "lower",
    "tangent_error",
    "neglected",
    "cancellation",
)


class Warnings(NamedTuple):
    """Twelve booleans and the numbers behind them; all traced, so that jit and vmap can return it.

    Attributes
    ----------
    failed, undifferentiable, max_steps, not_finite, switched, one_sided, faint, uncontrolled,
    saturated, vanishes, inaccurate, cancelled
        What was seen; `messages` says it in words.
    entry
        The entry of y whose derivative is not finite.
    relative_error, raw_error, wanted, alarm
        The estimated relative error of the Jacobian; before calibration; the bound; the estimate
        from where there is a warning.
    smallest, lower
        The size of faint states, and the absolute tolerance that they need.
    tangent_error, neglected, cancellation
        The largest embedded error of the tangents in one step, of their size; the share that they
        lack because a step crossed a jump; the norm of the Jacobian over that of its terms.
    """

    failed: Any
    undifferentiable: Any
    max_steps: Any
    not_finite: Any
    switched: Any
    one_sided: Any
    faint: Any
    uncontrolled: Any
    saturated: Any
    vanishes: Any
    inaccurate: Any
    cancelled: Any
    relative_error: Any
    raw_error: Any
    wanted: Any
    entry: Any
    alarm: Any
    smallest: Any
    lower: Any
    tangent_error: Any
    neglected: Any
    cancellation: Any

    @property
    def any(self) -> Any:
        """Whether there is anything to be warned of, traced."""
        found = self.failed
        for name in _SENTENCES:
            found = found | getattr(self, name)
        return found

    def messages(self) -> list[str]:
        """What was seen and what to do, a sentence or two each; none if all is well.

        Of a batch, each sentence is told once, with the largest numbers, and says for how many
        members it holds. Only outside of jit and vmap.

        Raises
        ------
        TypeError
            Of values that are being traced.
        """
        if any(isinstance(leaf, jax.core.Tracer) for leaf in self):
            raise TypeError(
                "messages() needs numbers, and inside of jit, vmap or scan there are none: return "
                "the warnings from there and call it outside, or use the booleans."
            )
        said = []
        for name, sentence in _SENTENCES.items():
            flags = np.asarray(getattr(self, name))
            if name == "inaccurate":  # what saturates has said so already
                flags = flags & ~np.asarray(self.saturated)
            if name in ("inaccurate", "saturated"):  # its advice does not help with a jump
                flags = flags & ~np.asarray(self.switched)
            if not flags.any():
                continue
            seen = {
                key: np.max(np.broadcast_to(getattr(self, key), flags.shape)[flags])
                for key in _NUMBERS
            }
            share = f"{flags.sum()} of {flags.size}: " if flags.ndim else ""
            said.append(share + sentence.format(**seen))
        return said

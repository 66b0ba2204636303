"""The words of the report, by the names that the field uses."""

from __future__ import annotations

FIRST = (
    "Forward AD (automatic differentiation) is the derivative of the solver's own steps; rtol is "
    "the relative tolerance of the solver. A functional is the number that is differentiated, such "
    "as a final value or a sum of squares. A tolerance series is one such gradient at all "
    "tolerances, from loose to tight; it is good if it is so close to the true gradient at 1e-3 "
    "and at all tighter ones, and its error does not stay above 1e-4 there."
)
"""What a reader of the first screen has to know."""

GLOSSARY = {
    "Forward AD": (
        "Method `forward_ad`. Discretise, then differentiate: the derivative of the solver's own "
        "arithmetic, along steps that are chosen from the error of the states alone."
    ),
    "Tangent, sensitivity": (
        "The derivative S = dy/dp of the solution with respect to the parameters, and the numbers "
        "that a method computes for it."
    ),
    "Full control": (
        "Method `forward_sensitivity`. Differentiate, then "
        "discretise: states and tangents are integrated together, and both are in the error test, "
        "each tangent scaled by its own parameter."
    ),
    "Dual norm": (
        "Method `dual_norm`. States and tangents are integrated together, and the error test uses "
        "one norm for a state and its tangents, as in solvers that are run on dual numbers."
    ),
    "Partial control": (
        "Method `forward_sensitivity_partial`. As full control, with the states alone in the "
        "error test."
    ),
    "Saltation": (
        "Method `saltation`. As full control, from event to event, with the jump of the tangents "
        "at each event, the saltation term."
    ),
    "State part": (
        "The part of the error caused by wrong states: the derivative of the functional is taken "
        "at the wrong state. Zero where the functional is linear."
    ),
    "Tangent part": (
        "The part of the error caused by wrong tangents. State part and tangent part add up "
        "exactly to the error, with the observation part where there is one."
    ),
    "Observation part": (
        "For functionals of events, as a time or an interval, what stands in place of the tangent "
        "part: the part of the error caused by wrong derivatives of the times of the events, into "
        "which wrong tangents go."
    ),
    "Functional": (
        "The scalar that is differentiated: a value at the end, a sum of squares, a "
        "log-likelihood, a period."
    ),
    "Main functionals": (
        "Those by which mechanisms are compared: the value at the end, the time average, the sum "
        "of squares with a noisy target, and the number, times and intervals of events."
    ),
    "Relative error": "Norm of (computed - certified gradient) over the norm of the certified one.",
    "Normalised error": (
        "The same over the natural scale of the gradient, the size of the terms that it sums. "
        "It replaces the relative error where the gradient itself is zero."
    ),
    "Tolerance series": (
        "The same model, solver, method and functional at all tolerances, from loose to tight."
    ),
    "Order": "The exponent q in error ~ rtol^q, fitted over a tolerance series.",
    "Indicator": (
        "A number that needs no reference: the largest error of the tangents in one step, "
        "estimated "
        "by the embedded error, in units of the tolerance."
    ),
    "Trust score": (
        "An estimate of the error of a gradient, with an interval, from indicators of the same "
        "solve: how an error of each step grows until the end (along all directions of the "
        "parameters, or along random ones), what a second gradient at other tolerances changes, "
        "and the saltation terms that are neglected. It was fitted on other mechanisms than those "
        "it is judged by. The interval holds 90 % of the errors of all mechanisms, fewer of some."
    ),
    "Right, inaccurate, wrong": (
        "A gradient with an error of at most {good}, at most {horrible}, or more."
    ),
    "Good, bad, horrible": (
        "A tolerance series is good if every tolerance from rtol 1e-3 on suffices, bad if it takes "
        "a tighter one, if a solve fails, or if the error falls and then stops above 1e-4. It is "
        "horrible if none suffices, if the error is stuck above 1e-4, if a term is known to be "
        "missing and the error does not fall, or if the error has spikes: at one tolerance it is a "
        "hundred times as large as at those beside it. A gradient is horrible if it is wrong, or "
        "if its series is stuck (whatever its error); of the others it is good if it is right and "
        "its series does not stop, and bad if not."
    ),
    "False good": (
        "A series that is good and shows nothing: the data are those of the same solve, so that "
        "the residuals and with them the gradient are 0 whatever the tangents are. The gradient "
        "at any other parameters may be wrong."
    ),
    "Work": (
        "Evaluations of the vector field in a solve, counted: those with tangents once for each "
        "tangent, a stage that takes Newton's method as a hundred. It compares settings without a "
        "clock; times are those of this run."
    ),
}
"""Term to definition; the thresholds are filled in."""

"""The mechanisms by which a gradient is right or wrong: the vocabulary of models and tables."""

from __future__ import annotations

from difflib import get_close_matches
from enum import Enum, StrEnum, auto

from gradaudit.errors import ModelError


class Trait(Enum):
    """What some mechanisms have in common, and the report has a sentence on."""

    AT_REST = auto()
    """The state stands still while the tangents move."""
    JUMPS = auto()
    """Vector field or state jumps."""
    EVENTS = auto()
    """What happens depends on where an event is."""
    PHASE_DRIFT = auto()
    """The phase of an oscillation depends on the parameters."""
    CHAOS = auto()
    """Perturbations grow exponentially."""
    AMPLIFYING = auto()
    """Errors of the states grow along the way, and those of the tangents with them."""
    STIFF = auto()
    """Fast times, and a slow solution."""
    FAST_MODES = auto()
    """The gradient is that of modes that have died out."""


class Mechanism(StrEnum):
    """A mechanism; as a text it is the one name that models, tables, texts and figures have.

    Attributes
    ----------
    description
        What happens, independent of the expected verdict.
    traits
        What it has in common with others.
    """

    description: str
    traits: frozenset[Trait]

    def __new__(cls, name: str, description: str = "", *traits: Trait) -> Mechanism:
        member = str.__new__(cls, name)
        member._value_ = name
        member.description = description
        member.traits = frozenset(traits)
        return member

    SMOOTH = (
        "smooth dissipative",
        "The solution is smooth and perturbations decay.",
    )
    EXACT = (
        "negative control",
        "States and tangents are polynomials of low degree, which the solver integrates exactly.",
    )
    STIFF = (
        "stiff but slow",
        "Jacobians have large negative eigenvalues, and the solution follows a slow manifold.",
        Trait.STIFF,
    )
    PARAMETERS = (
        "number of parameters",
        "There are many parameters, so that their tangents are many.",
    )
    DIMENSION = (
        "dimension",
        "There are many states.",
    )
    UNCONTROLLED = (
        "uncontrolled tangent at an equilibrium",
        "The state is at rest, so that the error test sees nothing of the tangents that move.",
        Trait.AT_REST,
    )
    EXPLODING = (
        "exploding tangent at an equilibrium",
        "The state is at rest, and a step that it allows is unstable for the tangents.",
        Trait.AT_REST,
    )
    AMPLIFICATION = (
        "linear amplification",
        "Perturbations are amplified on the way, and the errors of the states with them.",
        Trait.AMPLIFYING,
    )
    PHASE_DRIFT = (
        "phase drift on a limit cycle",
        "The period depends on the parameters, so that the tangents grow with time.",
        Trait.PHASE_DRIFT,
        Trait.AMPLIFYING,
    )
    CHAOS = (
        "chaos",
        "Perturbations grow exponentially on an attractor.",
        Trait.CHAOS,
        Trait.AMPLIFYING,
    )
    BIFURCATION = (
        "near a bifurcation",
        "A small change of a parameter changes the kind of solution.",
        Trait.AMPLIFYING,
    )
    COUNT = (
        "discontinuous functional",
        "The functional is a count, whose derivative is 0 wherever it exists.",
    )
    SWITCH = (
        "discontinuous right-hand side",
        "The vector field switches at a threshold, where the tangents jump.",
        Trait.JUMPS,
        Trait.EVENTS,
    )
    RESET = (
        "events with jumps",
        "Events reset the state at times that depend on the parameters.",
        Trait.JUMPS,
        Trait.EVENTS,
    )
    GRAZING = (
        "grazing event",
        "The solution touches a threshold, where the derivative of the event's time is infinite.",
        Trait.EVENTS,
    )
    STEP_CONTROL = (
        "discontinuous step controller",
        "Accepted and rejected steps change with the parameters, and the numerical solution jumps.",
    )
    DENSE_OUTPUT = (
        "dense output",
        "Observations come from the interpolant of the solver, which has a lower order.",
    )
    NEWTON = (
        "Newton truncation",
        "Newton's iteration stops at a tolerance, and the derivative of its limit is taken.",
    )
    FAST_MODES = (
        "vanishing gradients of fast modes",
        "Modes that die out in a step have gradients that the steps do not resolve.",
        Trait.FAST_MODES,
    )
    SINGLE_PRECISION = (
        "single precision",
        "The solve is in single precision, and rounding takes the place of the tolerance.",
    )
    OPTIMUM = (
        "cancellation at an optimum",
        "The terms of the gradient cancel, since the parameters are those of the optimum.",
    )
    UNITS = (
        "dependence on parameter units",
        "Tangents of parameters in different units share one error norm.",
    )
    DIFFERENCES = (
        "finite differences as a check",
        "The difference quotient of an adaptive solve differentiates its choice of steps as well.",
    )


def checked(mechanism: str, *, model: str) -> str:
    """The mechanism of a model after a check; it may be empty.

    Raises
    ------
    ModelError
        If it is none of the vocabulary.
    """
    known = [member.value for member in Mechanism]
    if mechanism == "" or mechanism in known:
        return mechanism
    near = get_close_matches(str(mechanism), known, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else "."
    raise ModelError(
        f"model {model!r}: unknown mechanism {mechanism!r}{meant} "
        f"Leave it empty, or choose from: {'; '.join(known)}."
    )


def label_of(mechanism: str) -> str:
    """A mechanism at the head of a row or a panel: its name, with a capital."""
    return mechanism[:1].upper() + mechanism[1:]


def having(trait: Trait) -> list[str]:
    """The mechanisms with a trait, as tables have them."""
    return [member.value for member in Mechanism if trait in member.traits]

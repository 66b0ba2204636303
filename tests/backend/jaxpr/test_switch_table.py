"""Primitives that switch: decision, result on a branch, and where the decision changes."""

import math
from itertools import pairwise

import numpy as np
import pytest

from gradaudit.backend.jaxpr.switch_table import SWITCHES


class Numbers:
    """The algebra of plain numbers."""

    add = staticmethod(lambda a, b: a + b)
    subtract = staticmethod(lambda a, b: a - b)
    multiply = staticmethod(lambda a, b: a * b)
    floor = staticmethod(math.floor)
    truncate = staticmethod(math.trunc)
    truth = staticmethod(bool)
    number = staticmethod(float)
    pick = staticmethod(lambda decision, cases: cases[int(decision)])


OF = Numbers()
FUNCTIONS = {
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
    "lt_to": np.less,
    "le_to": np.less_equal,
    "max": np.maximum,
    "min": np.minimum,
    "abs": np.abs,
    "sign": np.sign,
    "clamp": lambda low, x, high: np.clip(x, low, high),
    "floor": np.floor,
    "ceil": np.ceil,
    "round": lambda x: np.floor(x + 0.5),
    "rem": np.fmod,
}
POINTS = (-2.5, -1.0, -0.25, 0.0, 0.75, 1.0, 2.25)


def operands(name):
    if name == "clamp":
        return [(-1.0, x, 1.5) for x in POINTS]
    if name in ("abs", "sign", "floor", "ceil", "round"):
        return [(x,) for x in POINTS]
    return [(x, y) for x in POINTS for y in (-1.0, 0.75) if y]


@pytest.mark.parametrize("name", SWITCHES)
def test_on_its_own_branch_a_switch_is_the_function(name):
    switch = SWITCHES[name]
    for values in operands(name):
        decision = switch.decide(OF, *values)
        assert switch.follow(OF, decision, *values) == FUNCTIONS[name](*values), values


def test_every_switch_is_tested():
    assert set(FUNCTIONS) == set(SWITCHES)


@pytest.mark.parametrize("name", [n for n in SWITCHES if n not in ("eq", "ne")])
def test_a_decision_changes_only_where_a_boundary_passes_through_zero(name):
    """Between two points with different decisions some boundary of the first changes its sign."""
    switch, points = SWITCHES[name], np.linspace(-2.6, 2.6, 105)
    others = {"clamp": lambda x: (-1.0, x, 1.5)}
    one = ("abs", "sign", "floor", "ceil", "round")
    at = others.get(name, (lambda x: (x,)) if name in one else (lambda x: (x, 0.75)))
    changes = 0
    for left, right in pairwise(points):
        decision = switch.decide(OF, *at(left))
        if decision == switch.decide(OF, *at(right)):
            continue
        changes += 1
        signs = [
            before * after <= 0.0
            for before, after in zip(
                switch.boundaries(OF, decision, *at(left)),
                switch.boundaries(OF, decision, *at(right)),
                strict=True,
            )
        ]
        assert any(signs), (left, right)
    assert changes > 0


@pytest.mark.parametrize("name", ["eq", "ne"])
def test_equality_changes_at_points_only(name):
    assert SWITCHES[name].boundaries(OF, True, 1.0, 2.0) == []


def test_a_branch_goes_on_beyond_its_boundary():
    """So that an event is looked for on a smooth function."""
    assert SWITCHES["abs"].follow(OF, 0, -0.5) == -0.5
    assert SWITCHES["max"].follow(OF, 1, 3.0, 2.0) == 2.0
    assert SWITCHES["floor"].follow(OF, 2, 3.5) == 2.0
    assert SWITCHES["rem"].follow(OF, 1, 2.5, 1.0) == 1.5
    assert SWITCHES["clamp"].follow(OF, 0, -1.0, 7.0, 1.0) == 7.0

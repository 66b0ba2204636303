"""Options of a solve that are refused, with what to write instead."""

import math
from dataclasses import replace

import numpy as np
import pytest

import gradaudit
from gradaudit.errors import SettingError
from gradaudit.records.catalogue import catalogue
from gradaudit.sensitivity.request import Request, check_options, tolerance
from gradaudit.solvers.options import SolveOptions

MODEL = gradaudit.load_model("logistic")
OPTIONS = SolveOptions(rtol=1e-6, atol=1e-9)


def check(method="forward_ad", model=MODEL, fd_step=None, **options):
    request = Request(
        model=model, times=np.array([1.0]), options=replace(OPTIONS, **options), fd_step=fd_step
    )
    check_options(request, catalogue("methods")[method])


def message(**options):
    with pytest.raises(SettingError) as error:
        check(**options)
    return str(error.value)


def test_the_defaults_are_valid():
    check()
    check(steps=np.int64(10), dtype="float32", estimate="probe")
    check("finite_difference", fd_step=1e-5)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"steps": 0}, "steps is 0; it is a positive number of equal steps."),
        ({"steps": 1.5}, "steps is 1.5; it is a positive number of equal steps."),
        ({"dtmax": 0.0}, "dtmax is 0.0; the longest step is a positive number, in units of t."),
        (
            {"dtmax": math.inf},
            "dtmax is inf; the longest step is a positive number, in units of t.",
        ),
        (
            {"dtmax": 0.1, "steps": 10},
            "dtmax limits steps that an error chooses; leave it out with steps.",
        ),
        ({"dtype": "float16"}, "dtype is 'float16'; choose from float64, float32."),
        ({"max_steps": 0}, "max_steps is 0; it is a positive whole number."),
        ({"max_steps": 1e5}, "max_steps is 100000.0; it is a positive whole number."),
        ({"estimate": "all"}, "estimate is 'all'; choose from False, True, \"probe\"."),
        (
            {"pid": (0.0, 1.0)},
            "pid is (0.0, 1.0); give three numbers, by default (0.0, 1.0, 0.0).",
        ),
        (
            {"pid": (0.0, math.nan, 0.0)},
            "pid is (0.0, nan, 0.0); give three numbers, by default (0.0, 1.0, 0.0).",
        ),
    ],
    ids=str,
)
def test_an_invalid_option_is_named_with_its_value(options, text):
    assert message(**options) == text


def test_a_solver_without_error_estimate_needs_equal_steps():
    assert message(solver="euler") == (
        "solver 'euler' has no error estimate; say how many equal steps it is to take, for "
        "example steps=1000."
    )
    check(solver="euler", steps=10)


def test_an_option_that_a_method_does_not_have_is_refused():
    method = catalogue("methods")["forward_ad"]
    assert "fd_step" in method.without
    assert message(fd_step=1e-5) == "method 'forward_ad' has no fd_step; leave it out."


def test_a_jump_of_the_state_rules_out_the_estimate_along_one_direction():
    ball = gradaudit.load_model("bouncing_ball")
    assert message(model=ball, estimate="probe").endswith(
        'jumps, and estimate="probe" knows nothing of jumps; take estimate=True.'
    )
    check(model=ball, estimate=True)


@pytest.mark.parametrize("value", [1, 0.5, np.float32(0.5), np.int64(1)])
def test_numbers_of_any_kind_are_tolerances(value):
    found = tolerance("atol", value, below=math.inf)
    assert type(found) is float
    assert found == value


@pytest.mark.parametrize("value", [0.0, -1e-3, 1.0, math.nan, math.inf, "1e-6", None, True + 0j])
def test_what_is_no_tolerance_is_refused(value):
    with pytest.raises(SettingError, match="a tolerance is a positive number, rtol is below 1"):
        tolerance("rtol", value, below=1.0)


def test_a_relative_tolerance_below_rounding_is_refused_and_an_absolute_one_is_not():
    with pytest.raises(SettingError, match=r"rtol is 1e-17, finer than float64 resolves"):
        tolerance("rtol", 1e-17, below=1.0)
    assert tolerance("atol", 1e-17, below=math.inf) == 1e-17

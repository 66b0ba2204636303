"""Settings of `sensitivities` and `reference` that make no sense are refused with the way out."""

import pytest

import gradaudit
from gradaudit import SettingError


@pytest.mark.parametrize("value", [0.0, -1e-6, float("nan"), float("inf"), 1.0, 2.0, 1e-17, "1e-6"])
def test_absurd_relative_tolerances_are_refused(value):
    with pytest.raises(SettingError, match=r"rtol is .*for example 1e-6"):
        gradaudit.sensitivities("logistic", rtol=value)


@pytest.mark.parametrize("value", [0.0, -1e-9, float("nan"), float("inf")])
def test_absurd_absolute_tolerances_are_refused(value):
    with pytest.raises(SettingError, match="atol is"):
        gradaudit.sensitivities("logistic", atol=value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"solver": "tsit4"}, r"unknown solver 'tsit4' \(did you mean 'tsit5'\?\)"),
        ({"method": "forward"}, r"unknown method 'forward' \(did you mean 'forward_ad'\?\)"),
        ({"times": [0.0, 7.0]}, r"times must lie within \[0, 5\].*run from 0 to 7"),
        ({"times": [-1.0, 1.0]}, "times must lie within"),
        ({"times": [1.0, 1.0]}, "strictly increasing"),
        ({"times": [float("nan")]}, "finite"),
        ({"times": []}, "non-empty"),
        ({"times": "all"}, "times must be a non-empty list of finite numbers; they are 'all'"),
        ({"max_steps": 0}, "max_steps is 0; it is a positive whole number"),
        ({"max_steps": 1.5}, "max_steps is 1.5"),
        ({"estimate": "full"}, "estimate is 'full'; choose from False, True, \"probe\""),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes, words):
    with pytest.raises(SettingError, match=words):
        gradaudit.sensitivities("logistic", **changes)


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan")])
def test_a_time_limit_is_positive(value):
    with pytest.raises(SettingError, match="time_limit is"):
        gradaudit.reference("logistic", time_limit=value)

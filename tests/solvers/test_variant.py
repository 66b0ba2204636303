"""Entries of `solvers`: what a variant passes on, and how its number of equal steps grows."""

import math

import pytest

from gradaudit.solvers.registry import get_solver
from gradaudit.solvers.variant import OPTIONS, Variant


def of(**options):
    return Variant.of("mine", {"observe": "step", "variant": {"solver": "tsit5", **options}})


def test_an_entry_without_settings_is_the_solver_itself():
    variant = Variant.of("kvaerno5", {"observe": "clip"})
    assert (variant.solver, variant.text) == ("kvaerno5", "")
    assert variant.keywords(1.0) == {"observe": "clip"}


def test_the_settings_of_a_stage_are_not_changed():
    settings = {"observe": "step", "variant": {"solver": "tsit5", "dtype": "float32"}}
    Variant.of("mine", settings)
    assert settings["variant"] == {"solver": "tsit5", "dtype": "float32"}


def test_an_option_of_the_entry_comes_before_that_of_the_stage():
    assert of(observe="interpolant").keywords(1.0)["observe"] == "interpolant"


def test_options_are_named_in_one_order():
    given = {"steps": 10, "dtype": "float32", "observe": "clip"}
    text = of(**given).text
    names = [part.partition("=")[0] for part in text.split(", ")]
    assert names == [name for name in OPTIONS if name in given]
    assert of(**dict(reversed(given.items()))).text == text


@pytest.mark.parametrize("solver", ["euler", "heun", "bosh3", "tsit5", "dopri8"])
@pytest.mark.parametrize("tightness", [1.0, 1e-2, 1e-6])
def test_equal_steps_make_the_error_fall_like_the_tolerance(solver, tightness):
    """(steps at the loosest / steps) ** order is the tightness, up to the step rounded up."""
    variant = Variant.of("mine", {"observe": "step", "variant": {"solver": solver, "steps": 100}})
    steps, order = variant.keywords(tightness)["steps"], get_solver(solver).order
    assert (100 / steps) ** order <= tightness * (1 + 1e-12)
    assert (100 / (steps - 1)) ** order > tightness * (1 - 1e-9)
    assert isinstance(steps, int)


def test_coefficients_of_the_step_control_are_hashable():
    """JAX takes them as a static argument."""
    assert of(pid=[0.4, 0.3, 0.0]).keywords(1.0)["pid"] == (0.4, 0.3, 0.0)
    assert math.isfinite(hash(of(pid=[0.4, 0.3, 0.0]).keywords(1.0)["pid"]))

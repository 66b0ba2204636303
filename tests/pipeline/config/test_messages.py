"""Messages on values of the configuration: what is wrong, where, and what the key means."""

import pytest

from gradaudit.pipeline.config.messages import explain


def problem(kind, place, value, **context):
    message = context.pop("msg", "")
    return {"type": kind, "loc": place, "input": value, "ctx": context, "msg": message}


def test_numbers_that_yaml_reads_as_texts():
    assert explain(problem("float_type", ("verdict", "good"), "1e-3")) == (
        "verdict.good: '1e-3' is a text, not a number. YAML takes 1e-6 for a text: write it with "
        "a point, 1.0e-3."
    )


@pytest.mark.parametrize(
    ("text", "written"),
    [("1E5", "1.0e5"), ("2.5e-3", "0.0025"), ("12", "12.0"), ("-1e2", "-1.0e2")],
)
def test_the_number_is_written_as_yaml_reads_it(text, written):
    assert explain(problem("float_type", ("atol_factor",), text)).endswith(f"point, {written}.")


@pytest.mark.parametrize("text", ["nan", "inf", "-Infinity"])
def test_a_text_that_python_alone_takes_for_a_number_is_no_number_with_a_point(text):
    found = explain(problem("float_type", ("atol_factor",), text))
    assert found.startswith(f"atol_factor: {text!r} is not a number.")


@pytest.mark.parametrize(
    ("kind", "value", "context", "wrong"),
    [
        ("float_type", "much", {}, "'much' is not a number"),
        ("int_type", [1], {}, "[1] is not a whole number"),
        ("list_type", "a", {}, "'a' is not a list"),
        ("model_type", 3, {}, "3 is not a mapping of keys to values"),
        ("finite_number", float("inf"), {}, "inf is not a finite number"),
        ("greater_than", 0, {"gt": 0.0}, "0 is too small: it must be above 0"),
        ("greater_than_equal", 0, {"ge": 1}, "0 is too small: it must be at least 1"),
        ("less_than", 2, {"lt": 1.0}, "2 is too large: it must be below 1"),
        ("less_than_equal", 2, {"le": 1}, "2 is too large: it must be at most 1"),
        (
            "too_short",
            [],
            {"min_length": 1, "actual_length": 0},
            "0 entries; write at least 1",
        ),
        ("too_long", [1, 2], {"max_length": 1, "actual_length": 2}, "2 entries; write at most 1"),
        ("string_too_short", "", {}, "the text is empty"),
        ("repeated", ["a"], {"msg": "'a' is there twice"}, "'a' is there twice; name it once"),
        ("other", 5, {"msg": "Something else"}, "5 is invalid: Something else"),
    ],
)
def test_what_is_wrong_with_a_value(kind, value, context, wrong):
    assert explain(problem(kind, ("sweep", "span"), value, **context)) == (
        f"sweep.span: {wrong}. (how far to either side of the nominal value, over that value)"
    )


def test_a_choice_comes_with_the_choices_and_the_one_that_was_meant():
    found = explain(
        problem("literal_error", ("observe",), "stp", expected="'step', 'clip' or 'interpolant'")
    )
    assert found.startswith("observe: 'stp' is not one of step, clip, interpolant")
    assert "did you mean 'step'" in found


def test_an_unknown_key_comes_with_the_known_ones_of_its_section():
    found = explain(problem("extra_forbidden", ("atlas", "acuracies"), [1e-3]))
    assert found.startswith("atlas: unknown key 'acuracies'")
    assert found.endswith("; known: accuracies.")


def test_an_unknown_key_at_the_top_and_in_an_entry_of_a_mapping():
    assert explain(problem("extra_forbidden", ("colour",), 1)).startswith(
        "top level: unknown key 'colour'"
    )
    found = explain(problem("extra_forbidden", ("solvers", "mine", "stepz"), 1))
    assert found.startswith("solvers.mine: unknown key 'stepz'")
    assert "steps" in found.partition("; known: ")[2]


def test_a_unit_belongs_to_the_meaning_of_a_key():
    found = explain(problem("greater_than_equal", ("max_steps",), 0, ge=1))
    assert found.endswith(
        "(a solve that needs more is given up, with the status `max_steps`; in steps)"
    )


def test_an_entry_of_a_list_has_the_meaning_of_the_list():
    found = explain(problem("float_type", ("sweep", "steps", 1), None))
    assert found.startswith("sweep.steps[1]: None is not a number. (steps of difference quotients")

"""Which method begins, and what happens when it does not come to an end."""

import pytest

import gradaudit
from gradaudit import Model
from gradaudit.certification import choice as module
from gradaudit.certification import ladder
from gradaudit.certification.choice import choose
from gradaudit.certification.climb import Climb
from gradaudit.certification.collocation.rungs import Collocation


def climb_of(model):
    return Climb(model, model.times(None), negligible=1e-3, time_limit=60.0, progress=None)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("name", "method", "why"),
    [
        ("robertson", "collocation", "stiff"),
        ("lotka_volterra", "taylor", "not stiff"),
        ("bouncing_ball", "taylor", "not stiff"),
        ("switch_in_time", "taylor", "not stiff"),
    ],
)
def test_stiff_problems_begin_with_collocation(name, method, why):
    choice = choose(climb_of(gradaudit.load_model(name)))
    assert choice.method == method
    assert why in choice.why


def test_a_large_system_begins_with_collocation():
    model = Model(
        name="large",
        vector_field=lambda t, y, p: -p * y,
        states={f"y{i}": (1.0, "") for i in range(9)},
        parameters={f"k{i}": (1.0 + i, "") for i in range(9)},
        t_end=1.0,
    )
    choice = choose(climb_of(model))
    assert (choice.method, choice.why.split(":")[0]) == ("collocation", "large")


def test_the_reference_says_which_method_and_why():
    found = gradaudit.reference("prothero_robinson")
    assert found.status == "ok"
    assert found.rungs[0]["why"].startswith("stiff: ")
    assert all(rung["method"].startswith("collocation") for rung in found.rungs)
    found = gradaudit.reference("logistic")
    assert found.rungs[0]["why"].startswith("not stiff: ")
    assert {rung["method"] for rung in found.rungs} == {"taylor"}


def test_what_collocation_does_not_certify_goes_to_the_taylor_method(monkeypatch):
    def give_up(self, digits, scout):
        self.climb.accept(scout, None)
        return "it gave up"

    monkeypatch.setattr(Collocation, "climb_to", give_up)
    found = gradaudit.reference("newton_truncation")
    assert found.status == "ok"
    assert found.rungs[0]["method"].startswith("collocation")
    assert found.rungs[-1]["method"] == "taylor"


def test_the_taylor_method_is_not_begun_where_compiling_it_may_take_too_long(monkeypatch):
    """As above, and a system whose compilation is said to take longer than the limit."""

    def give_up(self, digits, scout):
        self.climb.accept(scout, None)
        return "it gave up"

    monkeypatch.setattr(Collocation, "climb_to", give_up)
    monkeypatch.setattr(module, "SOON", 0.0)
    monkeypatch.setattr(module, "COMPILED", 1e-3)
    found = gradaudit.reference("newton_truncation")
    assert "it gave up" in found.status
    assert {rung["method"].split(",")[0] for rung in found.rungs} == {"collocation"}


def test_what_takes_the_taylor_method_too_long_goes_to_collocation(monkeypatch):
    """The fastest rate of newton_truncation allows 42 times as long elements: said to be few."""
    monkeypatch.setattr(module, "STIFF", 1e3)
    monkeypatch.setattr(ladder, "_climb_seeing", lambda climb, digits: "uncertified: time limit")
    found = gradaudit.reference("newton_truncation")
    assert found.status == "ok"
    assert found.rungs[-1]["method"].startswith("collocation")

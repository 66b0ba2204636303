"""What a cell of the map of regimes says to who points at it."""

from types import SimpleNamespace

import pandas as pd

from gradaudit.figures.regime_map import _models, _told

ROW = {
    "sufficient_rtol": 1e-3,
    "worst_error": 9.8e-3,
    "failed": 0,
    "spikes": 0,
    "converging": False,
}


def told(word, **changes):
    model = SimpleNamespace(model="at_rest", mechanism="")
    return _told(model, "forward_ad", "tsit5", word, pd.DataFrame([ROW | changes]))


def test_a_horrible_cell_with_a_sufficient_tolerance_says_why():
    assert told("horrible").endswith("largest error 9.8e-3; does not converge")
    assert told("horrible", converging=True, spikes=2).endswith("; spikes: 2")


def test_other_cells_say_no_more_than_their_tolerance():
    assert told("good", converging=True).endswith("largest error 9.8e-3")
    assert told("horrible", sufficient_rtol=float("nan")).endswith("9.8e-3")


def test_models_of_an_axis_are_in_the_order_of_its_numbers():
    names = ["cycle@t_end=200", "cycle@t_end=50", "cycle", "snic@eps=0.1", "snic@eps=0.01"]
    verdicts = pd.DataFrame({"model": names, "mechanism": "drift", "regime": "bad"})
    assert [row.model for row in _models(verdicts)] == [
        "cycle", "cycle@t_end=50", "cycle@t_end=200", "snic@eps=0.01", "snic@eps=0.1"
    ]  # fmt: skip

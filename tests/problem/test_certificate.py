"""Certified gradients at several points, written as arrays and read again."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from gradaudit.problem.certificate import as_dataset, certificates, from_dataset, information_from
from gradaudit.problem.loading import load_problem
from gradaudit.records.files import read_dataset, write_dataset


def test_what_is_written_is_what_was_certified(write, tmp_path):
    problem = load_problem(write())
    every = list(certificates(problem, drawn=1, seed=3, digits=10.0, time_limit=60.0))
    found = {name: own for name, own, _ in every}
    fisher = every[0][2]
    found["drawn 2"] = "there is no steady state."
    path = tmp_path / "out.nc"
    write_dataset(as_dataset(problem, found, fisher), path, stage="certificate", settings={})
    dataset = read_dataset(path)
    again, information = from_dataset(dataset), information_from(dataset)
    assert list(again) == ["nominal", "drawn 1", "drawn 2"]
    assert again["drawn 2"] == found["drawn 2"]
    for name in ("nominal", "drawn 1"):
        for field in fields(found[name]):
            before, after = (getattr(own[name], field.name) for own in (found, again))
            if isinstance(before, dict):
                assert before.keys() == after.keys()
                for key, (value, gradient) in before.items():
                    assert after[key][0] == value
                    np.testing.assert_array_equal(after[key][1], gradient)
            else:
                np.testing.assert_array_equal(after, before)
        np.testing.assert_array_equal(again[name].digits.per_entry, found[name].digits.per_entry)
    assert information.status == fisher.status
    for name in ("matrix", "eigenvalue_bars", "standard_errors", "condition", "condition_bar"):
        np.testing.assert_array_equal(getattr(information, name), getattr(fisher, name))


def test_where_nothing_is_certified_there_are_no_numbers(write):
    problem = load_problem(write())
    dataset = as_dataset(problem, {"nominal": "it cannot be read."})
    assert np.all(np.isnan(dataset["gradient"].values))
    assert information_from(dataset) is None
    assert from_dataset(dataset) == {"nominal": "it cannot be read."}

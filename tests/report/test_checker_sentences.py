"""The chapter on checkers of gradients, from made-up tables."""

from __future__ import annotations

import pandas as pd

from gradaudit.report.checker_sentences import chapter

TABLE = pd.DataFrame(
    [
        {"problem": "a", "gradient": name, "error": error, "checker": checker, "outcome": outcome}
        for name, error, by in (
            ("AD", 1.0, ("passed", "failed")),
            ("control", 1e-3, ("failed", "passed")),
            ("certified", 0.0, ("passed", "not_run")),
            ("close", 1.1e-2, ("failed", "failed")),
        )
        for checker, outcome in zip(("differences", "check_grads"), by, strict=True)
    ]
)


def test_wrong_gradients_that_passed_and_right_ones_that_failed_are_counted():
    found = chapter([TABLE], 1e-2)
    assert found["sentences"][0] == (
        "The only wrong gradient passed central differences (best of 8 steps), and 1 of 2 right "
        "ones failed."
    )
    assert found["sentences"][1] == (
        "0 of 1 wrong gradient passed jax.test_util.check_grads, and none of 2 right ones failed."
    )
    only_right = TABLE[TABLE["error"] < 0.01]
    assert chapter([only_right], 1e-2)["sentences"][1] == (
        "None of 2 right gradients failed jax.test_util.check_grads."
    )
    texts = [[cell.text for cell in row] for row in found["table"].rows]
    assert texts[0][1:] == ["1 of 1", "0 of 1", "1 of 2", "0 of 2"]
    assert texts[1][1:] == ["0 of 1", "0 of 1", "0 of 2", "1 of 2"]


def test_without_gradients_there_is_no_chapter():
    assert chapter([], 1e-2) == {}
    assert chapter([TABLE.iloc[:0]], 1e-2) == {}

"""The chapter on fits, from made-up tables."""

from __future__ import annotations

import pandas as pd

from gradaudit.report.fit_sentences import chapter

SETTINGS = (
    ("forward_sensitivity", 1e-9),
    ("forward_ad", 1e-3),
    ("forward_ad", 1e-6),
    ("forward_sensitivity", 1e-6),
)


def made_up(name: str, elsewhere, *, iterations=(10, 20, 10, 10), failed=(), statuses=None):
    """Two starts; `elsewhere` has pairs by setting, of what is no tight setting."""
    rows = []
    for start in range(2):
        for index, (method, rtol) in enumerate(SETTINGS):
            status = "ok" if statuses is None else statuses[start][index]
            away = False if index == 0 else elsewhere[index - 1][start]
            rows.append(
                {
                    "problem": name,
                    "solver": "tsit5",
                    "method": method,
                    "rtol": rtol,
                    "start": start,
                    "judges": index == 0,
                    "status": status,
                    "elsewhere": away if status == "ok" else None,
                    "better": False if status == "ok" else None,
                    "distance": 0.5 if away else 1e-6,
                    "iterations": iterations[index],
                    "calls": 30,
                    "line_search_failed": (start, index) in failed,
                    "lost": 1 if index == 1 else 0,
                }
            )
    return pd.DataFrame(rows)


NOWHERE = ((False, False),) * 3
RIGHT = made_up("decay", NOWHERE)
WRONG = made_up("immune", ((True, True), (True, False), (False, False)), failed={(0, 1), (1, 0)})


def test_without_fits_there_is_no_chapter():
    assert chapter([]) == {}


def test_sentences_say_where_fits_end_and_what_they_take():
    sentences = chapter([RIGHT, WRONG])["sentences"]
    assert sentences[:6] == [
        "2 of 4 fits by forward AD at 1e-3 end elsewhere, in immune.",
        "1 of 4 fits by forward AD at 1e-6 ends elsewhere, in immune.",
        "No fit by full control at 1e-6 ends elsewhere.",
        "Fits by forward AD at 1e-3 take 2 times as many iterations as those by the tight setting "
        "in decay, where they differ most (median over the starts).",
        "Fits by forward AD at 1e-6 and full control at 1e-6 take as many iterations as those by "
        "the tight setting, to within 25 %.",
        "The line search failed at the end of 1 fit by forward AD at 1e-3 and 1 by full control at "
        "1e-9.",
    ]
    assert "by more than 0.1" in sentences[6]
    assert len(sentences) == 7


def test_fits_without_any_difference_are_one_sentence():
    sentences = chapter([RIGHT])["sentences"]
    assert sentences[0] == (
        "No fit by forward AD at 1e-3, forward AD at 1e-6 or full control at 1e-6 ends elsewhere."
    )
    assert "No fit ends with a failed line search." in sentences


def test_a_setting_that_stops_early_in_one_problem_is_named():
    early = made_up("immune", NOWHERE, iterations=(100, 2, 100, 100))
    others = [made_up(name, NOWHERE, iterations=(10, 11, 10, 10)) for name in ("a", "b", "c")]
    assert (
        "Fits by forward AD at 1e-3 take 0.02 times as many iterations as those by the tight "
        "setting in immune, where they differ most (median over the starts)."
        in chapter([*others, early])["sentences"]
    )


def test_ends_that_are_better_are_told_as_well():
    found = chapter([RIGHT.assign(better=[False, True, *[False] * 6])])
    assert (
        "1 of 6 fits by these settings ends with a better log-likelihood than the tight setting"
        in " ".join(found["sentences"])
    )
    assert found["table"].rows[0][2].note == "1 better"


def test_cells():
    rows = chapter([WRONG])["table"].rows
    texts = [[cell.text for cell in row] for row in rows]
    assert texts[0] == ["immune", "forward AD at 1e-3", "2 of 2", "0.5", "20", "60", "1", "2"]
    assert texts[1][2:4] == ["1 of 2", "0.25"]
    assert texts[3][1:3] == ["full control at 1e-9", "tight setting"]
    assert [row[2].verdict for row in rows] == ["horrible", "bad", "good", ""]
    assert rows[3][2].note == "2 ends"


def test_what_is_missing_is_told():
    statuses = (
        ("ok", "ok", "time_limit", "not_run"),
        ("not_judged: max_steps",) * 2 + ("not_run",) * 2,
    )
    own = made_up("large", NOWHERE, statuses=statuses)
    found = chapter([own])
    assert "The time limit left out 4 of 8 fits, in large." in found["sentences"]
    assert (
        "Nothing is known of 2 fits, in large: the tight setting has no result where they end."
        in found["sentences"]
    )
    texts = [[cell.text for cell in row] for row in found["table"].rows]
    assert texts[0][2] == "0 of 1"
    assert texts[1][2:5] == ["–", "–", "–"]
    assert texts[2][5] == "0"  # calls of what was not run


def test_tables_in_which_no_end_is_known_are_told():
    own = made_up("lost", NOWHERE, statuses=(("not_judged: max_steps",) * 4,) * 2)
    sentences = " ".join(chapter([own])["sentences"])
    assert "ends elsewhere." not in sentences
    assert "Nothing is known of 8 fits, in lost" in sentences

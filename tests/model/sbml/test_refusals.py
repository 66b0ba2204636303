"""What is not supported is refused by the name of its element."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradaudit import ModelError, load_model
from gradaudit.model.sbml import load_sbml

REFUSED = {
    "delay": (
        lambda x: {"Rules": x.rate_rule("S", "delay(S, 1)")},
        "the rate rule for 'S'.*a delay",
    ),
    "equality": (
        lambda x: {"Rules": x.rate_rule("x", "piecewise(k, S == 2, 0)")},
        "'S == 2' compares",
    ),
    "equality in a trigger": (
        lambda x: {"Events": x.event("e", "S == 2", S="3")},
        "the trigger of event 'e': 'S == 2' compares",
    ),
    "steps in a trigger": (
        lambda x: {"Events": x.event("e", "S + floor(S) < 2", S="3")},
        r"event 'e': the comparison '.S \+ floor\(S\). < 2' has a side that may jump",
    ),
    "steps in a comparison": (
        lambda x: {"Rules": x.rate_rule("x", "piecewise(k, rem(time, 2) < 1, 0)")},
        r"the comparison 'rem\(time, 2\) < 1' has a side that may jump",
    ),
    "no value": (
        lambda x: {"Parameters": x.parameter("k") + x.parameter("x", 1.0, constant=False)},
        "parameter 'k' has no finite value",
    ),
    "cycle": (
        lambda x: {
            "Parameters": x.K + x.parameter("x", 1.0, constant=False),
            "Rules": x.assignment_rule("x", "x + 1"),
            "Reactions": x.reaction("r", "c * k * x", reactants=[("S", 1)]),
        },
        "'x' depends on itself",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_supported_is_refused_by_name(x, load, what):
    lists, message = REFUSED[what]
    whole = {
        "Species": x.S,
        "Parameters": x.K + x.parameter("x", 1.0, constant=False),
        "Reactions": x.DECAY,
    } | lists(x)
    if what == "delay":
        whole["Reactions"] = ""
    whole = {kind: content for kind, content in whole.items() if content}
    with pytest.raises(ModelError, match=message) as error:
        load(**whole)
    assert "small.xml" in str(error.value)


def test_a_fast_reaction_is_refused(tmp_path):
    """It is gone from Level 3 Version 2, and so from what libSBML converts to."""
    path = Path(__file__).parents[2] / "data" / "kholodenko2000.xml"
    changed = path.read_text().replace('id="v1" reversible', 'id="v1" fast="true" reversible')
    fast = tmp_path / "fast.xml"
    fast.write_text(changed)
    with pytest.raises(ModelError, match="reaction 'v1' is fast"):
        load_model(fast)


@pytest.mark.parametrize("content", ["", "no xml", "<sbml/>", "<html><body/></html>"])
def test_what_is_no_sbml_is_said_so(tmp_path, content):
    path = tmp_path / "broken.xml"
    path.write_text(content)
    with pytest.raises(ModelError, match=r"broken\.xml: (not readable as|not valid) SBML"):
        load_model(path)


def test_a_file_that_does_not_exist_is_named():
    with pytest.raises(ModelError, match=r"the file .*nowhere\.xml does not exist"):
        load_sbml("nowhere.xml")

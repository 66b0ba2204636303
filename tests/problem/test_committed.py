"""The documents under certified/ are whole, and claim no more digits than their bounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradaudit.problem.document import read

FOLDER = Path(__file__).parents[2] / "certified"


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.json")))
def test_a_document_claims_what_its_bounds_say(name):
    """10^-digits of an entry is at least its bound; the last place of the logarithm is rounded."""
    found = read(FOLDER / f"{name}.json")
    assert found["points"]["nominal"]["status"] == "ok"
    for point in found["points"].values():
        if point["status"].startswith("refused"):
            continue
        assert list(point["gradient"]) == found["parameters"]
        for parameter, derivative in point["gradient"].items():
            digits, bound = point["digits"][parameter], point["bounds"][parameter]
            if digits and derivative:
                assert bound <= 10.0**-digits * abs(derivative) * (1 + 1e-12)

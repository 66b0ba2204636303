"""The documents under certified/ are whole, and claim no more digits than their bounds."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from gradaudit.problem.document import read
from gradaudit.report.numbers import rounded_down

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "certified"
PAGE = (ROOT / "docs" / "certified.md").read_text()


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.json")))
def test_a_document_claims_what_its_bounds_say(name):
    """10^-digits of an entry is at least its bound; the last place of the logarithm is rounded."""
    found = read(FOLDER / f"{name}.json")
    nominal = found["points"]["nominal"]
    asked = nominal["least_digits"] >= 10.0
    assert (nominal["status"] == "ok") == asked
    assert asked or re.match(r"uncertified: [89]\.", nominal["status"])
    for point in found["points"].values():
        if point["status"].startswith("refused"):
            continue
        assert list(point["gradient"]) == found["parameters"]
        for parameter, derivative in point["gradient"].items():
            digits, bound = point["digits"][parameter], point["bounds"][parameter]
            if digits and derivative:
                assert bound <= 10.0**-digits * abs(derivative) * (1 + 1e-12)


def test_the_page_has_the_documents():
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.splitlines()]
    table = {row[0]: row for row in rows if len(row) == 6 and row[1].isdigit()}
    documents = [read(path) for path in sorted(FOLDER.glob("*.json"))]
    assert set(table) == {found["problem"] for found in documents}
    for found in documents:
        _, count, value, norm, digits, drawn = table[found["problem"]]
        nominal = found["points"]["nominal"]
        others = [p["status"] for name, p in found["points"].items() if name != "nominal"]
        assert int(count) == len(found["parameters"])
        assert float(value) == pytest.approx(nominal["log_likelihood"], rel=1e-9)
        assert float(norm) == pytest.approx(math.hypot(*nominal["gradient"].values()), rel=1e-5)
        told = "" if nominal["status"] == "ok" else ", uncertified"
        assert digits == rounded_down(nominal["least_digits"]) + told
        assert drawn == f"{others.count('ok')} of {len(others)}"


@pytest.mark.parametrize(("factor", "told"), [(1.0, False), (1.001, True)])
def test_the_example_of_the_page_tells_a_wrong_gradient(factor, told, monkeypatch, capsys):
    """A tool that is right is not named, and one that is wrong by 0.1 % is."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    points = read(FOLDER / "Boehm_JProteomeRes2014.json")["points"].values()

    def my_gradient(point):
        (known,) = [p["gradient"] for p in points if p["point"] == point]
        return {name: factor * derivative for name, derivative in known.items()}

    monkeypatch.chdir(ROOT)
    exec(code, {"my_gradient": my_gradient})
    assert bool(capsys.readouterr().out) == told

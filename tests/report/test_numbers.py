"""Numbers as sentences have them."""

import math

import pytest

from gradaudit.records.numbers import short, tolerance
from gradaudit.report.numbers import number, proportion


@pytest.mark.parametrize(
    ("share", "whole", "text"),
    [(0.6, 5, "3 of 5"), (1.0, 1, "1 of 1"), (0.0, 19, "0 of 19"), (0.6, 20, "60 %")],
)
def test_a_share_of_few_cases_is_a_count(share, whole, text):
    assert proportion(share, whole) == text


def test_a_share_that_is_no_count_of_the_cases_stays_a_percentage():
    assert proportion(0.5, 3) == "50 %"


def test_exponents_are_short_everywhere():
    assert number(1.234e-5, 2) == "1.2e-5"
    assert short(1.234e-3) == "1.2e-3"
    assert short(3.4e-13, 1) == "3e-13"
    assert short(math.inf) == short(math.nan) == tolerance(math.inf) == "not finite"
    assert tolerance(1e-3) == "1e-3"

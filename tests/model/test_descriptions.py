"""What a model says of itself holds in every setting in which it is shown."""

import re

import pytest

from library_models import DECLARED

VERDICTS = re.compile(r"\b(?:good|bad|horrible)\b", re.IGNORECASE)
WITH_WINDOWS = sorted(name for name, model in DECLARED.items() if "t_end" in model.axes)


@pytest.mark.parametrize("name", sorted(DECLARED))
def test_a_description_leaves_the_verdict_to_the_audit(name):
    assert not VERDICTS.search(DECLARED[name].description)


@pytest.mark.parametrize("name", WITH_WINDOWS)
def test_a_description_names_no_time_of_a_window_that_may_be_another(name):
    model = DECLARED[name]
    times = rf"\bt = \d|\b\d[\d.]* {re.escape(model.time_unit)}\b"
    assert not re.search(times, model.description)

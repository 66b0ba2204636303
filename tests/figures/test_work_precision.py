"""The axis of times, whatever the times."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.figure import Figure

from gradaudit.figures.work_precision import time_axis


@pytest.mark.parametrize("ratio", [1.0, 1.2, 3.0, 30.0, 1e4])
@pytest.mark.parametrize("first", [1e-4, 1.7e-4, 4.9e-2])
def test_ticks_are_round_times_of_which_none_is_close_to_another(first, ratio):
    ax = Figure().subplots()
    time_axis(ax, np.array([first, first * ratio]))
    low, high = ax.get_xlim()
    ticks = [tick for tick in ax.get_xticks() if low <= tick <= high]
    assert len(ticks) >= 2
    assert min(b / a for a, b in pairwise(ticks)) > 1.9
    assert all(f"{tick:.0e}"[0] in "125" for tick in ticks)
    assert low < first
    assert high > first * ratio

"""The lines of progress in a job's log."""

import pytest

from gradaudit.pipeline.progress import to_stderr


@pytest.mark.parametrize(
    ("fraction", "line"),
    [(0.0, "  0.0 %  begun\n"), (0.256, " 25.6 %  begun\n"), (1.0, "100.0 %  begun\n")],
)
def test_progress_is_a_percentage_of_fixed_width_on_stderr(fraction, line, capsys):
    to_stderr(fraction, "begun")
    assert capsys.readouterr() == ("", line)

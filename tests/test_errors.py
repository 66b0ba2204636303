"""What messages are made of."""

from __future__ import annotations

from gradaudit.errors import first_few


def test_a_message_names_three_and_counts_the_others():
    assert first_few(["a", "b", "c"]) == "'a', 'b', 'c'"
    assert first_few(f"p{k}" for k in range(35)) == "'p0', 'p1', 'p2' and 32 more"
    assert first_few(("a", "b", "c", "d"), quoted=False) == "a, b, c and 1 more"
    assert first_few([]) == ""

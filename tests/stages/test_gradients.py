"""How short solves are timed in stage gradients."""

from types import SimpleNamespace

from gradaudit.stages.gradients import READINGS, SHORT, _time_again


def test_the_fastest_of_several_rounds_is_kept_and_long_solves_are_timed_once():
    calls = []

    def solve(name, seconds):
        def again():
            calls.append(name)
            return SimpleNamespace(stats={"seconds": seconds[calls.count(name) - 1]})

        return again

    slow, quick = {"seconds": 2 * SHORT}, {"estimate_seconds": 3e-3}
    _time_again(
        [
            (slow, "seconds", solve("slow", [1e-9])),
            (quick, "estimate_seconds", solve("quick", [4e-3, 1e-3])),
        ]
    )
    assert slow == {"seconds": 2 * SHORT}
    assert quick == {"estimate_seconds": 1e-3}
    assert calls == ["quick"] * (READINGS - 1)

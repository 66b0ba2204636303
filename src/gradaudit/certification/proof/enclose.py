"""The program that encloses a solution with CAPD; it runs alone, in a process of its own.

Arithmetic with intervals changes the rounding mode of the processor, an enclosure that grows
without bound may take forever, and CAPD has another licence. So nothing of this project is imported
here, and nothing imports CAPD elsewhere. The request is one line of JSON on the standard input. The
answer is one line per observation time, written when it is reached, and then one that says how it
ended. Numbers are hexadecimal text, which no rounding mode changes.

Parameters are states that stay as they are, so that a set of class C1 encloses the derivatives with
respect to them. With y0(p), the derivative of the states with respect to the parameters is the
product of that of the flow with (dy0/dp, 1).
"""

from __future__ import annotations

import json
import math
import signal
import sys
from typing import Any

SPECK = 1e-30
"""By how much the initial states are inflated, without which no step leaves an equilibrium."""


def main() -> None:
    """Answer the request on the standard input."""
    try:
        import capdpy
    except ImportError as error:
        say(ended=f"CAPD cannot be imported: {error}")
        return
    request = json.loads(sys.stdin.readline())
    if hasattr(signal, "alarm"):  # in case nobody is left who would end this process
        signal.alarm(request["seconds"])
    try:
        ended = enclose(capdpy, request)
    except Exception as error:  # CAPD throws many kinds
        # without the numbers, which may follow in thousands
        ended = " ".join(f"{type(error).__name__}: {error}".split()).partition(" the set:")[0][:120]
    say(ended=ended)


def enclose(capd: Any, request: dict[str, Any]) -> str:
    """Write a line per observation time; "ok"."""

    def exact(text: str) -> Any:
        return capd.Interval(float.fromhex(text))

    n, m = request["n"], request["m"]
    p = capd.IVector([exact(text) for text in request["parameters"]])
    slopes = capd.IMatrix(n, m)
    y0 = capd.IMap(request["start"])(p, slopes)
    initial = capd.IVector([*(y0[i] for i in range(n)), *(p[j] for j in range(m))])
    directions = capd.IMatrix(n + m, m)
    for j in range(m):
        for i in range(n):
            directions[i, j] = slopes[i, j]
        directions[n + j, j] = capd.Interval(1.0)
    field = capd.IMap(request["field"])
    flow = capd.ITimeMap(capd.IOdeSolver(field, request["order"]))
    # CAPD wants a point, and what is around it.
    lower = [capd.Interval(y0[i].leftBound()) for i in range(n)]
    point = capd.IVector([*lower, *(p[j] for j in range(m))])
    speck = capd.Interval(-SPECK, SPECK)
    around = [y0[i] - lower[i] + speck for i in range(n)] + [capd.Interval(0.0)] * m
    current = capd.C1Rect2Set(point, capd.IVector(around), capd.Interval(0.0))
    reached = 0.0
    for text in request["times"]:
        values, derivatives = initial, directions
        time = float.fromhex(text)
        if time > 0.0:
            count = max(1, math.ceil((time - reached) / request["longest"]))
            for k in range(1, count):
                flow(capd.Interval(reached + (time - reached) * (k / count)), current)
            of_flow = capd.IMatrix(n + m, n + m)
            values = flow(capd.Interval(time), current, of_flow)
            derivatives = of_flow @ directions
            reached = time
        say(
            states=[ends(values[i]) for i in range(n)],
            sensitivities=[[ends(derivatives[i, j]) for j in range(m)] for i in range(n)],
        )
    return "ok"


def ends(interval: Any) -> tuple[str, str]:
    """The ends of an interval."""
    return float(interval.leftBound()).hex(), float(interval.rightBound()).hex()


def say(**answer: Any) -> None:
    """Write one line."""
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()

"""The computations of the stages `experiment` and `sweep`.

What every gradient needs belongs to `sensitivity`.
"""

"""Proofs of certified references: a validated integrator encloses states and sensitivities.

CAPD, which does so with intervals, runs in a process of its own and is known to this package alone.
"""

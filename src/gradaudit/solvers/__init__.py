"""Diffrax solvers and step control, lifted to tangents and error estimates.

Nothing that knows a model.
"""

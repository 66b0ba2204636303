"""Diffrax solvers and step control, lifted to tangents and error estimates; nothing here knows what
a model is.
"""

"""Functionals of stored solutions, and error, attribution, indicators and verdict of their
gradients; it knows no solver and no JAX.
"""

"""Verdicts on gradients that others computed: of a function with solves of diffrax inside, of a
model or of an estimation problem; how to compute better ones belongs to `checked`.
"""

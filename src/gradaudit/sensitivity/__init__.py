"""Solves of a model with its sensitivities, by every method; certified solves belong to
`certification`.
"""

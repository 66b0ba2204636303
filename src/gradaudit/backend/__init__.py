"""JAX itself: its set-up, compiled programs and what can be read from a jaxpr.

Nothing that knows a model.
"""

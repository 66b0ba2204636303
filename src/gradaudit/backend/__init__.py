"""JAX itself: its set-up, the cache of compiled programs, and reading of jaxprs; nothing here knows
what a model is.
"""

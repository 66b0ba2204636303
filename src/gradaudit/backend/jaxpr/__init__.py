"""Programs of JAX as data: tracing them and walking them.

What is concluded for a model belongs to `model`.
"""

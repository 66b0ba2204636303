"""Solves with sensitivities by every method; certified references belong to `certification`."""

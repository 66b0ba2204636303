"""Results as MLflow runs, and how they reach a store once and only once; no other package knows
MLflow.
"""

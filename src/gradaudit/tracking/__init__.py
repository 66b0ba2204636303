"""Results as MLflow runs: what is logged (plans), and how it reaches a store and stays the same."""

"""The library of models: one file a model, found by folder."""

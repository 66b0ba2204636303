"""What a model is, how it is read and checked; no solver."""

"""How far a gradient can be trusted, from what is seen without a reference."""

"""What a model is, how it is read, from Python or SBML, and checked; it knows no solver."""

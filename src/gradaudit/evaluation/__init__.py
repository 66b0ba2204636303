"""From stored solutions to errors, attribution and verdicts; no solver and no JAX."""

"""The catalogue of what can be extended by a file, and what is stored and how, from results to
provenance; nothing is computed here.
"""

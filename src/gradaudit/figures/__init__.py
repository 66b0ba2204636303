"""Figures from tables, one module each; nothing is computed that a table could hold."""

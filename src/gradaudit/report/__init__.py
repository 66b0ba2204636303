"""The report: sentences, tables and figures in one HTML file, all of it computed from tables."""

"""Figures: every module draws one, from tables to a matplotlib Figure; none of them writes."""

"""Made-up audits, for tables and sentences."""

from audits import audits

__all__ = ["audits"]

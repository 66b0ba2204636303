"""Certified references: solves in rising precision, and how many digits of them hold.

What a user's own solve gives belongs to `sensitivity`.
"""

from __future__ import annotations

from gradaudit.certification.ladder import reference

__all__ = ["reference"]

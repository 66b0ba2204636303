"""Certified references: solves in rising precision, and how many digits of them hold; what a user's
own solver gives belongs to `sensitivity`.
"""

from __future__ import annotations

from gradaudit.certification.ladder import reference

__all__ = ["reference"]

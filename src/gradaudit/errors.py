"""The exceptions that reach a user: each message says what was wrong, where, and what to do."""

from __future__ import annotations


class GradauditError(Exception):
    """Base of every error that is the user's to mend; shown without a traceback."""


class ModelError(GradauditError):
    """A model that cannot be loaded, or is not what its declaration says."""


class SettingError(GradauditError):
    """A solver, method, tolerance, time or configuration value that makes no sense."""


class TranslationError(GradauditError):
    """A vector field that the Taylor method cannot integrate correctly."""


class MissingResultError(GradauditError):
    """A stage was asked to run before the stages that it reads from."""


class ModelWarning(UserWarning):
    """A model that is most likely not what was meant, and whose results are right all the same."""

"""A process of an audit: it runs stages and reports progress to its parent."""

from __future__ import annotations

import importlib
import os
import traceback
import warnings
from multiprocessing.connection import Connection

from gradaudit.cli.audit.job import Job, JobOutcome
from gradaudit.errors import GradauditError, ModelWarning

_reports: Connection | None = None  # of a process of the pool: to the one that started it


def begin(reports: Connection) -> None:
    """Prepare a process of the pool: what a model's file prints or reads is not for the user."""
    global _reports
    _reports = reports
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)


def _report(fraction: float, text: str) -> None:
    if _reports is not None:
        _reports.send((fraction, text))


def run(job: Job) -> JobOutcome:
    """Run a job in this process."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ModelWarning)
        message, refused = "", False
        try:
            if job.cache is not None:
                from gradaudit.backend.jax_setup import use_compilation_cache

                use_compilation_cache(job.cache)
            stage = importlib.import_module(f"gradaudit.stages.{job.stage}")
            stage.run(**job.arguments, report=_report)
        except GradauditError as error:
            message, refused = str(error), True
        except SystemExit as error:  # raised by a model's file
            message = f"the model ended the process with exit code {error.code}"
        except Exception as error:
            message = "".join(traceback.format_exception_only(error)).strip()
    messages = tuple(str(w.message) for w in caught if issubclass(w.category, ModelWarning))
    return JobOutcome(message=message, refused=refused, warnings=messages)

"""Messages on jobs with many files are short, and others are as they were."""

import logging

import pytest

from gradaudit.pipeline import job_messages


@pytest.fixture
def said():
    """What arrives of a message with these extras."""
    logger = logging.Logger("jobs")
    records = []
    handler = logging.Handler()
    handler.emit = records.append
    logger.addHandler(handler)
    job_messages.shorten(logger)
    job_messages.shorten(logger)  # a second time changes nothing

    def say(**extra):
        logger.info("a job", extra=extra)
        return records[-1]

    return say


def test_many_files_are_counted(said):
    files = [f"results/evaluate/model_{k}.parquet" for k in range(200)]
    record = said(input=files, output=files[:2], reason="Updated: " + ", ".join(files))
    assert record.input[0] == files[0]
    assert record.input[-1] == f"and {200 - len(record.input) + 1} more"
    assert record.output == files[:2]
    assert len(record.reason) < 280
    assert record.reason.startswith("Updated: results/evaluate/model_0.parquet, ")
    assert record.reason.endswith(" more")


@pytest.mark.parametrize("reason", ["Forced execution", "a" * 1000, "a" * 200 + ", " + "b" * 60])
def test_nothing_is_left_out_where_it_would_not_shorten(said, reason):
    assert said(reason=reason).reason == reason


def test_other_messages_pass(said):
    assert said().getMessage() == "a job"

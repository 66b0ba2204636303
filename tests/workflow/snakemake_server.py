"""Runs Snakemake for the tests: imports it once, and forks for every command line.

Reads one JSON list of arguments a line; answers with one JSON object, the exit code and the output.
The package under test is imported in the forks alone, so that they see what a test has edited.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile

import pandas  # noqa: F401  # a second of Snakemake's start
import snakemake.cli


def run(arguments: list[str]) -> dict[str, object]:
    """Run Snakemake in a fork, with its output in a file."""
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if child == 0:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            code = 1
            try:
                snakemake.cli.main(arguments)
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else int(end.code is not None)
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        _, status = os.waitpid(child, 0)
        output.seek(0)
        text = output.read().decode(errors="replace")
    return {"code": os.waitstatus_to_exitcode(status), "output": text}


if __name__ == "__main__":
    snakemake.cli.get_argument_parser()  # imports the plugins
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)

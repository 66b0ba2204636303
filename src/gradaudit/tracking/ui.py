"""MLflow's user interface on a store: ``python -m gradaudit.tracking.ui``, on this machine only."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from gradaudit.tracking.store import database_of, default_uri, quiet_environment, relocate

# MLflow opens with its pages for language models otherwise.
_PAGE = "#/experiments?workflowType=machine_learning"


def main(arguments: list[str] | None = None) -> int:
    """Serve the store until interrupted; replaces this process by MLflow's server."""
    parser = argparse.ArgumentParser(prog="python -m gradaudit.tracking.ui", description=__doc__)
    parser.add_argument("--uri", default="", help="tracking URI; empty for the default store")
    parser.add_argument("--store", type=Path, default=Path("results/mlflow"), metavar="DIR")
    parser.add_argument("--port", type=int, default=5000)
    options = parser.parse_args(arguments)
    uri = options.uri or default_uri(options.store)
    if uri.startswith(("http://", "https://")):
        print(f"The results are on a tracking server: open {uri} in a browser.")
        return 0
    database = database_of(uri)
    folder = database.resolve().parent if database else options.store.resolve()
    if database is not None and not database.is_file():
        print(f"{database} does not exist: run stage track first.", file=sys.stderr)
        return 2
    if database is not None:
        relocate(database)
        uri = f"sqlite:///{database.resolve()}"
    quiet_environment()
    print(f"Open http://127.0.0.1:{options.port}/{_PAGE} (stop with Ctrl-C)", flush=True)
    server = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1"]
    server += ["--port", str(options.port), "--backend-store-uri", uri, "--workers", "1"]
    server += ["--artifacts-destination", str(folder / "artifacts")]
    os.execv(sys.executable, server)


if __name__ == "__main__":
    raise SystemExit(main())

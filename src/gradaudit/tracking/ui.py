"""``python -m gradaudit.tracking.ui CONFIG``: MLflow's user interface, on this machine only.

`make ui` calls it. It reads the configuration itself: no value of it passes through a shell, or
appears among the arguments of `make` and of this program.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from gradaudit.errors import GradauditError
from gradaudit.pipeline.address import check_address
from gradaudit.pipeline.config.files import read_source
from gradaudit.pipeline.config.reading import study_of
from gradaudit.tracking.store import database_of, default_uri, quiet_environment, relocate

# MLflow opens with its pages for language models otherwise.
_PAGE = "#/experiments?workflowType=machine_learning"


def main(arguments: list[str] | None = None) -> int:
    """Show the runs of a study until interrupted; 2 if the configuration is invalid."""
    parser = argparse.ArgumentParser(prog="python -m gradaudit.tracking.ui", description=__doc__)
    parser.add_argument("config", type=Path, help="configuration file")
    parser.add_argument("--port", type=int, default=5000)
    options = parser.parse_args(arguments)
    if not options.config.is_file():
        print(f"{options.config}: there is no such configuration file.", file=sys.stderr)
        return 2
    try:
        source = read_source(options.config)
        study = study_of(source.data or {}, sources=[source])
        check_address(study.tracking.uri)
    except GradauditError as error:
        print(error, file=sys.stderr)
        return 2
    results = Path(study.results)
    return show(
        uri=study.tracking.uri,
        store=results / "mlflow",
        port=options.port,
        views=_views(results / "track/done.json"),
    )


def _views(done: Path) -> dict[str, str]:
    """Name of every prepared view to its page, as stage track wrote them; empty if it did not."""
    try:
        return dict(json.loads(done.read_text()).get("views", {}))
    except (OSError, ValueError):
        return {}


def show(*, uri: str, store: Path, port: int, views: Mapping[str, str] | None = None) -> int:
    """Serve a store until interrupted; replaces this process by MLflow's server.

    Parameters
    ----------
    uri
        Tracking URI; empty for the SQLite file in the folder `store`.
    store
        That folder.
    port
        Of the address at which the runs are shown.
    views
        Name of every prepared view to its page.

    Returns
    -------
    int
        The exit code, where there is nothing to serve: 0 for runs on a server, 2 for no store.
    """
    uri = uri or default_uri(store)
    if uri.startswith(("http://", "https://")):
        print(f"The results are on a tracking server: open {uri} in a browser.")
        _print_views(uri.rstrip("/"), views)
        return 0
    database = database_of(uri)
    folder = database.resolve().parent if database else store.resolve()
    if database is not None and not database.is_file():
        print(f"{database} does not exist: run stage track first.", file=sys.stderr)
        return 2
    if database is not None:
        relocate(database)
        uri = f"sqlite:///{database.resolve()}"
    quiet_environment()
    address = f"http://127.0.0.1:{port}"
    print(f"Open {address}/{_PAGE} (stop with Ctrl-C)")
    _print_views(address, views)
    sys.stdout.flush()
    server = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1"]
    server += ["--port", str(port), "--backend-store-uri", uri, "--workers", "1"]
    server += ["--artifacts-destination", str(folder / "artifacts")]
    os.execv(sys.executable, server)


def _print_views(address: str, views: Mapping[str, str] | None) -> None:
    """A prepared view a line; they are under "Views" on the page of the runs, too."""
    for name, page in (views or {}).items():
        print(f"  {name}:\n    {address}/{page}")


if __name__ == "__main__":
    raise SystemExit(main())

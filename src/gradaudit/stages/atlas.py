"""Stage: every model together: all audits, verdicts, cheapest settings, and tables of answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from gradaudit.analysis.frontier import cheapest_settings, ladders
from gradaudit.analysis.functional_ranking import ranking as ranking_of
from gradaudit.analysis.regimes import regimes as regimes_of
from gradaudit.analysis.remedies import remedies as remedies_of
from gradaudit.analysis.scaling_laws import laws as laws_of
from gradaudit.records.files import read_table, write_table


def run(
    *,
    tables: list[Path],
    settings: dict[str, Any],
    audits: Path,
    verdicts: Path,
    frontier: Path,
    laws: Path,
    ranking: Path,
    remedies: Path,
    regimes: Path,
) -> None:
    """Write all rows and what is computed from them.

    That is one verdict a ladder, the cheapest setting for each wanted accuracy, scaling laws, the
    ranking of functionals, the effect of remedies, and mechanism by method.
    """
    everything = pd.concat([read_table(path) for path in tables], ignore_index=True)
    written = {
        audits: everything,
        verdicts: ladders(everything),
        frontier: cheapest_settings(everything, settings["accuracies"]),
        laws: laws_of(everything),
        ranking: ranking_of(everything),
        remedies: remedies_of(everything),
        regimes: regimes_of(everything),
    }
    for path, table in written.items():
        write_table(table, path, stage="atlas", settings=settings)

"""Stored arrays are read, judged and written; how they are judged is tested elsewhere."""

import pandas as pd
import xarray as xr

from gradaudit.records.files import read_provenance, read_table, write_dataset
from gradaudit.stages import evaluate


def test_reference_and_gradients_are_handed_over_in_their_order(tmp_path, monkeypatch):
    paths = [tmp_path / f"{name}.nc" for name in ("reference", "tsit5", "dopri8")]
    for number, path in enumerate(paths):
        dataset = xr.Dataset(attrs={"number": number})
        write_dataset(dataset, path, stage="gradients", settings={})

    def judged(reference, gradients, settings):
        numbers = [dataset.attrs["number"] for dataset in (reference, *gradients)]
        return pd.DataFrame({"number": numbers, "good": settings["good"]})

    monkeypatch.setattr(evaluate, "evaluate", judged)
    output = tmp_path / "made_up.parquet"
    evaluate.run(reference=paths[0], gradients=paths[1:], settings={"good": 0.5}, output=output)
    found = read_table(output)
    assert found["number"].tolist() == [0, 1, 2]
    assert found["good"].tolist() == [0.5] * 3
    assert read_provenance(output)["settings"] == '{"good":0.5}'

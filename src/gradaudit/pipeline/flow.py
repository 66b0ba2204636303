"""The stages with their inputs and outputs, put together from what modules declare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType

from gradaudit.errors import SettingError
from gradaudit.records.declarations import declared
from gradaudit.records.figure import EACH, KINDS, PROBLEMS, drawings, drawings_of, table_name
from gradaudit.records.stage import Output, Stage
from gradaudit.records.table import tables


def figure_kinds() -> list[str]:
    """The kinds of figures that there are any of."""
    return [kind for kind in KINDS if any(f.of == kind for _, f in drawings().values())]


@cache
def stages() -> Mapping[str, Stage]:
    """Every stage by name, whoever reads after whoever writes.

    The stage figures is here once for each kind of figures, as ``figures_model`` for example.
    """
    by_name = {
        name: stage
        for name, (_, stage) in declared(
            "stages", "STAGE", {"Stage": Stage, "Output": Output}
        ).items()
    }
    made = {
        name: Output(f"atlas/{name}.parquet", f"Parquet table: {table.about}")
        for name, (_, table) in tables().items()
    }
    by_name["atlas"] = replace(by_name["atlas"], outputs={**by_name["atlas"].outputs, **made})
    base = by_name.pop("figures")
    by_name |= {f"figures_{kind}": _figure_stage(base, kind) for kind in figure_kinds()}
    return MappingProxyType(
        dict(sorted(by_name.items(), key=lambda item: _depth(item[1], by_name)))
    )


def sources_of(reference: str) -> list[tuple[str, Stage, Output]]:
    """What an input refers to: the name of the stage, the stage, and its output.

    The reference "figures" stands for all figures.

    Raises
    ------
    SettingError
        If there is no such stage or output.
    """
    stage, _, output = reference.partition(".")
    if stage == "figures":
        return [
            (name, writer, made)
            for name, writer in stages().items()
            if name.startswith("figures_")
            for made in writer.outputs.values()
        ]
    try:
        return [(stage, stages()[stage], stages()[stage].outputs[output or "output"])]
    except KeyError:
        raise SettingError(f"no stage writes {reference!r}, which another one reads.") from None


def is_figures(name: str) -> bool:
    """Whether a stage draws figures of one kind."""
    return name.startswith("figures_")


def is_list(stage: Stage, reference: str) -> bool:
    """Whether an input is a list of files: the stage that writes them has jobs for more."""
    sources = sources_of(reference)
    return len(sources) != 1 or not set(sources[0][1].each) <= set(stage.each)


def option_of(name: str) -> str:
    """The option of a command: --output-dir for output_dir."""
    return f"--{name.replace('_', '-')}"


def _figure_stage(base: Stage, kind: str) -> Stage:
    drawn = drawings_of(kind)
    needs = dict.fromkeys(need for _, figure in drawn.values() for need in figure.needs)
    suffix = "_{model}" if kind in EACH else ""
    return replace(
        base,
        about=f"figures: {', '.join(figure.label for _, figure in drawn.values())}",
        each=("model",) if kind in EACH else (),
        models=EACH.get(kind, base.models),
        problems=kind in PROBLEMS,
        inputs={table_name(need): need for need in needs},
        outputs={
            name: Output(f"figures/{name}{suffix}.png", figure.label)
            for name, (_, figure) in drawn.items()
        },
    )


def _depth(stage: Stage, by_name: Mapping[str, Stage]) -> int:
    """How many stages come before it."""
    above = {reference.partition(".")[0] for reference in stage.inputs.values()}
    before = [
        other for name, other in by_name.items() if name in above or name.partition("_")[0] in above
    ]
    return 1 + max((_depth(other, by_name) for other in before), default=0)

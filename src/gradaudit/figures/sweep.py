"""A model along its first parameter: the effect of step control on a smooth function."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.ticker import MaxNLocator

from gradaudit.figures import layout, style
from gradaudit.records.figure import Drawing

FIGURE = Drawing(
    of="sweep",
    tables=("sweep",),
    label="along a parameter",
    category="Along a parameter",
    caption=(
        "The computed value along the first parameter, its slopes by difference quotients and on "
        "the frozen grid, their errors against the step, and the numbers of steps or of events. "
        "The titles of the panels state what is seen there."
    ),
)

MOST_JUMPS = 5  # that are spelt out
CLEARLY = 2.0  # a factor by which an error is larger than another one
BEYOND = 1.6  # the range of the exact slope that is shown, over that range


def sweep(dataset: xr.Dataset, *, settings: Mapping[str, Any]) -> Figure:
    """Four panels: roughness of J, its slopes, the V-curve, and the steps or numbers of events.

    Parameters
    ----------
    dataset
        Of stage sweep.
    settings
        ``palette`` and ``dpi``.
    """
    model = json.loads(dataset.attrs["model_json"])
    made = json.loads(dataset.attrs.get("settings", "{}"))
    with style.styled(settings):
        figure = plt.figure(figsize=(13.6, 8.6))
        grid = GridSpec(
            2, 2, figure=figure, left=0.07, right=0.985, top=0.85, bottom=0.075,
            hspace=0.36, wspace=0.17,
        )  # fmt: skip
        axes = [figure.add_subplot(grid[k // 2, k % 2]) for k in range(4)]
        colours = style.method_colours(["forward_ad", "finite_difference"], settings["palette"])
        _roughness(axes[0], dataset)
        _slopes(axes[1], dataset, colours)
        _v_curve(axes[2], dataset, colours)
        (_counts if dataset.sizes["event"] else _steps)(axes[3], dataset)
        for ax in (axes[0], axes[1], axes[3]):
            ax.set_xlabel(_name(dataset, model))
            ax.set_xlim(float(dataset["p"].min()), float(dataset["p"].max()))
        layout.head(figure, *_titles(dataset, model, made))
    return figure


def wrong_signs(slopes: xr.DataArray, exact: xr.DataArray) -> int:
    """How many slopes have not the sign of the exact ones, failures included."""
    return int(np.sum(np.sign(slopes.values) != np.sign(exact.values)))


def slopes_title(dataset: xr.Dataset) -> str:
    """How wrong the slopes are that the panel shows, as root mean squares over the points."""
    exact = dataset["exact_gradient"].values
    frozen = _relative(dataset["gradient"].values, exact)
    errors = []
    for index in range(dataset.sizes["step"]):
        error = _relative(dataset["quotient"].isel(step=index).values, exact)
        errors.append(error)
    return (
        f"The slope's error: {frozen} by the frozen grid, {' and '.join(errors)} by "
        f"difference quotient{'s' if len(errors) != 1 else ''}"
    )


def v_title(dataset: xr.Dataset) -> str:
    """Which steps of difference quotients fail, in the order in which they are drawn."""
    errors = dataset["v_along"].values[np.argsort(dataset["v_step"].values)]
    errors = errors[np.isfinite(errors)]
    if not len(errors):
        return "No difference quotient is finite"
    best, frozen = float(errors.min()), float(dataset["v_frozen"])
    small, large = errors[0] > CLEARLY * best, errors[-1] > CLEARLY * best
    finding = {
        (True, True): "Small and large steps fail",
        (True, False): "Small steps fail",
        (False, True): "Large steps fail",
        (False, False): "The step hardly matters",
    }[bool(small), bool(large)]
    compared = f", of the frozen grid {frozen:.1g}" if np.isfinite(frozen) else ""
    return f"{finding}: least error {best:.1g}{compared}"


def _relative(slopes: np.ndarray, exact: np.ndarray) -> str:
    both = np.isfinite(slopes) & np.isfinite(exact)
    size = float(np.sum(exact[both] ** 2))
    if not size:
        return "not known"
    return f"{float(f'{np.sqrt(np.sum((slopes - exact)[both] ** 2) / size):.1g}'):g}"


def _name(dataset: xr.Dataset, model: Mapping[str, Any]) -> str:
    parameter = dataset.attrs["parameter"]
    return f"{parameter}{_unit(model['parameters'][parameter][1], ' ({})')}"


def _unit(unit: str, form: str) -> str:
    """A unit in its place, nothing where it is 1."""
    return "" if unit in ("", "1") else form.format(unit)


def _titles(
    dataset: xr.Dataset, model: Mapping[str, Any], made: Mapping[str, Any]
) -> tuple[str, str]:
    exact, points = dataset["exact_gradient"], dataset.sizes["p"]
    finest = dataset["quotient"].isel(step=int(np.argmin(dataset["step"].values)))
    title = (
        f"{model['name']} along {dataset.attrs['parameter']}: a difference quotient has the wrong "
        f"sign at {wrong_signs(finest, exact)} of {points} points, the frozen grid at "
        f"{wrong_signs(dataset['gradient'], exact)}"
    )
    solver = f"{made.get('solver', '')} at rtol {style.power(made['rtol'])}" if made else ""
    observable = dataset.attrs["observable"]
    return title, (
        f"J = {observable} at t = {model['t_end']:g}{_unit(model['time_unit'], ' {}')}, {solver}. "
        f"The exact slope at {dataset.attrs['parameter']} = {dataset.attrs['nominal']:g} is "
        f"{dataset.attrs['reference_gradient']:.6g}, certified to "
        f"{int(dataset.attrs['reference_digits'])} digits."
    )


def _roughness(ax: Axes, dataset: xr.Dataset) -> None:
    ax.axhline(0.0, color=style.FAINT, lw=1.0)
    ax.plot(dataset["p"], dataset["roughness"], color=style.INK, ls="none", marker=".", ms=3.5)
    unit = json.loads(dataset.attrs["model_json"])["states"][dataset.attrs["observable"]]
    ax.set_ylabel(f"error of J, less a smooth fit{_unit(unit, ' ({})')}")
    jump = float(dataset.attrs["largest_jump"])
    found = (
        f"jumps: the largest single jump located is {style.power(float(f'{jump:.1e}'))}"
        if jump > 0.0
        else "has no jump that was found"
    )
    ax.set_title(f"The computed J {found}")


def _slopes(ax: Axes, dataset: xr.Dataset, colours: Mapping[str, Any]) -> None:
    p, exact = dataset["p"].values, dataset["exact_gradient"]
    held = exact.values[np.isfinite(exact.values)]
    low, high = (float(held.min()), float(held.max())) if held.size else (-1.0, 1.0)
    room = BEYOND * max(high - low, 0.1 * max(abs(low), abs(high))) / 2.0
    middle = (low + high) / 2.0
    bottom, top = middle - room, middle + room
    quotients = dataset["quotient"]
    for index, step in enumerate(dataset["step"].values):
        slopes = quotients.isel(step=index)
        beyond = (slopes.values < bottom) | (slopes.values > top)
        colour = colours["finite_difference"]
        label = (
            f"difference quotient, step {style.power(step)} of p: "
            f"{wrong_signs(slopes, exact)} wrong signs"
            + (f", {int(beyond.sum())} off the scale" if beyond.any() else "")
        )
        shown = np.clip(slopes.values, bottom, top)
        face = colour if index == 0 else "white"
        ax.plot(p, shown, ls="none", marker="o", ms=3.0, mfc=face, mec=colour, mew=0.7, label=label)
    ax.axhline(0.0, color=style.FAINT, lw=1.0, zorder=0)
    ax.plot(p, exact, color=style.INK, lw=3.2, alpha=0.35, label="exact")
    ax.plot(
        p,
        np.clip(dataset["gradient"].values, bottom, top),
        color=colours["forward_ad"],
        lw=1.3,
        label=f"frozen grid (forward AD): {wrong_signs(dataset['gradient'], exact)} wrong signs",
    )
    ax.set_ylim(bottom - 0.04 * room, top + 1.0 * room)
    ax.legend(loc="upper left", borderaxespad=0.1)
    ax.set_ylabel("dJ/dp")
    ax.set_title(slopes_title(dataset))


def _v_curve(ax: Axes, dataset: xr.Dataset, colours: Mapping[str, Any]) -> None:
    steps, colour = dataset["v_step"], colours["finite_difference"]
    ax.plot(steps, dataset["v_along"], color=colour, marker="o", ms=4, label="along p, mean square")
    if "v_at_jump" in dataset:
        ax.plot(
            steps, dataset["v_at_jump"], color=colour, marker="s", ms=4, mfc="white",
            ls=(0, (3, 2)), label="at the largest jump",
        )  # fmt: skip
    ax.axhline(
        float(dataset["v_frozen"]), color=colours["forward_ad"], label="frozen grid, mean square"
    )
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(float(steps.min()) / 2.0, float(steps.max()) * 2.0)
    ax.set_xlabel("step of the difference quotient, over p")
    ax.set_ylabel("relative error of dJ/dp")
    ax.legend(loc="upper right")
    if not np.isfinite(dataset["v_along"]).any():
        ax.set_ylim(1e-6, 1.0)  # nothing to be drawn tells the range
    ax.set_title(v_title(dataset))


def _steps(ax: Axes, dataset: xr.Dataset) -> None:
    for name, colour in (("accepted", style.INK), ("rejected", style.MUTED)):
        ax.plot(dataset["p"], dataset[name], drawstyle="steps-mid", lw=1.1, color=colour)
        ax.annotate(
            name, (1.0, float(dataset[name][-1])), xycoords=("axes fraction", "data"),
            xytext=(-4, 4), textcoords="offset points", ha="right", color=colour,
            bbox={"facecolor": "white", "alpha": 0.8, "lw": 0, "pad": 0.5},
        )  # fmt: skip
    ax.set_ylabel("steps")
    ax.set_ylim(bottom=0.0)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    counts = np.stack([dataset[name].values for name in ("accepted", "rejected")])
    changes = int(np.any(np.diff(counts, axis=1) != 0, axis=0).sum())
    ax.set_title(f"The number of accepted or rejected steps changes {_times(changes)} along p")


def _counts(ax: Axes, dataset: xr.Dataset) -> None:
    for event in dataset["event"].values:
        ax.plot(
            dataset["p"], dataset["exact_count"].sel(event=event), drawstyle="steps-mid", lw=4,
            color=style.FAINT,
        )  # fmt: skip
        ax.plot(
            dataset["p"], dataset["count"].sel(event=event), drawstyle="steps-mid", lw=1.2,
            color=style.INK,
        )  # fmt: skip
    computed = dataset["jump_curve"].values == "computed"
    lines = [
        f"{event}: {before} to {after} at {place:.6g} ({curve})"
        for event, before, after, place, curve in zip(
            *(
                dataset[f"jump_{part}"].values
                for part in ("event", "before", "after", "p", "curve")
            ),
            strict=True,
        )
    ]
    if len(lines) > MOST_JUMPS:
        lines = [*lines[:MOST_JUMPS], f"and {len(lines) - MOST_JUMPS} more"]
    ax.text(0.02, 0.95, "\n".join(lines), transform=ax.transAxes, va="top", linespacing=1.4)
    ax.set_ylabel(f"number of events: {', '.join(dataset['event'].values)}")
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.margins(y=0.4)
    ax.set_title(
        f"The number of events jumps {_times(int(computed.sum()))}; elsewhere its derivative is 0 "
        "(grey: exact)"
    )


def _times(count: int) -> str:
    return {0: "nowhere", 1: "once", 2: "twice"}.get(count, f"{count} times")

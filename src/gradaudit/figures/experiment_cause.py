"""The left half of the experiment's figure: trace, residual, sensitivity, and their product."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from gradaudit.figures import style


def draw_cause(
    axes: Sequence[Axes],
    traces: xr.Dataset,
    model: Mapping[str, Any],
    colours: Mapping[str, Any],
    *,
    nominal: str,
    norm: float,
) -> None:
    """Four panels over one time axis.

    Parameters
    ----------
    axes
        Four of them, from top to bottom.
    traces
        Of stage experiment, at the loosest tolerance.
    model
        What `model_json` says of the model.
    colours
        Of the variants.
    nominal
        What made the nominal trace.
    norm
        Of the gradient with dual numbers, NaN if there is none.
    """
    time = traces["time"].values
    residual = _residual(traces)
    amplification = traces["amplification"].values
    colour = colours.get("dual_norm", style.INK)
    _trace(axes[0], traces, model, nominal)
    axes[1].axhline(0.0, color=style.FAINT, lw=1.0)
    axes[1].plot(time, residual, color=colour, lw=1.0)
    axes[1].set_ylabel(f"residual\n({unit_of(model)})")
    axes[1].set_title("With dual numbers in its norm the solver takes other steps: a residual …")
    axes[1].yaxis.set_major_locator(MaxNLocator(5))
    _amplification(axes[2], time, amplification, model)
    _product(axes[3], time, residual, amplification, colour, norm)
    axes[3].set_ylabel(f"running sum\n({unit_of(model)}² per unit)")
    axes[3].set_xlabel(f"time ({model['time_unit']})")
    for ax in axes[:3]:
        ax.tick_params(labelbottom=False)
    for ax in axes:
        ax.set_xlim(time[0], time[-1])


def unit_of(model: Mapping[str, Any]) -> str:
    """The unit of the first observable."""
    return str(model["states"][model["observables"][0]])


def _residual(traces: xr.Dataset) -> np.ndarray:
    if "dual_norm" in traces["variant"].values:
        return traces["residual"].sel(variant="dual_norm").values
    return np.full(traces.sizes["time"], np.nan)


def _trace(ax: Axes, traces: xr.Dataset, model: Mapping[str, Any], nominal: str) -> None:
    time = traces["time"].values
    ax.plot(time, traces["certified"].values, color="#b9bec5", lw=3.2)
    ax.plot(time, traces["nominal"].values, color=style.INK, lw=0.7)
    ax.set_ylabel(f"{model['observables'][0]}\n({unit_of(model)})")
    ax.set_title(f"The solver's own trace is the target (black: {nominal}; grey: certified)")


def _amplification(
    ax: Axes, time: np.ndarray, values: np.ndarray, model: Mapping[str, Any]
) -> None:
    state, unit = model["observables"][0], unit_of(model)
    shown = np.where(values > 0.0, values, np.nan)
    ax.plot(time, shown, color=style.INK, lw=0.9)
    if np.isfinite(shown).any():
        # The rise from 0 at the start spans many decades and says nothing.
        low = max(np.nanmin(shown), np.nanmedian(shown) * 1e-3)
        _decades(ax, low, np.nanmax(shown) * 3.0)
    ax.set_ylabel(f"|d{state}/dp|\n({unit} per unit)")
    ax.set_title("… times sensitivities that are large (certified; norm over the parameters) …")


def _product(
    ax: Axes,
    time: np.ndarray,
    residual: np.ndarray,
    amplification: np.ndarray,
    colour: Any,
    norm: float,
) -> None:
    total = np.cumsum(2.0 * np.abs(residual) * amplification)
    shown = np.where(total > 0.0, total, np.nan)
    ax.plot(time, shown, color=colour, lw=1.6)
    if not np.isfinite(shown).any():
        return
    top = max(float(np.nanmax(shown)), norm if np.isfinite(norm) else 0.0)
    _decades(ax, top * 1e-6, top * 12.0)
    ax.set_title(f"… makes {style.power(total[-1])}: the sum of 2 × |residual| × sensitivity")
    if np.isfinite(norm):
        ax.axhline(norm, color=style.MUTED, lw=1.0, ls=(0, (4, 2)))
        ax.text(
            0.01,
            norm * 1.5,
            f"norm of the gradient {style.power(norm)}",
            fontsize=8.5,
            transform=ax.get_yaxis_transform(),
            color=style.MUTED,
            va="bottom",
        )


def _decades(ax: Axes, low: float, high: float) -> None:
    ax.set_yscale("log")
    ax.set_ylim(low, high)
    ax.yaxis.set_major_locator(LogLocator(numticks=5))
    ax.yaxis.set_minor_locator(NullLocator())

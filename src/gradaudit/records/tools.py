"""What common tools do unless they are told otherwise, as settings of a gradient.

AMICI, casadi and diffsol are represented by CVODES, from casadi, and diffsol, with the tolerances
that the tools have by default. What OrdinaryDiffEq and SciPy do is done with a solver of the same
coefficients, and with the step control of this project.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A tool with its defaults.

    Attributes
    ----------
    name, label
        In configurations, and as readers know it.
    setting
        Keywords of `gradaudit.sensitivities`; "tsit5" with 500,000 steps where it says nothing.
    source
        Where the defaults are written down.
    """

    name: str
    label: str
    setting: Mapping[str, Any]
    source: str


TOOLS = (
    Tool(
        name="amici",
        label="CVODES (AMICI)",
        setting={"method": "cvodes", "rtol": 1e-8, "atol": 1e-16, "max_steps": 10_000},
        source="amici/solver.h of AMICI 1.0; sensitivities are in the error test",
    ),
    Tool(
        name="casadi",
        label="CVODES (casadi)",
        setting={"method": "cvodes", "rtol": 1e-6, "atol": 1e-8, "max_steps": 10_000},
        source="options reltol, abstol and max_num_steps of casadi's integrator cvodes",
    ),
    Tool(
        name="diffsol",
        label="diffsol",
        setting={"method": "diffsol_partial", "rtol": 1e-6, "atol": 1e-6},
        source="rtol and atol of pydiffsol.Ode; sensitivities are not in the error test",
    ),
    Tool(
        name="ordinarydiffeq_tsit5",
        label="Tsit5 (OrdinaryDiffEq)",
        setting={"solver": "tsit5", "method": "dual_norm", "rtol": 1e-3, "atol": 1e-6},
        source="reltol and abstol of OrdinaryDiffEq; dual numbers are in its error norm",
    ),
    Tool(
        name="ordinarydiffeq_rodas5p",
        label="Rodas5P (OrdinaryDiffEq)",
        setting={"solver": "rodas5p", "method": "dual_norm", "rtol": 1e-3, "atol": 1e-6},
        source="reltol and abstol of OrdinaryDiffEq; dual numbers are in its error norm",
    ),
    Tool(
        name="scipy",
        label="differences (SciPy)",
        setting={
            "solver": "dopri5", "method": "finite_difference", "rtol": 1e-3, "atol": 1e-6,
            "fd_step": 1.5e-8,
        },
        source="scipy.integrate.solve_ivp with RK45, step of scipy.optimize.approx_fprime",
    ),
)  # fmt: skip


def chosen(names: Sequence[str]) -> list[Tool]:
    """The tools of these names, in the order of `TOOLS`."""
    return [tool for tool in TOOLS if tool.name in names]

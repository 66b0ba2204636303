"""The literature that treats forward-mode gradients of ODE solves mathematically (Q4).

What an entry says is what can be derived, or what its abstract states; `evidence` names the
sentence that the report computes for it, and `test` a test of this project that shows it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A work, what it says, and where that can be seen; no `doi` where it is not sure.

    `decided` is false where the evidence shows what the work is about, and cannot refute it.
    """

    key: str
    authors: str
    year: int
    title: str
    venue: str
    says: str
    evidence: str
    test: str = ""
    decided: bool = True
    doi: str = ""
    arxiv: str = ""


THEOREMS = "tests/contract/test_theorems.py"
MECHANISMS = "tests/contract/test_mechanisms.py"

ENTRIES = (
    Entry(
        key="bock1981",
        authors="H. G. Bock",
        year=1981,
        title="Numerical treatment of inverse problems in chemical reaction kinetics",
        venue="In: Modelling of Chemical Reaction Systems, Springer Series in Chemical Physics 18, "
        "pp. 102–125",
        says="Internal numerical differentiation: differentiate the scheme on a frozen grid, and "
        "the derivative converges with the solution.",
        evidence="same_order",
        test=THEOREMS,
    ),
    Entry(
        key="hairer1993",
        authors="E. Hairer, S. P. Nørsett, G. Wanner",
        year=1993,
        title="Solving Ordinary Differential Equations I: Nonstiff Problems, 2nd edition",
        venue="Springer Series in Computational Mathematics 8, section II.6",
        says="The same in a textbook: freeze the step sizes when a numerical solution is "
        "differentiated.",
        evidence="same_order",
        test=THEOREMS,
    ),
    Entry(
        key="walther2007",
        authors="A. Walther",
        year=2007,
        title="Automatic differentiation of explicit Runge–Kutta methods for optimal control",
        venue="Computational Optimization and Applications 36(1), pp. 83–108",
        says="A Runge–Kutta method, differentiated, is that method applied to the sensitivity "
        "equation: on the same grid the gradient has the order of the solution.",
        evidence="same_order",
        test=THEOREMS,
    ),
    Entry(
        key="gear1983",
        authors="C. W. Gear, T. Vu",
        year=1983,
        title="Smooth numerical solutions of ordinary differential equations",
        venue="In: Numerical Treatment of Inverse Problems in Differential and Integral Equations, "
        "Progress in Scientific Computing 2, Birkhäuser",
        says="Automatic integrators are poorly smooth in their parameters, sometimes not even "
        "continuous, so differences of their results are wrong at the level of the tolerance.",
        evidence="differences",
        test="tests/solvers/test_sciml_controller.py",
        doi="10.1007/978-1-4684-7324-7_1",
    ),
    Entry(
        key="eberhard1999",
        authors="P. Eberhard, C. Bischof",
        year=1999,
        title="Automatic differentiation of numerical integration algorithms",
        venue="Mathematics of Computation 68(226), pp. 717–731",
        says="Differentiating the control of the step size as well adds terms that do not belong "
        "to the derivative of the solution.",
        evidence="",
        test="tests/solvers/test_sciml_controller.py",
    ),
    Entry(
        key="alexe2009",
        authors="M. Alexe, A. Sandu",
        year=2009,
        title="On the discrete adjoints of adaptive time stepping algorithms",
        venue="Journal of Computational and Applied Mathematics 233(4), pp. 1005–1020",
        says="Differentiating step controller and error estimator gives spurious derivatives of "
        "the time steps; without them the discrete adjoint is consistent.",
        evidence="adjoint",
        test="tests/solvers/test_sciml_controller.py",
        doi="10.1016/j.cam.2009.08.109",
    ),
    Entry(
        key="griesse2004",
        authors="R. Griesse, A. Walther",
        year=2004,
        title="Evaluating gradients in optimal control: continuous adjoints versus automatic "
        "differentiation",
        venue="Journal of Optimization Theory and Applications 122(1), pp. 63–86",
        says="The gradient of the discrete problem and the discretised gradient differ, by an "
        "error of the discretisation.",
        evidence="adjoint",
        test="tests/sensitivity/test_adjoint.py",
    ),
    Entry(
        key="ma2021",
        authors="Y. Ma, V. Dixit, M. J. Innes, X. Guo, C. Rackauckas",
        year=2021,
        title="A comparison of automatic differentiation and continuous sensitivity analysis for "
        "derivatives of differential equation solutions",
        venue="IEEE High Performance Extreme Computing Conference (HPEC)",
        says="Forward mode against adjoints by cost: for few parameters forward mode wins.",
        evidence="cost",
    ),
    Entry(
        key="feehery1997",
        authors="W. F. Feehery, J. E. Tolsma, P. I. Barton",
        year=1997,
        title="Efficient sensitivity analysis of large-scale differential-algebraic systems",
        venue="Applied Numerical Mathematics 25(1), pp. 41–54",
        says="States and sensitivities integrated together (staggered corrector), so that "
        "sensitivities can be part of the error test.",
        evidence="control",
        test=THEOREMS,
    ),
    Entry(
        key="serban2005",
        authors="R. Serban, A. C. Hindmarsh",
        year=2005,
        title="CVODES: the sensitivity-enabled ODE solver in SUNDIALS",
        venue="Proceedings of the ASME International Design Engineering Technical Conferences "
        "(IDETC/CIE)",
        says="Sensitivities may be left out of the error test (partial error control); by the "
        "manual of CVODES that is the default.",
        decided=False,
        evidence="control",
        test="tests/sensitivity/test_external.py",
    ),
    Entry(
        key="larter1983",
        authors="R. Larter",
        year=1983,
        title="Sensitivity analysis of autonomous oscillators. Separation of secular terms and "
        "determination of structural stability",
        venue="Journal of Physical Chemistry 87(16), pp. 3114–3121",
        says="Sensitivities of an oscillation have a secular part, which grows with time, because "
        "the period depends on the parameters.",
        decided=False,
        evidence="oscillation",
        test=THEOREMS,
    ),
    Entry(
        key="kramer1984",
        authors="M. A. Kramer, H. Rabitz, J. M. Calo",
        year=1984,
        title="Sensitivity analysis of oscillatory systems",
        venue="Applied Mathematical Modelling 8(5), pp. 328–340",
        says="The same for oscillations in general: what grows is the derivative of the phase.",
        decided=False,
        evidence="oscillation",
        test=THEOREMS,
    ),
    Entry(
        key="wilkins2009",
        authors="A. K. Wilkins, B. Tidor, J. White, P. I. Barton",
        year=2009,
        title="Sensitivity analysis for oscillating dynamical systems",
        venue="SIAM Journal on Scientific Computing 31(4), pp. 2706–2732",
        says="S = −(t/T)(dT/dp) y′ + a periodic part: period, amplitude and phase have "
        "sensitivities that do not grow.",
        decided=False,
        evidence="oscillation",
        test=THEOREMS,
        doi="10.1137/070707129",
    ),
    Entry(
        key="lea2000",
        authors="D. J. Lea, M. R. Allen, T. W. N. Haine",
        year=2000,
        title="Sensitivity analysis of the climate of a chaotic system",
        venue="Tellus A 52(5), pp. 523–532",
        says="On a chaotic attractor tangents grow exponentially, and the derivative of a long "
        "average is not the average of derivatives.",
        evidence="chaos",
        test=THEOREMS,
    ),
    Entry(
        key="wang2014",
        authors="Q. Wang, R. Hu, P. Blonigan",
        year=2014,
        title="Least squares shadowing sensitivity analysis of chaotic limit cycle oscillations",
        venue="Journal of Computational Physics 267, pp. 210–224",
        says="A nearby trajectory that shadows the perturbed one gives sensitivities of averages "
        "that stay bounded; forward-mode tangents do not.",
        decided=False,
        evidence="chaos",
        test=THEOREMS,
    ),
    Entry(
        key="metz2021",
        authors="L. Metz, C. D. Freeman, S. S. Schoenholz, T. Kachman",
        year=2021,
        title="Gradients are not all you need",
        venue="Preprint",
        says="The spectrum of the product of Jacobians decides: where it grows, so does the "
        "gradient, and with it its error.",
        evidence="amplification",
        arxiv="2111.05803",
    ),
    Entry(
        key="suh2022",
        authors="H. J. T. Suh, M. Simchowitz, K. Zhang, R. Tedrake",
        year=2022,
        title="Do differentiable simulators give better policy gradients?",
        venue="International Conference on Machine Learning, Proceedings of Machine Learning "
        "Research 162",
        says="Where the dynamics jump, first-order gradients are biased: they do not see the jump.",
        evidence="jumps",
        test=MECHANISMS,
    ),
    Entry(
        key="hiskens2000",
        authors="I. A. Hiskens, M. A. Pai",
        year=2000,
        title="Trajectory sensitivity analysis of hybrid systems",
        venue="IEEE Transactions on Circuits and Systems I 47(2), pp. 204–220",
        says="At an event the sensitivities jump, by a formula in the derivatives of switching "
        "condition and reset.",
        evidence="saltation",
        test="tests/sensitivity/test_hybrid_run.py",
    ),
    Entry(
        key="galan1999",
        authors="S. Galán, W. F. Feehery, P. I. Barton",
        year=1999,
        title="Parametric sensitivity functions for hybrid discrete/continuous systems",
        venue="Applied Numerical Mathematics 31(1), pp. 17–47",
        says="When sensitivities of a hybrid system exist, and how they are transferred across an "
        "event; at grazing they need not.",
        decided=False,
        evidence="saltation",
        test="tests/sensitivity/test_hybrid_run.py",
    ),
    Entry(
        key="kong2024",
        authors="N. J. Kong, J. J. Payne, J. Zhu, A. M. Johnson",
        year=2024,
        title="Saltation matrices: the essential tool for linearizing hybrid dynamical systems",
        venue="Proceedings of the IEEE 112(6), pp. 585–608",
        says="The saltation matrix is the update of the sensitivities at an event.",
        evidence="saltation",
        test="tests/sensitivity/test_hybrid_run.py",
        arxiv="2306.06862",
    ),
    Entry(
        key="kim2021",
        authors="S. Kim, W. Ji, S. Deng, Y. Ma, C. Rackauckas",
        year=2021,
        title="Stiff neural ordinary differential equations",
        venue="Chaos 31(9), 093122",
        says="Gradients through stiff problems need scaling and a stable way to compute them.",
        evidence="stiff",
        test=MECHANISMS,
    ),
    Entry(
        key="sapienza2024",
        authors="F. Sapienza, J. Bolibar, F. Schäfer, B. Groenke, A. Pal, V. Boussange, "
        "P. Heimbach, G. Hooker, F. Pérez, P.-O. Persson, C. Rackauckas",
        year=2024,
        title="Differentiable programming for differential equations: a review",
        venue="Preprint",
        says="Forward AD can be wrong at every tolerance where the states are integrated exactly "
        "and the error test sees nothing but them (Lotka and Volterra's equations at rest).",
        evidence="equilibrium",
        test=MECHANISMS,
        arxiv="2406.09699",
    ),
    Entry(
        key="fronk2025",
        authors="C. Fronk, L. Petzold",
        year=2025,
        title="The vanishing gradient problem for stiff neural differential equations",
        venue="Preprint",
        says="For A-stable and L-stable methods the derivative of the stability function decays, "
        "at the slowest like 1/|z|: gradients of fast modes vanish.",
        evidence="fast",
        test=THEOREMS,
        arxiv="2508.01519",
    ),
)
"""In the order of the report: discretise and differentiate, adjoints, control, oscillation, chaos,
discontinuities, stiffness."""

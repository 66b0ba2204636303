"""Figures show every row, tell the truth about what is off their scale, and are reproducible."""

import json

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from gradaudit.analysis.frontier import cheapest_settings
from gradaudit.analysis.functional_ranking import ranking
from gradaudit.analysis.regimes import regimes
from gradaudit.analysis.remedies import remedies
from gradaudit.analysis.scaling_laws import laws
from gradaudit.analysis.verdicts import ladders as ladders_of
from gradaudit.figures.attribution import attribution, main_solver
from gradaudit.figures.axes import ErrorRange, VerdictBounds
from gradaudit.figures.convergence import convergence
from gradaudit.figures.experiment import experiment
from gradaudit.figures.experiment_norms import spread
from gradaudit.figures.indicator import indicator
from gradaudit.figures.laws import laws as laws_figure
from gradaudit.figures.laws_axes import laws_axes
from gradaudit.figures.mechanisms import mechanisms
from gradaudit.figures.ranking import ranking as ranking_figure
from gradaudit.figures.regime_map import needed, regime_map
from gradaudit.figures.remedies import remedies as remedies_figure
from gradaudit.figures.tooltips import tooltips
from gradaudit.figures.work_precision import frontier, work_precision
from gradaudit.records.files import write_dataset, write_table
from gradaudit.stages import figures

TABLES = ("audits", "verdicts", "frontier")
ANSWERS = {"laws": laws, "ranking": ranking, "remedies": remedies, "regimes": regimes}
OF_ANSWERS = [
    pytest.param(lambda t: mechanisms(regimes(t), settings=SETTINGS), id="mechanisms"),
    pytest.param(lambda t: laws_figure(t, laws(t), settings=SETTINGS), id="laws"),
    pytest.param(lambda t: laws_axes(t, laws(t), settings=SETTINGS), id="laws_axes"),
    pytest.param(lambda t: ranking_figure(ranking(t), settings=SETTINGS), id="ranking"),
    pytest.param(lambda t: remedies_figure(remedies(t), settings=SETTINGS), id="remedies"),
]
SETTINGS = {"palette": "colorblind", "dpi": 50}
BY_MODEL = [
    pytest.param(
        lambda table: convergence(table, title="m", digits=12.0, settings=SETTINGS),
        id="convergence",
    ),
    pytest.param(lambda table: attribution(table, title="m", settings=SETTINGS), id="attribution"),
    pytest.param(
        lambda table: work_precision(table, title="m", settings=SETTINGS), id="work_precision"
    ),
]
BY_FUNCTIONAL = list(BY_MODEL)
BY_MODEL.append(pytest.param(lambda table: indicator(table, settings=SETTINGS), id="indicator"))


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def texts(figure):
    own = [text.get_text() for text in figure.texts]
    own += [ax.get_ylabel() for ax in figure.axes]
    of_axes = [text.get_text() for ax in figure.axes for text in (*ax.texts, ax.title)]
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    legends = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    return [*own, *of_axes, *titles, *legends]


def points(figure, marker):
    lines = [line for ax in figure.axes for line in ax.lines if line.get_marker() == marker]
    return sum(len(line.get_xdata()) for line in lines)


@pytest.mark.parametrize("draw", BY_MODEL)
def test_a_failed_row_is_a_cross(draw, made_up_audits):
    whole = draw(made_up_audits())
    broken = draw(made_up_audits(failed=[("tsit5", 1e-3)]))
    assert points(whole, "x") == 0
    assert points(broken, "x") >= 9  # three methods and functionals
    assert any("failed" in text for text in texts(broken))


@pytest.mark.sampled(4)
@pytest.mark.parametrize("draw", BY_MODEL)
def test_everything_may_have_failed(draw, made_up_audits):
    table = made_up_audits(
        failed=[(s, 10.0**-k) for s in ("tsit5", "dopri8") for k in (3, 5, 7, 9)]
    )
    figure = draw(table)
    figure.canvas.draw()
    assert points(figure, "x") >= len(table)


def test_a_wrong_derivative_of_events_is_drawn_in_the_place_of_wrong_tangents(made_up_audits):
    table = made_up_audits().assign(state_part=1e-9, tangent_part=0.0, observation_part=0.3)
    figure = attribution(table, title="m", settings=SETTINGS)
    drawn = [line.get_ydata() for ax in figure.axes for line in ax.lines]
    assert any(len(y) > 1 and np.allclose(np.asarray(y, float), 0.3) for y in drawn)


@pytest.mark.parametrize("draw", BY_MODEL)
def test_one_row_is_enough(draw, made_up_audits):
    table = made_up_audits(
        solvers=["tsit5"], methods=["forward_ad"], functionals=["terminal_V"], tolerances=[1e-3]
    )
    figure = draw(table)
    figure.canvas.draw()
    single = [line for ax in figure.axes for line in ax.lines if len(line.get_ydata()) == 1]
    shown = [float(line.get_ydata()[0]) for line in single]
    wanted = table[["error", "tangent_part"]].iloc[0]
    assert any(value == pytest.approx(y) for value in wanted for y in shown)


@pytest.mark.parametrize("draw", BY_MODEL)
def test_a_method_that_nobody_knows_is_drawn(draw, made_up_audits):
    figure = draw(made_up_audits(methods=["my_method"], functionals=["my_functional"]))
    assert any("my method" in text for text in texts(figure))


@pytest.mark.parametrize("draw", BY_FUNCTIONAL)
def test_a_functional_that_nobody_knows_is_drawn(draw, made_up_audits):
    figure = draw(made_up_audits(methods=["my_method"], functionals=["my_functional"]))
    assert any("my functional" in text or "special" in text for text in texts(figure))


def test_an_error_off_the_scale_is_marked_at_the_edge(made_up_audits):
    table = made_up_audits(errors={("made_up", "forward_ad"): 1e30})
    figure = convergence(table, title="m", digits=12.0, settings=SETTINGS)
    assert "off the scale, at its edge" in texts(figure)
    assert max(ax.get_ylim()[1] for ax in figure.axes) < 1e10


def test_a_failed_solve_without_a_time_is_still_drawn(made_up_audits):
    table = made_up_audits(failed=[("tsit5", 1e-3)])
    table.loc[table["status"] != "ok", "seconds"] = np.nan
    figure = work_precision(table, title="m", settings=SETTINGS)
    lines = [line for ax in figure.axes for line in ax.lines if line.get_marker() == "x"]
    assert all(np.isfinite(line.get_xdata()).all() for line in lines)


def test_tighter_tolerances_are_to_the_right(made_up_audits):
    figure = convergence(made_up_audits(), title="m", digits=12.0, settings=SETTINGS)
    left, right = figure.axes[0].get_xlim()
    assert left > right


def test_the_range_holds_errors_and_thresholds():
    thresholds = VerdictBounds(good=1e-2, horrible=0.5)
    limits = ErrorRange.of(np.array([1e-9, np.nan, 0.0]), thresholds, failed=False)
    assert limits.bottom <= 1e-9
    assert limits.top >= 0.5
    assert limits.edge == limits.top
    assert ErrorRange.of(np.array([]), thresholds, failed=True).failed


def test_no_point_of_the_frontier_is_beaten():
    seconds, errors = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1e-2, 1e-3, 1e-2, 1e-5])
    x, y = frontier(seconds, errors)
    assert x.tolist() == [1.0, 2.0, 4.0]
    assert y.tolist() == [1e-2, 1e-3, 1e-5]


def test_the_main_solver_fails_least(made_up_audits):
    assert main_solver(made_up_audits()) == "dopri8"
    assert main_solver(made_up_audits(failed=[("dopri8", 1e-3)])) == "tsit5"


@pytest.mark.parametrize("count", [1, 2, 60])
def test_the_map_has_a_tolerance_for_every_cell(count, made_up_audits):
    models = [f"model_{i}" for i in range(count)]
    table = made_up_audits(models=models, solvers=["tsit5"], tolerances=[1e-3])
    words = texts(regime_map(ladders_of(table), settings=SETTINGS))
    assert words.count("B") == count  # expected
    assert words.count("3") == count * 3 * 3  # methods, kinds
    assert set(models) <= set(words)


@pytest.mark.slow
def test_kinds_of_few_models_stand_below_with_those_models(made_up_audits):
    models = [f"model_{i}" for i in range(6)]
    table = made_up_audits(models=models, solvers=["tsit5"], tolerances=[1e-3])
    rare = (table["kind"] == "time_average") & ~table["model"].isin(["model_1", "model_4"])
    words = texts(regime_map(ladders_of(table[~rare]), settings=SETTINGS))
    assert [words.count(model) for model in models] == [1, 2, 1, 1, 2, 1]
    assert words.count("expected") == 2


def test_cells_and_markers_say_what_they_show(made_up_audits):
    table = made_up_audits(failed=[("tsit5", 1e-3)])
    table.loc[table["status"] != "ok", "seconds"] = np.nan
    cells, markers = (
        [mark[-1] for mark in json.loads(told_by(figure))]
        for figure in (
            regime_map(ladders_of(table), settings=SETTINGS),
            work_precision(table[table["kind"] == "terminal"], title="m", settings=SETTINGS),
        )
    )
    assert len(cells) == len(ladders_of(table).drop_duplicates(["kind", "method", "solver"]))
    assert all(text.startswith("made_up (") for text in cells)
    assert any("forward AD, tsit5: bad, " in text and "failed solves: 1" in text for text in cells)
    assert len(markers) == (table["kind"] == "terminal").sum()
    assert any(text.startswith("forward AD, tsit5, rtol 1e-3: max") for text in markers)
    assert any(text.endswith(" ms") and "full control, dopri8" in text for text in markers)


def told_by(figure) -> str:
    FigureCanvasAgg(figure).draw()
    return tooltips(figure)


@pytest.mark.parametrize(
    ("verdict", "sufficient", "said"),
    [
        ("", [], ""),
        ("good", [1e-3, 1e-3], "3"),
        ("bad", [1e-3, 3.16e-5], "4.5"),  # the worst functional
        ("horrible", [1e-3, float("nan")], "–"),
        ("horrible", [1e-6], "6!"),  # spikes on the way, for example
    ],
)
def test_a_cell_tells_the_tolerance_that_is_needed(verdict, sufficient, said):
    assert needed(verdict, sufficient) == said


@pytest.mark.sampled(16)
@pytest.mark.parametrize("draw", OF_ANSWERS)
@pytest.mark.parametrize("count", [0, 1, 40])
def test_answers_are_drawn_for_any_number_of_models(draw, count, made_up_audits):
    models = [f"model_{i}@t_end={i + 1}" for i in range(max(count, 1))]
    errors = {(models[0], "forward_ad"): 0.3}
    table = made_up_audits(models=models, errors=errors)
    table = table.assign(state_error=table["rtol"])
    figure = draw(table if count else table.iloc[:0])
    figure.canvas.draw()
    artists = sum(len(ax.lines) + len(ax.patches) + len(ax.collections) for ax in figure.axes)
    if any("nothing to draw" in text for text in texts(figure)):
        assert artists == 0  # of laws along an axis, which every model here has one value of
    else:
        assert artists <= 1 if count == 0 else artists > 5


def test_the_picture_counts_the_good_ones(made_up_audits):
    table = made_up_audits(solvers=["tsit5"], errors={("made_up", "forward_ad"): 9.0})
    words = texts(mechanisms(regimes(table), settings=SETTINGS))
    assert "0 of 3 good" in words
    assert words.count("3 of 3 good") == 2
    assert "Mechanism of made_up" in words


def legend_texts(legend) -> list[str]:
    return [text.get_text() for text in legend.get_texts()]


def test_settings_of_an_axis_are_a_panel(made_up_audits):
    models = [f"cycle@t_end={t}" for t in (10, 20, 40)]
    table = made_up_audits(models=models).assign(state_error=1e-6)
    figure = laws_axes(table, laws(table), settings=SETTINGS)
    assert "cycle: window" in texts(figure)
    named = {text for legend in figure.legends for text in legend_texts(legend)}
    assert {"explicit", "implicit", "wrong: above 0.5", "inaccurate: 0.01 to 0.5"} <= named
    named = {t for own in laws_figure(table, laws(table), settings=SETTINGS).legends
             for t in legend_texts(own)}  # fmt: skip
    assert {"forward AD", "full control", "wrong: above 0.5"} <= named
    none = laws_axes(made_up_audits(), laws(made_up_audits()), settings=SETTINGS)
    assert any("nothing to draw" in text for text in texts(none))


def test_remedies_say_how_many_are_mended(made_up_audits):
    table = made_up_audits(solvers=["tsit5"], errors={("made_up", "forward_ad"): 0.3})
    words = texts(remedies_figure(remedies(table), settings=SETTINGS))
    assert "3 of 3" in words  # by full control
    assert "All together" in words


def test_labels_are_spread_and_keep_their_order():
    placed = spread([0.5, 0.51, 0.1], gap=0.1)
    assert placed[1] - placed[0] >= 0.1 - 1e-6
    assert placed[2] == pytest.approx(0.1)


def test_the_experiment_tells_its_numbers(made_up_experiment, made_up_traces):
    figure = experiment(made_up_experiment(), made_up_traces, settings=SETTINGS)
    words = " ".join(texts(figure))
    assert "1e6 where the true gradient is 0" in words
    assert "published:" not in words
    marked = experiment(
        made_up_experiment(gradient_norm=2e6),
        made_up_traces,
        settings=SETTINGS | {"published_norm": 3e6},
    )
    assert "2e6 where" in " ".join(texts(marked))
    assert "published: 3e6" in texts(marked)


def test_the_experiment_survives_failures(made_up_experiment, made_up_traces):
    table = made_up_experiment()
    table.loc[table["variant"] == "dual_norm", ["status", "gradient_norm"]] = ["max_steps", np.nan]
    figure = experiment(table, made_up_traces, settings=SETTINGS)
    assert "failed" in texts(figure)
    table["status"], table["gradient_norm"] = "max_steps", np.nan
    experiment(table, made_up_traces, settings=SETTINGS).canvas.draw()


@pytest.mark.slow
def test_the_stage_writes_equal_files_with_their_provenance(
    tmp_path, made_up_audits, made_up_reference, made_up_experiment, made_up_traces
):
    audits = made_up_audits(methods=["forward_ad"], functionals=["terminal_V"])
    frames = {"audits": audits, "verdicts": ladders_of(audits)}
    frames["frontier"] = cheapest_settings(audits, [1e-2])
    frames |= {name: make(audits) for name, make in ANSWERS.items()}
    frames["experiment"] = made_up_experiment()
    for name, frame in frames.items():
        write_table(frame, tmp_path / f"{name}.parquet", stage="test", settings={})
    write_dataset(made_up_reference, tmp_path / "reference.nc", stage="test", settings={})
    write_dataset(made_up_traces, tmp_path / "traces.nc", stage="test", settings={})
    for folder in (tmp_path / "a", tmp_path / "b"):
        figures.run(
            "model",
            evaluate=tmp_path / "audits.parquet",
            reference=tmp_path / "reference.nc",
            settings=SETTINGS,
            output_dir=folder,
        )
        figures.run(
            "experiment",
            experiment=tmp_path / "experiment.parquet",
            traces=tmp_path / "traces.nc",
            settings=SETTINGS,
            output_dir=folder,
        )
        figures.run(
            "atlas",
            **{name: tmp_path / f"{name}.parquet" for name in (*TABLES, *ANSWERS)},
            settings=SETTINGS,
            output_dir=folder,
        )
    written = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert written == [
        "attribution_made_up.png",
        "convergence_made_up.png",
        "experiment_made_up.png",
        "indicator.png",
        "laws.png",
        "laws_axes.png",
        "mechanisms.png",
        "ranking.png",
        "regime_map.png",
        "remedies.png",
        "work_precision_made_up.png",
    ]
    for name in written:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
        with Image.open(tmp_path / "a" / name) as image:
            stamp = json.loads(image.info["gradaudit"])
        assert stamp["stage"] == "figures"
        assert json.loads(stamp["settings"]) == SETTINGS


def test_where_no_gradient_needs_a_remedy_there_is_no_empty_table(made_up_audits):
    table = made_up_audits(solvers=["tsit5"], errors={("made_up", "forward_ad"): 1e-9})
    figure = remedies_figure(remedies(table), settings=SETTINGS)
    assert "No gradient here needs a remedy" in " ".join(text.get_text() for text in figure.texts)
    assert figure.axes == []

"""What functionals read of stored arrays: order, scaled parameters, chunks, and which events."""

import numpy as np
import pytest
import xarray as xr

from gradaudit.evaluation.stored_solves import certified_of, solves_of

RTOLS = [1e-6, 1e-3]  # stored in an order of their own
SCALE = np.array([2.0, 5.0])
TIMES, STATES, INTEGRALS, SLOTS = 3, 2, 1, 2
COLUMNS = STATES + INTEGRALS


def dataset(methods=("forward_ad", "saltation"), **changes):
    """Arrays that all differ, of two methods at two tolerances with one event in two slots."""
    lead = {"method": len(methods), "rtol": len(RTOLS)}
    random = np.random.default_rng(0)

    def make(**dims):
        return (*lead, *dims), random.normal(size=(*lead.values(), *dims.values()))

    slots = {"slot": SLOTS}
    variables = {
        "states": make(chunk=2, time=TIMES, state=STATES),
        "integrals": make(chunk=2, time=TIMES, integral=INTEGRALS),
        "sensitivities": make(time=TIMES, state=STATES, parameter=2),
        "integral_sensitivities": make(time=TIMES, integral=INTEGRALS, parameter=2),
        "status": (tuple(lead), np.full(tuple(lead.values()), "ok", dtype=object)),
        "chunk_of": (("method", "parameter"), np.tile([0, 1], (len(methods), 1))),
        "event": (
            (*lead, "slot"),
            np.broadcast_to([0, -1], (*lead.values(), SLOTS)).copy(),
        ),
        "event_time": make(**slots),
        "event_slope": make(**slots, parameter=2),
        "event_value": make(**slots, column=COLUMNS),
        "event_value_slope": make(**slots, column=COLUMNS, parameter=2),
    }
    coordinates = {"method": list(methods), "rtol": RTOLS, "time": np.arange(TIMES)}
    return xr.Dataset({**variables, **changes}, coords=coordinates, attrs={"solver": "tsit5"})


def cell_of(data, method="forward_ad", rtol=1e-3):
    (cell,) = [c for c in solves_of(data, SCALE, ["spike"]).of(method) if c.rtol == rtol]
    return cell


def test_cells_are_all_there_loosest_tolerance_first():
    solves = solves_of(dataset(), SCALE, ["spike"])
    assert [(cell.method, cell.rtol) for cell in solves.cells] == [
        ("forward_ad", 1e-3),
        ("forward_ad", 1e-6),
        ("saltation", 1e-3),
        ("saltation", 1e-6),
    ]


def test_sensitivities_of_states_and_integrals_are_joined_and_scaled():
    data = dataset()
    stored = data.sel({"method": "forward_ad", "rtol": 1e-3})
    read = cell_of(data).observations.sensitivities
    np.testing.assert_array_equal(read[:, :STATES], SCALE * stored["sensitivities"])
    np.testing.assert_array_equal(read[:, STATES:], SCALE * stored["integral_sensitivities"])


@pytest.mark.parametrize(("chunk_of", "chunks"), [([0, 1], 2), ([0, 0], 1)])
def test_only_the_chunks_are_read_that_a_method_has(chunk_of, chunks):
    data = dataset(chunk_of=(("method", "parameter"), np.tile(chunk_of, (2, 1))))
    observations = cell_of(data).observations
    assert observations.z.shape == (chunks, TIMES, COLUMNS)
    assert observations.chunk_of.tolist() == chunk_of


def test_a_failed_solve_has_no_event_whatever_is_stored():
    data = dataset()
    data["status"].loc[{"method": "forward_ad", "rtol": 1e-3}] = "max_steps"
    cell = cell_of(data)
    assert not cell.ok
    assert cell.occurrences.counts().tolist() == [0]
    assert cell_of(data, rtol=1e-6).occurrences.counts().tolist() == [1]


def test_slopes_of_events_are_scaled_and_their_values_are_not():
    data = dataset()
    stored = data.sel({"method": "forward_ad", "rtol": 1e-3}).isel(slot=0)
    occurrences = cell_of(data).occurrences
    np.testing.assert_array_equal(occurrences.slopes[0, 0], SCALE * stored["event_slope"])
    np.testing.assert_array_equal(occurrences.values[0, 0], stored["event_value"])


def test_no_event_in_a_whole_method_means_that_it_records_none():
    data = dataset()
    data["event"].loc[{"method": "forward_ad"}] = -1
    assert cell_of(data).occurrences is None
    located = xr.DataArray([True, False], dims="method")
    assert cell_of(data.assign(events_located=located)).occurrences.counts().tolist() == [0]


def test_a_method_that_failed_at_every_tolerance_may_record_events():
    data = dataset()
    data["event"].loc[{"method": "forward_ad"}] = -1
    data["status"].loc[{"method": "forward_ad"}] = "max_steps"
    assert cell_of(data).occurrences is not None


@pytest.mark.parametrize(("most", "truncated"), [(1, True), (2, False)])
def test_as_many_events_as_there_is_room_for_may_not_be_all(most, truncated):
    assert cell_of(dataset().assign_attrs(most_events=most)).truncated is truncated


def test_estimates_are_none_where_nothing_is_stored():
    cell = cell_of(dataset())
    assert cell.estimates is None
    assert cell.perturbed is None


def test_the_nominal_grid_is_that_of_forward_ad_or_of_the_first_method():
    for methods, expected in [
        (("saltation", "forward_ad"), "forward_ad"),
        (("saltation", "dual_norm"), "saltation"),
    ]:
        nominal = solves_of(dataset(methods), SCALE, ["spike"]).nominal
        assert {cell.method for cell in nominal} == {expected}


def test_the_certified_arrays_are_one_chunk_in_scaled_parameters():
    stored = dataset().sel({"method": "forward_ad", "rtol": 1e-3}).isel(chunk=0)
    observations, events = certified_of(stored, SCALE, ["spike"])
    assert observations.z.shape == (1, TIMES, COLUMNS)
    assert observations.chunk_of.tolist() == [0, 0]
    assert events.counts().tolist() == [1]
    assert certified_of(stored, SCALE, [])[1] is None

"""The stations' rule of sending again, held against outages in simulated time."""

from __future__ import annotations

import pytest

from benchmarks.outage_simulation import Plant, main, recovery
from worker.planning.outage import after_outage


@pytest.mark.parametrize(
    ("stations", "inserts", "every", "outage"),
    [(1, 1, 0.4, 60.0), (10, 30, 60.0, 60.0), (5, 30, 30.0, 60.0), (50, 1, 20.0, 60.0), (20, 1, 60.0, 300.0)],
    ids=["evenly", "heads", "many heads", "singles", "rare singles"],
)
def test_an_outage_at_60_percent_load_is_caught_up_with(
    stations: int, inserts: int, every: float, outage: float
) -> None:
    found = recovery(Plant(stations, inserts, every, processes=2, busy=0.6, repeat=0.35), outage)
    least = outage * 0.6 / 0.4
    assert found.caught_up_after is not None
    assert found.caught_up_after <= 1.5 * least
    assert found.copies <= 2 * found.captures
    planned = after_outage(outage, inserts / every, 0.6, every)
    assert planned.caught_up_after == pytest.approx(least)
    assert found.caught_up_after == pytest.approx(least, rel=0.25)


@pytest.mark.parametrize("inserts", [1, 4, 6, 30])
@pytest.mark.parametrize("into", [0.01, 0.3, 0.5, 0.7, 0.9])
def test_what_a_killed_worker_had_in_hand_is_answered_within_15_seconds(inserts: int, into: float) -> None:
    """Of a head after which none comes for long; the next worker judges five seconds later."""
    plant = Plant(1, inserts, 60.0, processes=2, busy=0.02, repeat=0.35)
    took = plant.capture_seconds * inserts / plant.processes
    found = recovery(plant, 5.0, calm=30.0 + into * took)
    assert found.captures == inserts
    assert found.copies > 0, "nothing was lost"
    assert found.longest <= 15.0


def test_it_says_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    assert "--outage" in capsys.readouterr().out

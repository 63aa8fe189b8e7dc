import pytest

from benchmarks.line_rate import slope
from benchmarks.run import BENCHMARKS

NAMED = {
    "line_vgg16",
    "line_insertnet",
    "line_mobilenet",
    "notebook_vgg16",
    "notebook_mobilenet_conv1",
    "latency_p50_ms",
    "latency_p95_ms",
    "head_of_30",
    "ingest_station_per_s",
    "ingest_queue_per_s",
    "machine_vgg16",
    "memory_vgg16",
    "start_vgg16",
}


def test_all_named_figures_can_be_run():
    assert BENCHMARKS.keys() >= NAMED
    assert all(benchmark.name == name for name, benchmark in BENCHMARKS.items())


def test_the_rate_of_even_verdicts():
    assert slope([1e9 + number / 8 for number in range(100)]) == pytest.approx(8, rel=1e-4)


@pytest.mark.parametrize("first", range(0, 32, 5))
def test_the_rate_of_verdicts_in_bursts_hardly_depends_on_where_the_window_begins(first):
    bursts = [burst * 4.0 + number * 1e-3 for burst in range(12) for number in range(32)]
    assert slope(bursts[first : first + 256]) == pytest.approx(8, rel=0.06)


def test_a_handful_of_verdicts_says_nothing():
    with pytest.raises(ValueError, match="publish more"):
        slope([1.0, 2.0, 3.0])

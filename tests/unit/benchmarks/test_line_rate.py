import pytest

from benchmarks.line_rate import slope
from benchmarks.run import BENCHMARKS

NAMED = {
    "line_default",
    "line_vgg16_int8",
    "line_over_notebook",
    "vgg16_over_notebook",
    "vgg16_equal_verdicts",
    "overhead_ms",
    "singles_per_s",
    "head_of_30",
    "latency_p50_ms",
    "latency_p95_ms",
    "ingest_station_per_s",
    "ingest_queue_per_s",
    "start_default",
    "memory_default_mb",
    "memory_vgg16_int8_mb",
    "catch_up",
    "catch_up_line",
    "notebook_vgg16",
    "notebook_mobilenet_conv1",
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

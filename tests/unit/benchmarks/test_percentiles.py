from benchmarks.percentiles import percentile


def test_a_percentile_is_one_of_the_values():
    assert percentile([5.0], 0.95) == 5
    assert percentile([float(value) for value in range(1, 101)], 0.95) == 95
    assert percentile([float(value) for value in range(200, 0, -1)], 0.95) == 190
    assert percentile([1.0, 2.0], 1.0) == 2

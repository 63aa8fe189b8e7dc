from __future__ import annotations

import threading

import pytest

from worker.images.prefetch import read_ahead


def test_in_order_with_its_own_result_or_error() -> None:
    def read(number: int) -> int:
        if number == 3:
            raise ValueError("three")
        return number * 10

    found = list(read_ahead(read, range(6), ahead=2))
    assert [item for item, _ in found] == list(range(6))
    assert [future.result() for item, future in found if item != 3] == [0, 10, 20, 40, 50]
    with pytest.raises(ValueError, match="three"):
        found[3][1].result()


def test_no_more_is_in_memory_than_it_may_be_ahead() -> None:
    taken = 0

    def items():
        nonlocal taken
        for number in range(100):
            taken += 1
            yield number

    results = read_ahead(lambda number: number, items(), ahead=5)
    next(results)
    assert taken == 6
    next(results)
    assert taken == 7


def test_whoever_stops_early_leaves_nothing_running() -> None:
    begun: list[int] = []
    before = threading.active_count()
    results = read_ahead(lambda number: begun.append(number), range(1000), ahead=10)
    next(results)
    results.close()
    assert len(begun) <= 12
    assert threading.active_count() == before


def test_results_may_be_asked_for_after_the_last_item() -> None:
    gate = threading.Event()

    def read(number: int) -> int:
        assert gate.wait(60)
        return number

    threading.Timer(0.05, gate.set).start()
    assert [future.result() for _, future in list(read_ahead(read, range(40), ahead=40))] == list(range(40))

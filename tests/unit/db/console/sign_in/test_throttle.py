"""Logins that fail slow down the next."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from db.console.sign_in.throttle import FAILURES, WINDOW, Throttle


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_name_waits_after_some_failures_and_no_longer_than_the_window() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    for _ in range(FAILURES["name"]):
        assert throttle.wait(("name", "ana")) == 0
        throttle.failed(("name", "ana"))
        clock.now += 1
    assert 0 < throttle.wait(("name", "ana")) <= WINDOW
    assert throttle.wait(("name", "bert")) == 0
    clock.now += throttle.wait(("name", "ana"))
    assert throttle.wait(("name", "ana")) == 0
    throttle.failed(("name", "ana"))
    assert throttle.wait(("name", "ana")) > 0


def test_an_address_waits_for_all_names() -> None:
    throttle = Throttle(Clock())
    for number in range(FAILURES["address"]):
        throttle.failed(("name", str(number)), ("address", "10.0.0.1"))
    assert throttle.wait(("name", "ana"), ("address", "10.0.0.1")) > 0
    assert throttle.wait(("name", "ana"), ("address", "10.0.0.2")) == 0


def test_signing_in_forgets_the_failures_of_the_name() -> None:
    throttle = Throttle(Clock())
    for _ in range(FAILURES["name"]):
        throttle.failed(("name", "ana"))
    throttle.succeeded(("name", "ana"), ("address", "10.0.0.1"))
    assert throttle.wait(("name", "ana")) == 0


def test_names_that_are_made_up_fill_no_memory() -> None:
    throttle = Throttle(Clock())
    for number in range(10_100):
        throttle.failed(("name", str(number)))
    assert len(throttle._failed) == 10_000


@pytest.mark.parametrize(("is_right", "looked_at"), [(False, FAILURES["name"]), (True, 20)], ids=["wrong", "right"])
def test_of_many_logins_at_once_no_more_are_looked_at_than_one_after_the_other(is_right, looked_at) -> None:
    throttle = Throttle(clock=lambda: 0.0)
    begun, of = Barrier(20), (("name", "ana"), ("address", "10.0.0.1"))

    def try_one(_: int) -> bool:
        begun.wait(30)
        if throttle.begin(*of) > 0:
            return False
        (throttle.succeeded if is_right else throttle.failed)(*of)
        return True

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(try_one, range(20))) == looked_at


def test_a_login_waits_for_those_that_are_under_way_and_not_for_ever(monkeypatch) -> None:
    monkeypatch.setattr("db.console.sign_in.throttle._WAIT_SECONDS", 0.01)
    throttle = Throttle(clock=lambda: 0.0)
    assert [throttle.begin(("name", "ana")) for _ in range(FAILURES["name"] + 1)] == [0.0] * FAILURES["name"] + [1.0]
    throttle.take_back(("name", "ana"))
    assert throttle.begin(("name", "ana")) == 0.0


def test_a_login_that_succeeds_counts_neither_for_its_name_nor_for_its_address() -> None:
    throttle = Throttle(clock=lambda: 0.0)
    of = ("name", "ana"), ("address", "10.0.0.1")
    for _ in range(2 * FAILURES["address"]):
        assert throttle.begin(*of) == 0.0
        throttle.succeeded(*of)


def test_a_login_that_came_to_nothing_is_no_failure() -> None:
    throttle = Throttle(clock=lambda: 0.0)
    of = ("name", "ana"), ("address", "10.0.0.1")
    throttle.failed(*of)
    for _ in range(2 * FAILURES["address"]):
        assert throttle.begin(*of) == 0.0
        throttle.take_back(*of)
    for _ in range(FAILURES["name"] - 1):
        assert throttle.begin(*of) == 0.0
        throttle.failed(*of)
    assert throttle.begin(*of) > 1.0

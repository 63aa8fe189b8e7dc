from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from producer.configuration.ports import PortRefused, PortTaken, check_port, holder


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_in_use_is_said_with_who_has_it_and_what_to_do(taken: int) -> None:
    with pytest.raises(PortTaken, match=rf"port {taken} is in use \(by .*, process {os.getpid()}\).* with --port"):
        check_port("127.0.0.1", taken, "--port")
    with pytest.raises(PortTaken):
        check_port("0.0.0.0", taken, "--port")  # noqa: S104 - in use, so not listened on
    found = holder(taken)
    assert found is not None
    assert (found.pid, found.folder) == (os.getpid(), Path.cwd())


def test_a_port_that_nobody_has_can_be_had_and_is_left_free(taken: int) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    check_port("127.0.0.1", port, "--port")
    check_port("127.0.0.1", port, "--port")
    assert holder(port) is None


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(PortRefused, match=r"198\.51\.100\.7 is no address of this machine"):
        check_port("198.51.100.7", 6390, "--port")


def test_a_port_beyond_the_last_is_refused() -> None:
    with pytest.raises(PortRefused, match="65536"):
        check_port("127.0.0.1", 65536, "--port")

from __future__ import annotations

import socket

import pytest

from producer.configuration.ports import PortRefused
from worker.embedded.bind_address import Bind, own_address


@pytest.mark.parametrize(
    ("text", "addresses", "host"),
    [
        ("127.0.0.1", ("127.0.0.1",), "127.0.0.1"),
        ("::1", ("::1",), "[::1]"),
        ("[::1]", ("::1",), "[::1]"),
        ("127.0.0.1, ::1", ("127.0.0.1", "::1"), "127.0.0.1"),
        ("127.0.0.1 10.1.2.3", ("127.0.0.1", "10.1.2.3"), "10.1.2.3"),
        ("10.1.2.3", ("10.1.2.3",), "10.1.2.3"),
        ("fd00::7", ("fd00::7",), "[fd00::7]"),
    ],
)
def test_others_are_told_an_address_that_they_can_use(text: str, addresses: tuple[str, ...], host: str) -> None:
    assert Bind.parse(text) == Bind(addresses, host)


def test_all_addresses_are_told_as_the_machine_s_own() -> None:
    all_of_ipv4 = "0.0.0.0"  # noqa: S104 - parsed, not listened on
    everywhere = Bind.parse(all_of_ipv4)
    assert everywhere.addresses == (all_of_ipv4,)
    assert everywhere.host == (own_address(socket.AF_INET) or "127.0.0.1")
    everywhere = Bind.parse("::")
    assert everywhere.host == f"[{own_address(socket.AF_INET6) or '::1'}]"


def test_a_name_is_listened_on_by_its_addresses_and_told_as_it_is() -> None:
    named = Bind.parse("localhost")
    assert named.host == "localhost"
    assert "127.0.0.1" in named.addresses


@pytest.mark.parametrize("text", ["", " , ", "no-such-name.invalid", "1.2.3.4.5", "a b"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(PortRefused, match="address"):
        Bind.parse(text)

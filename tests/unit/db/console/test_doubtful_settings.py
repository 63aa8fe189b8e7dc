"""What a console says of its settings when it starts."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.console.doubtful_settings import doubts
from db.console.settings import ConsoleSettings

pytestmark = pytest.mark.usefixtures("no_settings")


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Sets `TZ`, and has the C library read what it was once it is over."""
    with monkeypatch.context() as patch:
        yield patch
    time.tzset()


def test_nothing_is_said_of_what_is_as_it_should_be(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert list(doubts(ConsoleSettings())) == [], "a line that has no photograph yet has no folder of them"
    monkeypatch.setenv("INSERTS_CONSOLE_STALE_MINUTES", "5")
    monkeypatch.setenv("inserts_console_https", "true")
    monkeypatch.setenv("INSERTS_STATION", "another program's")
    for images in (str(tmp_path), f"file://{tmp_path}", "s3://plant/images"):
        assert list(doubts(ConsoleSettings(images=images))) == []


def test_a_setting_of_another_name_is_named_with_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSERTS_CONSOLE_STALE_MINUTE", "5")
    monkeypatch.setenv("INSERTS_CONSOLE_XYZ", "1")
    assert list(doubts(ConsoleSettings())) == [
        "INSERTS_CONSOLE_STALE_MINUTE is no setting, and does nothing: INSERTS_CONSOLE_STALE_MINUTES?",
        "INSERTS_CONSOLE_XYZ is no setting, and does nothing",
    ]


def test_a_folder_of_photographs_that_is_not_there_is_named(tmp_path: Path) -> None:
    (doubt,) = doubts(ConsoleSettings(images=str(tmp_path / "none")))
    assert doubt.startswith(f"no folder is at {tmp_path / 'none'} (INSERTS_IMAGES)")


@pytest.mark.parametrize(
    ("name", "known"),
    [("Mars/Base", False), ("Europe/Berlin", True), (":Asia/Tokyo", True), ("CET-1CEST", True), ("UTC", True)],
)
def test_a_time_zone_that_nobody_knows_is_named(zone: pytest.MonkeyPatch, name: str, known: bool) -> None:
    zone.setenv("TZ", name)
    time.tzset()
    assert [doubt.startswith(f"TZ={name} is no") for doubt in doubts(ConsoleSettings())] == ([] if known else [True])

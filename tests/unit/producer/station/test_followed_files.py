from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from producer.delivery.outbox import Outbox
from producer.station.followed_files import FollowedFiles


@pytest.fixture
def moved(tmp_path: Path) -> Path:
    path = tmp_path / "submitted" / "1.bmp"
    path.parent.mkdir()
    path.write_bytes(b"half of one and half of another")
    return path


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    outbox = Outbox(tmp_path / "outbox.db")
    yield outbox
    outbox.close()


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize(
    ("comes", "said", "there"),
    [
        (None, "it is handed in again", b"written on"),
        (b"newer", "a newer one has its place, and counts", b"newer"),
    ],
)
def test_what_became_of_a_file_that_was_written_on_is_said_as_it_is(
    tmp_path: Path, moved: Path, outbox: Outbox, comes: bytes | None, said: str, there: bytes, restarted: bool
) -> None:
    """Also where the process was started anew before or after it."""
    name, followed = tmp_path / "1.bmp", FollowedFiles(60.0, outbox, tmp_path, 0.0)
    followed.follow(name, moved, moved.read_bytes(), 0.0)
    if restarted:
        followed = FollowedFiles(60.0, outbox, tmp_path, 0.0)
    moved.write_bytes(b"written on")
    if restarted:
        followed = FollowedFiles(60.0, outbox, tmp_path, 0.0)
    if comes is not None:
        name.write_bytes(comes)
    with capture_logs() as logs:
        followed.bring_back(1.0)
        followed.bring_back(2.0)
    (entry,) = logs
    assert entry["event"] == f"a file was written after it was handed in: {said}"
    assert (name.read_bytes(), moved.exists()) == (there, comes is not None)
    assert outbox.notes("followed:") == {}


def test_what_was_followed_for_long_enough_is_forgotten(tmp_path: Path, moved: Path, outbox: Outbox) -> None:
    followed = FollowedFiles(60.0, outbox, tmp_path, 0.0)
    followed.follow(tmp_path / "1.bmp", moved, moved.read_bytes(), 0.0)
    followed.bring_back(59.0)
    assert len(outbox.notes("followed:")) == 1
    followed.bring_back(60.0)
    assert outbox.notes("followed:") == {}
    followed.follow(tmp_path / "1.bmp", moved, moved.read_bytes(), 60.0)
    followed.leave(tmp_path / "1.png")  # a newer one of its pocket
    assert outbox.notes("followed:") == {}


def test_a_file_that_cannot_be_put_back_is_not_said_to_be_handed_in_again(
    tmp_path: Path, moved: Path, outbox: Outbox
) -> None:
    followed = FollowedFiles(60.0, outbox, tmp_path, 0.0)
    followed.follow(tmp_path / "away" / "1.bmp", moved, moved.read_bytes(), 0.0)
    moved.write_bytes(b"written on")
    with capture_logs() as logs:
        followed.bring_back(1.0)
    (entry,) = logs
    assert (entry["event"].endswith("cannot be handed in again"), entry["problem"]) == (
        True,
        "No such file or directory",
    )


def test_what_is_gone_at_a_restart_is_forgotten_after_its_time(tmp_path: Path, moved: Path, outbox: Outbox) -> None:
    FollowedFiles(60.0, outbox, tmp_path, 0.0).follow(tmp_path / "1.bmp", moved, moved.read_bytes(), 0.0)
    moved.unlink()
    followed = FollowedFiles(60.0, outbox, tmp_path, 0.0)
    with capture_logs() as logs:
        followed.bring_back(60.0)
    assert (logs, outbox.notes("followed:")) == ([], {})

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from producer.station.followed_files import FollowedFiles


@pytest.fixture
def moved(tmp_path: Path) -> Path:
    path = tmp_path / "submitted" / "1.bmp"
    path.parent.mkdir()
    path.write_bytes(b"half of one and half of another")
    return path


@pytest.mark.parametrize(
    ("comes", "said", "there"),
    [
        (None, "it is handed in again", b"written on"),
        (b"newer", "a newer one has its place, and counts", b"newer"),
    ],
)
def test_what_became_of_a_file_that_was_written_on_is_said_as_it_is(
    tmp_path: Path, moved: Path, comes: bytes | None, said: str, there: bytes
) -> None:
    name, followed = tmp_path / "1.bmp", FollowedFiles(60.0)
    followed.follow(name, moved, moved.read_bytes(), 0.0)
    moved.write_bytes(b"written on")
    if comes is not None:
        name.write_bytes(comes)
    with capture_logs() as logs:
        followed.bring_back(1.0)
        followed.bring_back(2.0)
    (entry,) = logs
    assert entry["event"] == f"a file was written after it was handed in: {said}"
    assert (name.read_bytes(), moved.exists()) == (there, comes is not None)


def test_a_file_that_cannot_be_put_back_is_not_said_to_be_handed_in_again(tmp_path: Path, moved: Path) -> None:
    followed = FollowedFiles(60.0)
    followed.follow(tmp_path / "away" / "1.bmp", moved, moved.read_bytes(), 0.0)
    moved.write_bytes(b"written on")
    with capture_logs() as logs:
        followed.bring_back(1.0)
    (entry,) = logs
    assert (entry["event"].endswith("cannot be handed in again"), entry["problem"]) == (
        True,
        "No such file or directory",
    )

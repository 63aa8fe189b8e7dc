from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from producer.station.unused_files import LOOK_EVERY, UnusedFiles
from producer.station.watched_folder import is_named_as_photograph
from tests.support import photograph

PLACE = "mill-1/H1/op-7/"


class Looks:
    """Looks at a folder as `watch` does; what each look says."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.now = 0.0
        self.files = UnusedFiles(folder, is_named_as_photograph, ("submitted", "rejected"))

    def put(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def look(self) -> list[str]:
        self.now += LOOK_EVERY
        with capture_logs() as said:
            self.files.look(self.now)
        return [entry["file"] for entry in said]


@pytest.fixture
def looks(tmp_path: Path) -> Looks:
    return Looks(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        *(f"{PLACE}{name}" for name in ("1.jpg.incomplete", "IMG_2", "1.jpg.part", "photo.xyz")),
        *(
            f"{PLACE}{name}"
            for name in ("#5.jpg#", "~$5.jpg", "5.jpg~", "5.bak", "5.jpg.bak", "5.lnk", "5.thm", "5.xmp")
        ),
        *(f"{PLACE}{name}" for name in (".stage/3.jpg", ".goutputstream-XV2K", ".pureftpd-upload.5f3.15.1a2b")),
        *("submitted/H1/op-7/1.jpg", "rejected/H1/op-7/1.jpg"),
    ],
)
def test_what_may_be_a_photograph_and_is_not_taken_is_said_once(looks: Looks, name: str) -> None:
    looks.put(name, photograph())
    assert [looks.look() for _ in range(4)] == [[], [name], [], []]


def test_what_is_copied_is_said_when_it_stands_still(looks: Looks) -> None:
    for end in (100, 200, 300):
        path = looks.put(f"{PLACE}.goutputstream-XV2K", photograph()[:end])
        assert looks.look() == []
    path.rename(path.with_name("1.jpg"))
    assert [looks.look(), looks.look()] == [[], []]


@pytest.mark.parametrize(
    "name",
    [
        *(f"{PLACE}{name}" for name in ("1.jpg", "README", "1.txt", "._1.jpg", ".DS_Store", "Thumbs.db")),
        *(f"{PLACE}{name}" for name in ("@eaDir/1.jpg", ".Trashes/1.jpg", ".snapshots/1.jpg", "1.json")),
        *("submitted/mill-1/H1/op-7/1.jpg", "rejected/mill-1/H1/op-7/1.jpg"),
    ],
)
def test_of_what_is_taken_or_known_nothing_is_said(looks: Looks, name: str) -> None:
    looks.put(name, b"text" if name.endswith(("README", ".txt")) else photograph())
    assert [looks.look() for _ in range(3)] == [[], [], []]


@pytest.mark.parametrize("taken", [PLACE, f"submitted/{PLACE}", f"rejected/{PLACE}"])
def test_of_what_goes_with_a_photograph_nothing_is_said(looks: Looks, taken: str) -> None:
    for name in (f"{taken}1.jpg", f"{PLACE}1.xmp", f"{PLACE}01.jpg.md5"):
        looks.put(name, photograph())
    assert [looks.look(), looks.look()] == [[], []]
    (looks.folder / f"{taken}1.jpg").unlink()
    assert [looks.look(), sorted(looks.look())] == [[], [f"{PLACE}01.jpg.md5", f"{PLACE}1.xmp"]]


def test_what_was_rejected_for_its_path_is_known_by_its_note(looks: Looks) -> None:
    looks.put("rejected/H1/op-7/1.jpg", photograph())
    looks.put("rejected/H1/op-7/1.jpg.reason.txt", b"it has no machine")
    assert [looks.look(), looks.look()] == [[], []]

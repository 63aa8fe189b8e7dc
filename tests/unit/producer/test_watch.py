from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from producer.event import CaptureEvent
from producer.image_store import FolderStore
from producer.outbox import Outbox
from producer.station import Station
from producer.watch import CHECK_NOTE, FILE_NOTE, KEEP_NOTES, FolderCamera, Place, place_of
from tests.support import photograph


class Camera:
    def __init__(self, folder: Path, limit: int = 1000):
        self.folder = folder / "camera"
        self.folder.mkdir()
        self.outbox = Outbox(folder / "outbox.db", limit)
        # A station that is never started keeps everything in its outbox, so no Redis is needed.
        station = Station("station-1", FolderStore(folder / "images"), self.outbox, "redis://127.0.0.1:1/0")
        self.camera = FolderCamera(self.folder, station, self.outbox, check_size=2)

    def photo(self, name: str, image: bytes, *, finished: bool = True) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(image)
        if finished:
            os.utime(path, (time.time() - 60, time.time() - 60))
        return path

    def sweep(self) -> tuple[list[CaptureEvent], bool]:
        events: list[CaptureEvent] = []
        return events, self.camera.sweep(events.append)


@pytest.fixture
def camera(tmp_path: Path) -> Iterator[Camera]:
    camera = Camera(tmp_path)
    yield camera
    camera.outbox.close()


def test_paths_say_what_a_photograph_shows() -> None:
    assert place_of(Path("mill-1/H1/op-7/12.jpg")) == Place("mill-1", "H1", "op-7", 12)
    for wrong in ("12.jpg", "mill-1/H1/op-7/left.jpg", "mill-1/H1/op-7/extra/12.jpg"):
        with pytest.raises(ValueError, match="<machine>"):
            place_of(Path(wrong))


def test_a_finished_file_is_handed_in_and_moved(camera: Camera) -> None:
    camera.photo("mill-1/H1/op-7/1.jpg", photograph())
    camera.photo("mill-1/H1/op-7/2.jpg", photograph(seed=1))
    events, pending = camera.sweep()
    assert [(e.machine, e.head, e.operation, e.pocket, e.check_size) for e in events] == [
        ("mill-1", "H1", "op-7", 1, 2),
        ("mill-1", "H1", "op-7", 2, 2),
    ]
    assert len({e.check_id for e in events}) == 1
    assert not pending
    assert (camera.folder / "submitted/mill-1/H1/op-7/1.jpg").read_bytes() == photograph()
    assert camera.sweep() == ([], False)


def test_a_file_still_being_written_is_waited_for(camera: Camera) -> None:
    camera.photo("mill-1/H1/op-7/1.jpg", photograph(), finished=False)
    assert camera.sweep() == ([], True)


def test_another_operation_is_another_check(camera: Camera) -> None:
    camera.photo("mill-1/H1/op-7/1.jpg", photograph())
    camera.photo("mill-1/H1/op-8/1.jpg", photograph())
    events, _ = camera.sweep()
    assert len({e.check_id for e in events}) == 2


def test_a_crash_between_the_event_and_the_move_hands_in_once(camera: Camera, monkeypatch: pytest.MonkeyPatch) -> None:
    camera.photo("mill-1/H1/op-7/1.jpg", photograph())
    with monkeypatch.context() as broken:
        broken.setattr("producer.watch._move", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            camera.sweep()
    assert camera.sweep() == ([], False)
    assert len(camera.outbox) == 1
    assert (camera.folder / "submitted/mill-1/H1/op-7/1.jpg").exists()


def test_a_pocket_photographed_again_is_another_capture(camera: Camera) -> None:
    camera.photo("mill-1/H1/op-7/1.jpg", photograph())
    camera.sweep()
    camera.photo("mill-1/H1/op-7/1.jpg", photograph(seed=9))
    events, _ = camera.sweep()
    assert len(events) == 1
    assert len(list((camera.folder / "submitted").rglob("*.jpg"))) == 2


@pytest.mark.parametrize("name", ["1.jpg", "mill-1/H1/op-7/left.jpg", "a:machine/H1/op-7/1.jpg", "m/H/o/0.jpg"])
def test_what_cannot_be_handed_in_is_moved_aside_with_the_reason(camera: Camera, name: str) -> None:
    camera.photo(name, photograph())
    assert camera.sweep() == ([], False)
    assert (camera.folder / "rejected" / name).exists()
    assert (camera.folder / "rejected" / f"{name}.reason.txt").read_text().strip()
    assert len(camera.outbox) == 0


def test_a_full_outbox_leaves_the_file_where_it_is(tmp_path: Path) -> None:
    full = Camera(tmp_path, limit=1)
    full.photo("mill-1/H1/op-7/1.jpg", photograph())
    waiting = full.photo("mill-1/H1/op-7/2.jpg", photograph(seed=1))
    events, pending = full.sweep()
    assert ([event.pocket for event in events], pending) == ([1], True)
    assert waiting.exists()
    full.outbox.confirm([str(events[0].capture_id)])
    events, pending = full.sweep()
    assert ([event.pocket for event in events], pending) == ([2], False)
    full.outbox.close()


def test_other_files_and_links_are_left_alone(camera: Camera, tmp_path: Path) -> None:
    camera.photo("mill-1/H1/op-7/notes.txt", b"text")
    (tmp_path / "elsewhere.jpg").write_bytes(photograph())
    (camera.folder / "mill-1/H1/op-7/1.jpg").symlink_to(tmp_path / "elsewhere.jpg")
    assert camera.sweep()[0] == []
    assert (camera.folder / "mill-1/H1/op-7/notes.txt").exists()


def test_what_was_handed_in_long_ago_is_forgotten(camera: Camera) -> None:
    camera.photo("mill-1/H1/op-7/1.jpg", photograph())
    camera.sweep()
    now = time.time()
    assert {len(camera.outbox.notes(kind)) for kind in (FILE_NOTE, CHECK_NOTE)} == {1}
    camera.camera.forget_old_notes(now + KEEP_NOTES - 60)
    assert {len(camera.outbox.notes(kind)) for kind in (FILE_NOTE, CHECK_NOTE)} == {1}
    camera.camera.forget_old_notes(now + KEEP_NOTES + 60)
    assert camera.outbox.notes("") == {}
    assert len(camera.outbox) == 1


def test_a_file_that_cannot_be_moved_is_never_handed_in_again(camera: Camera, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError("the folder is read-only")

    path = camera.photo("mill-1/H1/op-7/1.jpg", photograph())
    monkeypatch.setattr("producer.watch._move", refused)
    camera.sweep()
    camera.camera.forget_old_notes(time.time() + 10 * KEEP_NOTES)
    assert path.exists()
    camera.sweep()
    assert len(camera.outbox) == 1


def test_a_camera_forgets_when_it_starts(camera: Camera, monkeypatch: pytest.MonkeyPatch) -> None:
    camera.photo("mill-1/H1/op-7/1.jpg", photograph())
    camera.sweep()
    monkeypatch.setattr("producer.watch.KEEP_NOTES", -60.0)
    stop = threading.Event()
    stop.set()
    camera.camera.run(stop, lambda _: None)
    assert camera.outbox.notes("") == {}

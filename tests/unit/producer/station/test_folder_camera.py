from __future__ import annotations

import io
import os
import threading
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from structlog.testing import capture_logs

from producer.contract.event import CaptureEvent, Region
from producer.delivery.outbox import NEWEST_ID, Outbox
from producer.pictures.stand_in import is_stand_in, reason_in
from producer.station.check_timeout import CHECK_TIMEOUT
from producer.station.declared_heads import DeclaredHeads
from producer.station.folder_camera import FolderCamera
from producer.station.head_register import Head, HeadRegister
from producer.station.known_photographs import SentBefore
from producer.station.settled_files import Look
from producer.station.station import Station
from producer.station.submitted_files import CHECK_NOTE, FILE_NOTE, KEEP_NOTES, HandedIn
from producer.station.time_since_boot import Moment
from producer.station.watched_folder import WatchedFolder
from producer.storage.folder import FolderStore
from tests.support import photograph


class Camera:
    """A folder camera whose clock the test turns."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, limit: int = 1000):
        self.folder = folder / "camera"
        self.folder.mkdir()
        self.outbox = Outbox(folder / "outbox.db", limit)
        self.images = folder / "images"
        self.now = 1000.0
        monkeypatch.setattr("producer.station.folder_camera.time.monotonic", lambda: self.now)
        # A station that is never started keeps everything in its outbox, so no Redis is needed.
        self.station = Station("station-1", FolderStore(folder / "images"), self.outbox, "redis://127.0.0.1:1/0")
        self.start()

    def start(
        self, heads: HeadRegister | None = None, size: int | None = 2, check_timeout: float = CHECK_TIMEOUT
    ) -> None:
        """As after a restart: what is remembered is what is in the outbox."""
        self.camera = FolderCamera(
            self.folder, self.station, self.outbox, DeclaredHeads(size, heads), check_timeout=check_timeout
        )

    def photo(self, name: str, image: bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(image)
        return path

    def look(self, after: float = 0.0) -> tuple[list[CaptureEvent], bool]:
        self.now += after
        events: list[CaptureEvent] = []
        return events, self.camera.sweep(events.append)

    def stand_ins(self) -> list[tuple[int, str]]:
        """The pockets for which a stand-in was handed in, in order, with the reason that it gives."""
        images = [
            (waiting.event, (self.images / waiting.event.image).read_bytes()) for waiting in self.outbox.waiting()
        ]
        return [(event.pocket, reason_in(image)) for event, image in images if is_stand_in(image)]

    def sweep(self) -> tuple[list[CaptureEvent], bool]:
        """Two looks, so far apart that a file which shows the same is finished."""
        self.look()
        return self.look(after=2.0)


def _bitmap(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "BMP")
    return out.getvalue()


@pytest.fixture
def camera(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Camera]:
    camera = Camera(tmp_path, monkeypatch)
    yield camera
    camera.outbox.close()


def bitmap(brightness: int) -> bytes:
    """A picture of one size in bytes whatever it shows."""
    image = io.BytesIO()
    Image.new("RGB", (40, 40), (brightness, 80, 70)).save(image, "BMP")
    return image.getvalue()


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


def test_a_file_is_taken_when_two_looks_show_the_same_whatever_its_times_say(camera: Camera) -> None:
    path = camera.photo("mill-1/H1/op-7/1.jpg", photograph())
    for hours in (-10, 10):
        os.utime(path, (time.time() + hours * 3600,) * 2)
        assert camera.look(after=100.0) == ([], True)
        assert camera.look(after=1.9) == ([], True)
    os.utime(path, (0, 0))  # a writer sets the time once more
    assert camera.look(after=2.0) == ([], True)
    assert [event.pocket for event in camera.look(after=2.0)[0]] == [1]


def test_a_file_that_grows_is_waited_for_whatever_its_time_says(camera: Camera) -> None:
    image = photograph()
    path = camera.photo("mill-1/H1/op-7/1.jpg", image[:1000])
    for end in (2000, 3000):
        assert camera.look(after=2.0) == ([], True)
        path.write_bytes(image[:end])
        os.utime(path, (1, 1))
    path.write_bytes(image)
    os.utime(path, (1, 1))
    assert camera.look(after=2.0) == ([], True)
    events, _ = camera.look(after=2.0)
    assert (camera.folder.parent / "images" / events[0].image).read_bytes() == image


@pytest.mark.parametrize("keep", [0, 0.3, 0.97])
def test_a_file_that_ends_before_its_image_is_waited_for_and_then_handed_in_as_it_is(camera: Camera, keep: int) -> None:
    image = photograph()[: int(keep * len(photograph()))]
    camera.photo("mill-1/H1/op-7/1.jpg", image)
    assert camera.sweep() == ([], True)
    assert camera.look(after=57.0) == ([], True)
    events, pending = camera.look(after=1.0)
    assert ([event.pocket for event in events], pending) == ([1], False)
    assert (camera.folder.parent / "images" / events[0].image).read_bytes() == image


def test_a_file_that_is_open_for_writing_is_waited_for(camera: Camera) -> None:
    path = camera.photo("mill-1/H1/op-7/1.jpg", photograph())
    with path.open("r+b"):
        assert camera.sweep() == ([], True)
        assert camera.look(after=10.0) == ([], True)
        assert camera.look(after=1000.0) == ([], True)  # half of it may be the photograph before
    assert [event.pocket for event in camera.look(after=1.0)[0]] == [1]


@pytest.mark.parametrize("in_place", [True, False])
def test_a_photograph_that_takes_the_place_of_one_being_handed_in_is_handed_in_too(
    camera: Camera, monkeypatch: pytest.MonkeyPatch, in_place: bool
) -> None:
    path = camera.photo("mill-1/H1/op-7/1.jpg", photograph(seed=1))
    submit = camera.station.submit

    def then_the_next_comes(image: bytes, **places: Any) -> CaptureEvent:
        event = submit(image, **places)
        if not in_place:
            path.unlink()
        path.write_bytes(photograph(seed=2))
        return event

    with monkeypatch.context() as racing:
        racing.setattr(camera.station, "submit", then_the_next_comes)
        assert len(camera.sweep()[0]) == 1
    assert path.read_bytes() == photograph(seed=2)
    (event,) = camera.sweep()[0]
    assert (camera.folder.parent / "images" / event.image).read_bytes() == photograph(seed=2)
    assert not path.exists()


def test_a_file_with_room_that_was_never_written_is_waited_for(camera: Camera) -> None:
    out = io.BytesIO()
    Image.effect_noise((200, 200), 60).convert("RGB").save(out, "BMP")
    bitmap = out.getvalue()
    path = camera.photo("mill-1/H1/op-7/1.bmp", bitmap[: len(bitmap) // 2])
    os.truncate(path, len(bitmap))  # as long as it will be, and half of it not there yet
    assert camera.sweep() == ([], True)
    assert camera.look(after=10.0) == ([], True)
    path.write_bytes(bitmap)
    assert [event.pocket for event in camera.sweep()[0]] == [1]


def test_what_the_kernel_cannot_tell_is_doubted_when_it_ends_in_zeros(
    camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("producer.station.photograph_file.open_for_writing", lambda _: None)
    monkeypatch.setattr("producer.station.photograph_file.has_holes", lambda *_: False)
    out = io.BytesIO()
    Image.effect_noise((200, 200), 60).convert("RGB").save(out, "BMP")
    half = out.getvalue()[: len(out.getvalue()) // 2]
    camera.photo("mill-1/H1/op-7/1.bmp", half + bytes(len(out.getvalue()) - len(half)))
    assert camera.sweep() == ([], True)
    assert [event.pocket for event in camera.look(after=60.0)[0]] == [1]


@pytest.mark.parametrize("restarted", [False, True])
def test_a_file_that_is_written_after_it_was_handed_in_is_handed_in_again(
    camera: Camera, monkeypatch: pytest.MonkeyPatch, restarted: bool
) -> None:
    """It is overwritten in place, with a pause that is longer than a file is waited for, and nothing tells of that."""
    for module in ("photograph_file", "watched_folder"):
        monkeypatch.setattr(f"producer.station.{module}.open_for_writing", lambda _: None)
    before, after = (_bitmap(seed) for seed in (1, 2))
    path = camera.photo("mill-1/H1/op-7/1.bmp", before)
    quiet = camera.photo("mill-1/H1/op-7/2.jpg", photograph())
    with path.open("r+b", buffering=0) as writer:
        writer.write(after[: len(after) // 2])
        assert [event.pocket for event in camera.sweep()[0]] == [1, 2]
        (camera.folder / "submitted" / quiet.relative_to(camera.folder)).chmod(0o600)  # which changes no byte
        assert camera.look(after=10.0) == ([], False)
        if restarted:
            camera.start()
        writer.write(after[len(after) // 2 :])
    assert camera.look(after=1.0) == ([], True)
    (event,) = camera.look(after=2.0)[0]
    assert (camera.folder.parent / "images" / event.image).read_bytes() == after
    assert sorted(file.name for file in camera.folder.rglob("?.???")) == ["1.bmp", "2.jpg"]
    assert camera.look(after=100.0) == ([], False)


def test_a_write_that_a_file_system_does_not_date_is_found_in_the_end(
    camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("photograph_file", "watched_folder"):
        monkeypatch.setattr(f"producer.station.{module}.open_for_writing", lambda _: None)
    monkeypatch.setattr(Look, "at", lambda status: Look(status.st_size, status.st_mtime_ns, 0, 0))
    path = camera.photo("mill-1/H1/op-7/1.bmp", _bitmap(1))
    taken = path.stat().st_mtime_ns
    assert len(camera.sweep()[0]) == 1
    moved = camera.folder / "submitted" / path.relative_to(camera.folder)
    moved.write_bytes(_bitmap(2))
    os.utime(moved, ns=(taken, taken))
    assert camera.look(after=10.0) == ([], False)
    assert camera.look(after=60.0) == ([], True)
    assert not moved.exists()
    assert path.read_bytes() == _bitmap(2)


def test_a_bar_is_waited_for_once_and_then_known(camera: Camera) -> None:
    """A black header, at the end of a BMP's file, cannot be told from what is not written yet; but it comes again."""
    for pocket in (1, 2):
        picture = Image.effect_noise((200, 200), 60 + pocket).convert("RGB")
        picture.paste((0, 0, 0), (0, 0, 200, 20))
        out = io.BytesIO()
        picture.save(out, "BMP")
        camera.photo(f"mill-1/H1/op-7/{pocket}.bmp", out.getvalue())
        if pocket == 1:
            assert camera.sweep() == ([], True)
            assert [event.pocket for event in camera.look(after=60.0)[0]] == [1]
        else:
            assert [event.pocket for event in camera.sweep()[0]] == [2]


def test_a_file_that_changes_while_it_is_read_is_not_taken(camera: Camera, monkeypatch: pytest.MonkeyPatch) -> None:
    path = camera.photo("mill-1/H1/op-7/1.jpg", photograph())

    def written_meanwhile(descriptor: int) -> None:
        path.write_bytes(photograph(seed=1))

    with monkeypatch.context() as racing:
        racing.setattr("producer.station.photograph_file.open_for_writing", written_meanwhile)
        assert camera.sweep() == ([], True)
    events, _ = camera.sweep()
    assert (camera.folder.parent / "images" / events[0].image).read_bytes() == photograph(seed=1)


def test_heads_say_how_many_pockets_there_are_and_where_to_look(camera: Camera) -> None:
    region = Region(left=1, top=2, width=300, height=200)
    head = Head("H1", 3, "SNMG120408", {3: region})
    camera.start(HeadRegister(Path("heads.toml"), {"H1": head}))
    camera.photo("mill-1/H1/op-7/3.jpg", photograph())
    camera.photo("mill-1/H1/op-7/4.jpg", photograph(seed=1))
    camera.photo("mill-1/H2/op-7/2.jpg", photograph(seed=2))
    events, _ = camera.sweep()
    told = [(e.head, e.pocket, e.check_size, e.insert_designation, e.region) for e in events]
    assert told == [("H1", 3, 3, "SNMG120408", region), ("H2", 2, 2, None, None)]
    reason = (camera.folder / "rejected/mill-1/H1/op-7/4.jpg.reason.txt").read_text(encoding="utf-8")
    assert "no pocket 4" in reason


def test_two_files_of_one_pocket_are_both_refused_and_the_pocket_stays_open(camera: Camera) -> None:
    camera.photo("mill-1/H1/op-7/1.jpg", photograph())
    camera.photo("mill-1/H1/op-7/01.png", photograph(seed=1))
    assert camera.sweep() == ([], False)
    for name in ("1.jpg", "01.png"):
        reason = (camera.folder / f"rejected/mill-1/H1/op-7/{name}.reason.txt").read_text(encoding="utf-8")
        assert "more than once" in reason


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (["1.jpg", "01.jpg"], "more than once"),
        (["1.nef"], "raw data"),
        (["1.jpg (2's)"], "one and the same photograph as 2.jpg"),
        (["1.jpg (a link)"], "it is a symbolic link"),
        (["1.jpg (a folder)"], "it is a folder"),
        (["1.jpg (large)"], "a photograph has at most"),
    ],
)
def test_a_newest_photograph_that_is_refused_leaves_its_pocket_to_a_person(
    camera: Camera, names: list[str], problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = photograph(seed=2)
    camera.photo("mill-1/H1/op-7/1.jpg", photograph())
    camera.photo("mill-1/H1/op-7/2.jpg", second)
    [check] = {event.check_id for event in camera.sweep()[0]}
    for seed, (name, _, how) in enumerate((name.partition(" ") for name in names), 3):
        path = camera.folder / "mill-1/H1/op-7" / name
        if how == "(a link)":
            path.symlink_to(camera.folder)
        elif how == "(a folder)":
            path.mkdir()
        elif how == "(large)":
            monkeypatch.setattr("producer.station.photograph_file.MAX_IMAGE_BYTES", 1000)
            path.write_bytes(bytes(1001))
        else:
            path.write_bytes(second if how == "(2's)" else b"II*\0" * 99 if name == "1.nef" else photograph(seed=seed))
    assert camera.sweep() == ([], False)
    camera.start()
    assert camera.sweep() == ([], False)
    told = camera.stand_ins()
    assert [pocket for pocket, _ in told] == [1] * len(names)
    assert all(problem in reason for _, reason in told)
    assert {waiting.event.check_id for waiting in camera.outbox.waiting()} == {check}
    waiting = camera.outbox.waiting()
    assert max(waiting, key=lambda each: each.event.captured_at).event.pocket == 1, "it is the newest"


def test_one_photograph_is_not_that_of_two_pockets(camera: Camera) -> None:
    camera.photo("mill-1/H1/op-7/1.jpg", photograph())
    camera.photo("mill-1/H1/op-7/2.jpg", photograph())
    camera.photo("mill-1/H1/op-8/2.jpg", photograph())
    events, pending = camera.sweep()
    assert ([(event.operation, event.pocket) for event in events], pending) == ([("op-7", 1), ("op-8", 2)], False)
    reason = camera.folder / "rejected/mill-1/H1/op-7/2.jpg.reason.txt"
    assert "the same photograph as 1.jpg" in reason.read_text(encoding="utf-8")
    camera.start()
    camera.photo("mill-1/H1/op-7/02.jpg", photograph())
    assert camera.sweep() == ([], False)


def test_photographs_that_were_sent_before_are_said_once_with_how_many(camera: Camera) -> None:
    def said(operation: str, seeds: tuple[int, int]) -> list[tuple[str, int, str]]:
        for pocket, seed in enumerate(seeds, 1):
            camera.photo(f"mill-1/H1/{operation}/{pocket}.jpg", photograph(seed=seed))
        with capture_logs() as told:
            assert [event.pocket for event in camera.sweep()[0]] == [1, 2], "the line says what follows"
            camera.look(after=10.0)
        log = [entry for entry in told if entry["event"].startswith("photographs came that were handed in before")]
        return [(entry["operation"], entry["photographs"], entry["before"][:14]) for entry in log]

    assert said("op-1", (1, 2)) == []
    assert said("op-1", (1, 2)) == [], "a pocket may be shown again"
    assert said("op-2", (1, 2)) == [("op-2", 2, "operation op-1")]
    camera.start()
    assert said("op-3", (3, 2)) == [("op-3", 1, "operation op-1")], "the first that it was of"


def test_one_photograph_may_be_that_of_pockets_which_have_regions_of_their_own_in_it(camera: Camera) -> None:
    regions = {pocket: Region(left=left, top=0, width=50, height=50) for pocket, left in ((1, 0), (2, 50), (3, 0))}
    camera.start(HeadRegister(Path("heads.toml"), {"H1": Head("H1", 4, None, regions)}))
    for pocket in (1, 2, 3, 4):
        camera.photo(f"mill-1/H1/op-7/{pocket}.jpg", photograph())
    assert [event.pocket for event in camera.sweep()[0]] == [1, 2]
    assert [pocket for pocket, _ in camera.stand_ins()] == [3, 4]


def test_a_photograph_that_was_first_handed_in_for_another_pocket_counts_when_that_has_its_own(camera: Camera) -> None:
    camera.photo("mill-1/H1/op-7/1.jpg", photograph())
    camera.sweep()
    for name, image in (("1.jpg", photograph(seed=1)), ("2.jpg", photograph())):
        camera.photo(f"mill-1/H1/op-7/{name}", image)
    assert [event.pocket for event in camera.sweep()[0]] == [1, 2]
    assert not (camera.folder / "rejected").exists()


@pytest.mark.parametrize("name", ["2.webp", "2.HEIC", "2.gif", "2", "2.xyz"])
def test_a_file_that_is_named_by_a_pocket_is_never_left_lying(camera: Camera, name: str) -> None:
    camera.photo(f"mill-1/H1/op-7/{name}", b"something that is no image at all")
    events, pending = camera.sweep()
    assert ([event.pocket for event in events], pending) == ([2], False)


def test_a_cameras_raw_data_are_refused_because_their_preview_would_be_judged(camera: Camera) -> None:
    out = io.BytesIO()
    Image.effect_noise((160, 120), 60).convert("RGB").save(out, "TIFF")
    camera.photo("mill-1/H1/op-7/2.nef", out.getvalue())
    assert camera.sweep() == ([], False)
    assert "raw" in (camera.folder / "rejected/mill-1/H1/op-7/2.nef.reason.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name",
    [
        *("._1.jpg", ".DS_Store", "Thumbs.db", "@eaDir/1.jpg", "__MACOSX/1.jpg", "1.jpg.part", "1.tmp", "1.txt"),
        *("1.xmp", "1.jpg~", "1.bak", "1.mp4", "#1.jpg#", "~$1.jpg"),
    ],
)
def test_what_is_no_photograph_is_left_alone(camera: Camera, name: str) -> None:
    path = camera.photo(f"mill-1/H1/op-7/{name}", photograph())
    assert camera.sweep() == ([], False)
    assert path.exists()
    assert not (camera.folder / "rejected").exists()


def test_a_file_that_is_copied_under_a_hidden_name_is_left_until_it_has_its_own(camera: Camera) -> None:
    hidden = camera.photo("mill-1/H1/op-7/.2.jpg.Xa81Qz", photograph())
    assert camera.sweep() == ([], False)
    hidden.rename(hidden.with_name("2.jpg"))
    assert [event.pocket for event in camera.sweep()[0]] == [2]
    assert not (camera.folder / "rejected").exists()


@pytest.mark.parametrize("name", [".2.jpg.Xa81Qz", "2.jpg.part", ".stage/2.jpg", "~syncthing~2.jpg.tmp"])
def test_no_photograph_is_handed_in_while_a_newer_one_of_its_operation_is_copied(camera: Camera, name: str) -> None:
    camera.photo("mill-1/H1/op-7/2.jpg", photograph())
    assert [event.pocket for event in camera.sweep()[0]] == [2]
    copy = camera.photo(f"mill-1/H1/op-7/{name}", b"half a photograph")
    camera.photo("mill-1/H1/op-7/1.jpg", photograph(seed=1))
    other = camera.photo("mill-1/H1/op-8/1.jpg", photograph(seed=2))
    with capture_logs() as said:
        assert [event.operation for event in camera.sweep()[0]] == ["op-8"]
        assert camera.look(after=30.0) == ([], True)
    assert [entry["file"] for entry in said if entry["event"].startswith("photographs wait")] == [name]
    copy.write_bytes(photograph(seed=3))
    copy.rename(camera.folder / "mill-1/H1/op-7/2.jpg")
    assert camera.look(after=1.0) == ([], True)
    assert [event.pocket for event in camera.look(after=2.0)[0]] == [2, 1]
    assert not other.exists()
    assert camera.stand_ins() == []


@pytest.mark.parametrize("name", ["2 (1).jpg", "IMG_2.jpg", "3.jpg", "2\udcff.jpg", "retake/2.jpg"])
def test_a_photograph_of_no_pocket_of_its_head_is_one_more_that_a_person_must_look_at(
    camera: Camera, name: str
) -> None:
    camera.photo("mill-1/H1/op-7/1.jpg", photograph())
    camera.sweep()
    camera.photo("mill-1/H1/op-7/2.jpg", photograph(seed=2))
    camera.look()
    camera.photo(f"mill-1/H1/op-7/{name}", photograph(seed=3))
    assert camera.look(after=2.0) == ([], True), "of which pocket is not known, so all wait until it is settled"
    assert [event.pocket for event in camera.look(after=2.0)[0]] == [2]
    [(pocket, reason)] = camera.stand_ins()
    assert (pocket, reason.startswith(Path(name).name.replace("\udcff", "\\udcff"))) == (3, True)
    events = [waiting.event for waiting in camera.outbox.waiting()]
    assert [(event.pocket, event.check_size) for event in events] == [(1, 2), (3, 3), (2, 2)]
    assert len({event.check_id for event in events}) == 1
    assert (camera.folder / "rejected/mill-1/H1/op-7" / name).exists()


@pytest.mark.parametrize("name", ["tmpab12cd", ".goutputstream-XV2K", "IMG_2", ".nfs000000000012ab", ".stage/IMG_2"])
@pytest.mark.parametrize("holds", [photograph(seed=3)[:500], b""], ids=["a part", "nothing"])
def test_a_file_of_no_name_that_may_be_a_photograph_is_waited_for_and_then_leaves_the_head_to_a_person(
    camera: Camera, name: str, holds: bytes
) -> None:
    camera.photo("mill-1/H1/op-7/1.jpg", photograph())
    copy = camera.photo(f"mill-1/H1/op-7/{name}", holds)
    with capture_logs() as said:
        assert camera.sweep() == ([], True)
    assert [entry["file"] for entry in said if entry["event"].startswith("photographs wait")] == [name]
    assert [event.pocket for event in camera.look(after=60.0)[0]] == [1]
    assert camera.stand_ins() == [(3, f"{name} may be the newest photograph of any pocket")]
    camera.photo("mill-1/H1/op-7/2.jpg", photograph(seed=2))
    assert [event.pocket for event in camera.sweep()[0]] == [2]
    assert len({waiting.event.check_id for waiting in camera.outbox.waiting()}) == 1
    assert (copy.exists(), len(camera.stand_ins())) == (True, 1)


@pytest.mark.parametrize("name", ["done", "op-7.ready", "notes.txt", "README"])
def test_a_mark_that_all_is_there_is_waited_for_by_nobody(camera: Camera, name: str) -> None:
    camera.photo(f"mill-1/H1/op-7/{name}", b"" if name != "README" else b"of the camera")
    camera.photo("mill-1/H1/op-7/1.jpg", photograph())
    assert [event.pocket for event in camera.sweep()[0]] == [1]


def test_a_copy_that_went_is_waited_for_at_one_more_look(camera: Camera) -> None:
    """It may have taken its own name while the folder was listed, and be seen under neither."""
    copy = camera.photo("mill-1/H1/op-7/2.jpg.part", b"half a photograph")
    camera.photo("mill-1/H1/op-7/1.jpg", photograph(seed=1))
    assert camera.sweep() == ([], True)
    copy.unlink()
    assert camera.look(after=1.0) == ([], True)
    assert [event.pocket for event in camera.look(after=1.0)[0]] == [1]


def test_a_copy_that_nobody_goes_on_with_leaves_its_pocket_to_a_person_in_every_check(camera: Camera) -> None:
    copy = camera.photo("mill-1/H1/op-7/.2.jpg.Xa81Qz", b"half a photograph")
    camera.photo("mill-1/H1/op-7/1.jpg", photograph(seed=1))
    assert camera.sweep() == ([], True)
    (event,), waits = camera.look(after=60.0)
    assert (event.pocket, waits) == (1, False)
    reason = (2, "no finished photograph of pocket 2, only .2.jpg.Xa81Qz")
    assert camera.stand_ins() == [reason]
    assert camera.look(after=1.0) == ([], False)
    assert camera.stand_ins() == [reason]
    # In the next check of an operation of that name it lies there still; and which of two is the newest, nobody knows.
    newer = camera.photo("mill-1/H1/op-7/2.jpg", photograph(seed=2))
    assert camera.sweep() == ([], False)
    assert [pocket for pocket, _ in camera.stand_ins()] == [2, 2]
    assert not newer.exists()
    copy.unlink()
    camera.photo("mill-1/H1/op-7/2.jpg", photograph(seed=3))
    assert [event.pocket for event in camera.sweep()[0]] == [2]


def test_a_copy_that_is_left_after_the_last_photograph_counts_in_the_open_check(camera: Camera) -> None:
    for pocket in (1, 2):
        camera.photo(f"mill-1/H1/op-7/{pocket}.jpg", photograph(seed=pocket))
    assert len(camera.sweep()[0]) == 2
    camera.photo("mill-1/H1/op-7/2.jpg.part", b"half a photograph")
    camera.photo("mill-1/H1/op-9/2.jpg.part", b"of an operation that has no check")
    camera.look()
    assert camera.stand_ins() == []
    assert camera.look(after=60.0) == ([], False)
    assert camera.stand_ins() == [(2, "no finished photograph of pocket 2, only 2.jpg.part")]


def test_no_check_is_completed_while_a_pockets_newer_photograph_is_written(camera: Camera) -> None:
    camera.photo("mill-1/H1/op-7/2.jpg", photograph(seed=2))
    assert [event.pocket for event in camera.sweep()[0]] == [2]
    camera.photo("mill-1/H1/op-7/1.jpg", photograph(seed=1))
    again = camera.photo("mill-1/H1/op-7/2.jpg", photograph(seed=3)[:-300])
    assert camera.sweep() == ([], True)  # it stands still, and is not whole
    again.write_bytes(photograph(seed=3))
    assert camera.look(after=1.0) == ([], True)
    assert [event.pocket for event in camera.look(after=2.0)[0]] == [2, 1]


def test_an_older_file_that_is_written_on_is_not_handed_in_after_a_newer_one(
    camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("photograph_file", "watched_folder"):
        monkeypatch.setattr(f"producer.station.{module}.open_for_writing", lambda _: None)
    camera.photo("mill-1/H1/op-7/1.bmp", _bitmap(1))
    assert len(camera.sweep()[0]) == 1
    moved = camera.folder / "submitted/mill-1/H1/op-7/1.bmp"
    camera.photo("mill-1/H1/op-7/1.bmp", _bitmap(2))
    assert len(camera.sweep()[0]) == 1
    moved.write_bytes(_bitmap(3))
    assert camera.look(after=1.0) == ([], False)
    assert moved.exists()


def test_a_folder_that_may_only_be_read_is_handed_in_once_and_remembered(
    camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(folder: WatchedFolder) -> None:
        folder.writable = False

    monkeypatch.setattr(WatchedFolder, "hold", read_only)
    path = camera.photo("mill-1/H1/op-7/1.jpg", photograph())
    camera.camera._folder.hold()
    assert len(camera.sweep()[0]) == 1
    for _ in range(3):
        assert camera.sweep() == ([], False)
    camera.start()
    camera.camera._folder.hold()
    assert camera.sweep() == ([], False)
    os.utime(path, (5, 5))  # copied again, with the same bytes
    assert camera.sweep() == ([], False)
    camera.start()
    camera.camera._folder.hold()
    assert camera.sweep() == ([], False)
    path.write_bytes(photograph(seed=1))  # photographed again
    assert len(camera.sweep()[0]) == 1
    assert path.exists()
    path.write_bytes(photograph())  # and again, and it shows what it showed at first: the newest counts
    assert len(camera.sweep()[0]) == 1
    os.utime(path, (7, 7))
    assert camera.sweep() == ([], False)


@pytest.mark.parametrize("again", [False, True], ids=["goes on", "started again"])
def test_a_file_that_stays_and_ends_as_the_photograph_before_is_not_taken(
    camera: Camera, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    """The share may only be read, nothing tells of writers, and the writer pauses for longer than a file is still."""
    monkeypatch.setattr("producer.station.photograph_file.open_for_writing", lambda _: None)
    camera.camera._folder.writable = False
    before, after = (_bitmap(seed) for seed in (1, 2))
    path = camera.photo("mill-1/H1/op-7/1.bmp", before)
    assert len(camera.sweep()[0]) == 1
    with path.open("r+b", buffering=0) as writer:
        writer.write(after[: len(after) // 2])
        assert camera.sweep() == ([], True)
        if again:
            camera.start()
            camera.camera._folder.writable = False
            assert camera.sweep() == ([], True)
        assert camera.look(after=30.0) == ([], True)
        writer.write(after[len(after) // 2 :])
    (event,) = camera.sweep()[0]
    assert (camera.images / event.image).read_bytes() == after
    assert camera.outbox.notes("end:") != {}
    path.unlink()
    monkeypatch.setattr("producer.station.submitted_files.KEEP_NOTES", 0.0)
    camera.photo("mill-1/H1/op-7/2.bmp", before)  # a folder that shows nothing may be away
    camera.camera._handed_in.forget_old(time.time() + 60)
    assert camera.outbox.notes("end:") == {}


def test_another_operation_is_another_check(camera: Camera) -> None:
    camera.photo("mill-1/H1/op-7/1.jpg", photograph())
    camera.photo("mill-1/H1/op-8/1.jpg", photograph())
    events, _ = camera.sweep()
    assert len({e.check_id for e in events}) == 2


def test_an_operation_of_the_same_name_is_another_check_when_the_first_is_over(camera: Camera) -> None:
    """Pocket 2 of yesterday does not stand for the one that nobody saw today."""
    for pocket in (1, 2):
        camera.photo(f"mill-1/H1/op-7/{pocket}.jpg", photograph(seed=pocket))
    yesterday = {event.check_id for event in camera.sweep()[0]}
    camera.start()
    camera.photo("mill-1/H1/op-7/1.jpg", photograph(seed=3))
    assert {event.check_id for event in camera.sweep()[0]} == yesterday
    camera.start(check_timeout=1e-6)
    camera.photo("mill-1/H1/op-7/1.jpg", photograph(seed=4))
    today = {event.check_id for event in camera.sweep()[0]}
    camera.start()
    # The same bytes as pocket 1 had yesterday: another day's photograph is no copy within this check.
    camera.photo("mill-1/H1/op-7/2.jpg", photograph(seed=3))
    assert {event.check_id for event in camera.sweep()[0]} == today
    assert len(yesterday | today) == 2


def test_a_head_that_the_register_lacks_is_named_once(camera: Camera) -> None:
    camera.start(HeadRegister(camera.folder / "heads.toml", {"H12": Head("H12", 4, None, {})}))
    for pocket in (1, 2):
        camera.photo(f"mill-1/H21/op-7/{pocket}.jpg", photograph(seed=pocket))
    with capture_logs() as logs:
        assert len(camera.sweep()[0]) == 2
    (said,) = [entry for entry in logs if "not in the head register" in entry["event"]]
    assert (said["head"], said["meant"], said["pockets"]) == ("H21", "H12", 2)


def test_of_a_head_nobody_declares_no_photograph_is_taken(camera: Camera) -> None:
    camera.start(HeadRegister(camera.folder / "heads.toml", {"H12": Head("H12", 4, None, {})}), size=None)
    camera.photo("mill-1/H12/op-7/1.jpg", photograph(seed=1))
    camera.photo("mill-1/H21/op-7/2.jpg", photograph(seed=2))
    assert [(event.head, event.check_size) for event in camera.sweep()[0]] == [("H12", 4)]
    reason = (camera.folder / "rejected/mill-1/H21/op-7/2.jpg.reason.txt").read_text(encoding="utf-8")
    assert "nobody says how many pockets head H21 has: is H12 meant?" in reason


def test_a_file_that_is_never_still_is_said_once(camera: Camera) -> None:
    path = camera.photo("mill-1/H1/op-7/1.jpg", photograph())
    with capture_logs() as logs:
        for second in range(200):
            os.utime(path, (second, second))
            assert camera.look(after=1.0) == ([], True)
    assert [entry["event"] for entry in logs] == ["a file is never still, and is not handed in"]


def test_a_check_is_over_by_the_last_photograph(camera: Camera) -> None:
    notes, operation = HandedIn(camera.outbox, camera.folder), Path("mill-1/H1/op-7")
    check = notes.check_of(operation, Moment("boot", 1000), 600, 4)
    assert notes.check_of(operation, Moment("boot", 1599), 600, 4) == check
    assert notes.check_of(operation, Moment("boot", 2198), 600, 4) == check
    assert notes.check_of(operation, Moment("boot", 2799), 600, 4) != check


def test_another_size_is_another_check(camera: Camera) -> None:
    """A station that was started again with the right size: what it took before belongs to no head of that size."""
    camera.start(size=2)
    camera.photo("mill-1/H1/op-7/1.jpg", photograph(seed=1))
    [first], _ = camera.sweep()
    camera.start(size=3)
    camera.photo("mill-1/H1/op-7/2.jpg", photograph(seed=2))
    camera.photo("mill-1/H1/op-7/3.jpg", photograph(seed=3))
    second, third = camera.sweep()[0]
    assert (first.check_size, second.check_size) == (2, 3)
    assert first.check_id != second.check_id == third.check_id


def test_the_note_of_a_version_that_kept_no_size_goes_on(camera: Camera) -> None:
    notes, operation = HandedIn(camera.outbox, camera.folder), Path("mill-1/H1/op-7")
    check = notes.check_of(operation, Moment("boot", 1000), 600, 4)
    [note] = camera.outbox.notes(CHECK_NOTE)
    camera.outbox.keep_note(note, f"{check} {Moment('boot', 1000)}")
    assert notes.check_of(operation, Moment("boot", 1001), 600, 4) == check
    assert notes.check_of(operation, Moment("boot", 1002), 600, 5) != check


def test_after_a_start_of_the_computer_what_comes_is_another_check_whatever_its_clock_says(camera: Camera) -> None:
    """A computer without a battery begins at the same time of day again, and at the same seconds since its start."""
    notes, operation = HandedIn(camera.outbox, camera.folder), Path("mill-1/H1/op-7")
    check = notes.check_of(operation, Moment("yesterday", 120), 600, 4)
    today = notes.check_of(operation, Moment("today", 120), 600, 4)
    assert today != check
    assert notes.check_of(operation, Moment("today", 125), 600, 4) == today


def test_a_clock_that_was_ahead_once_spoils_no_operation(camera: Camera, monkeypatch: pytest.MonkeyPatch) -> None:
    camera.photo("mill-1/H1/op-7/1.jpg", photograph(seed=1))
    with monkeypatch.context() as ahead:
        ahead.setattr("uuid6._last_v7_timestamp", None)  # ids of one process never go back; put back afterwards
        ahead.setattr(time, "time", lambda: 4_070_908_800.0)  # the year 2099
        ahead.setattr(time, "time_ns", lambda: 4_070_908_800 * 10**9)
        assert len(camera.sweep()[0]) == 1
    camera.start(check_timeout=1e-6)
    camera.photo("mill-1/H1/op-7/1.jpg", photograph(seed=2))
    (first,) = camera.sweep()[0]
    camera.start()
    for pocket in (2, 3):
        camera.photo(f"mill-1/H1/op-7/{pocket}.jpg", photograph(seed=10 + pocket))
    assert {event.check_id for event in camera.sweep()[0]} == {first.check_id}


def test_a_photograph_that_came_back_to_its_pocket_is_no_other_pocket_s(camera: Camera) -> None:
    for seed in (1, 2, 1):
        camera.photo("mill-1/H1/op-7/1.jpg", photograph(seed=seed))
        assert len(camera.sweep()[0]) == 1
    camera.photo("mill-1/H1/op-7/2.jpg", photograph(seed=1))
    assert camera.sweep()[0] == []
    reason = camera.folder / "rejected/mill-1/H1/op-7/2.jpg.reason.txt"
    assert "one and the same photograph as 1.jpg" in reason.read_text(encoding="utf-8")


def test_names_of_either_normal_form_are_one_operation(camera: Camera) -> None:
    camera.photo(f"{unicodedata.normalize('NFC', 'Fräse')}/H1/op-7/1.jpg", photograph(seed=1))
    assert len(camera.sweep()[0]) == 1
    camera.photo(f"{unicodedata.normalize('NFD', 'Fräse')}/H1/op-7/2.jpg", photograph(seed=1))
    assert camera.sweep()[0] == []


def test_one_pocket_in_folders_of_either_normal_form_is_refused(camera: Camera) -> None:
    for form, seed in (("NFC", 1), ("NFD", 2)):
        camera.photo(f"mill-1/{unicodedata.normalize(form, 'Fräskopf')}/op-7/1.jpg", photograph(seed=seed))
    assert camera.sweep()[0] == []
    reasons = [path.read_text(encoding="utf-8") for path in (camera.folder / "rejected").rglob("*.reason.txt")]
    assert len(reasons) == 2
    assert all("pocket 1 is there more than once, also as mill-1/" in reason for reason in reasons)


def test_a_second_photograph_that_looks_just_as_the_first_is_handed_in(
    camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAT knows no time of the last change: a bitmap of a camera without a clock has the first one's size and times."""
    monkeypatch.setattr(Look, "at", lambda status: Look(status.st_size, status.st_mtime_ns, changed=0, inode=1))
    for brightness in (90, 120):
        os.utime(camera.photo("mill-1/H1/op-7/1.bmp", bitmap(brightness)), (315_532_800, 315_532_800))
        assert len(camera.sweep()[0]) == 1
    assert len(list((camera.folder / "submitted").rglob("*.bmp"))) == 2


@pytest.mark.parametrize("again", [False, True], ids=["goes on", "started again"])
@pytest.mark.parametrize("changed", [315_532_800, 315_532_801, 0])
def test_a_second_photograph_that_looks_just_as_the_first_is_seen_where_it_stays(
    camera: Camera, monkeypatch: pytest.MonkeyPatch, again: bool, changed: int
) -> None:
    """A share that knows one time, or none of the last change, and may only be read."""
    monkeypatch.setattr(Look, "at", lambda status: Look(status.st_size, status.st_mtime_ns, changed * 10**9, 1))
    camera.camera._folder.writable = False
    for brightness in (90, 120, 90):
        os.utime(camera.photo("mill-1/H1/op-7/1.bmp", bitmap(brightness)), (changed or 315_532_800,) * 2)
        if again:
            camera.start()
            camera.camera._folder.writable = False
        assert len(camera.sweep()[0]) == 1
        assert camera.sweep() == ([], False)
    camera.start()
    camera.camera._folder.writable = False
    assert camera.sweep() == camera.sweep() == ([], False)


def test_a_crash_between_the_event_and_the_move_hands_in_once(camera: Camera, monkeypatch: pytest.MonkeyPatch) -> None:
    camera.photo("mill-1/H1/op-7/1.jpg", photograph())
    with monkeypatch.context() as broken:
        broken.setattr(WatchedFolder, "move", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
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


def test_a_camera_without_a_clock_may_photograph_a_pocket_again(camera: Camera) -> None:
    """Its photographs of one size have the same time too: which of them was handed in is no question of these."""
    for brightness in (90, 120):
        os.utime(camera.photo("mill-1/H1/op-7/1.bmp", bitmap(brightness)), (315_532_800, 315_532_800))
        events, _ = camera.sweep()
        assert len(events) == 1


def test_a_name_of_another_encoding_is_rejected_and_the_others_are_handed_in(camera: Camera) -> None:
    camera.photo(os.fsdecode(b"Fr\xe4se/H1/op-7/1.jpg"), photograph())
    camera.photo("mill-1/H1/op-7/2.jpg", photograph())
    with capture_logs() as said:
        events, _ = camera.sweep()
    assert [event.pocket for event in events] == [2]
    assert "no text" in said[0]["reason"]


def test_a_bitmap_that_is_written_in_blocks_of_any_order_is_waited_for(camera: Camera) -> None:
    """By a program that closes it in between, or on another computer: nobody has it open, and it has no holes."""
    image = io.BytesIO()
    Image.new("RGB", (200, 160), (90, 80, 70)).save(image, "BMP")
    whole = image.getvalue()
    third = len(whole) // 3
    path = camera.photo("mill-1/H1/op-7/1.bmp", whole[:third] + bytes(third) + whole[2 * third :])
    assert camera.sweep() == ([], True)
    path.write_bytes(bytes(54) + whole[54:])  # its header comes last
    assert camera.sweep() == ([], True)
    path.write_bytes(whole)
    events, _ = camera.sweep()
    assert len(events) == 1


@pytest.mark.parametrize("name", ["1.jpg", "mill-1/H1/left.jpg", "a:machine/H1/op-7/1.jpg"])
def test_what_cannot_be_handed_in_is_moved_aside_with_the_reason(camera: Camera, name: str) -> None:
    camera.photo(name, photograph())
    assert camera.sweep() == ([], False)
    assert (camera.folder / "rejected" / name).exists()
    assert (camera.folder / "rejected" / f"{name}.reason.txt").read_text().strip()
    assert len(camera.outbox) == 0


def test_a_full_outbox_leaves_the_file_where_it_is_and_says_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = Camera(tmp_path, monkeypatch, limit=1)
    full.photo("mill-1/H1/op-7/1.jpg", photograph())
    waiting = full.photo("mill-1/H1/op-7/2.jpg", photograph(seed=1))
    events, pending = full.sweep()
    assert ([event.pocket for event in events], pending) == ([1], True)
    with capture_logs() as said:
        for _ in range(5):
            assert full.look(after=1.0) == ([], True)
    assert [entry for entry in said if entry.get("file")] == []
    assert waiting.exists()
    full.outbox.confirm([str(events[0].capture_id)], 0.0, 0.0)
    events, pending = full.look(after=1.0)
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
    notes = HandedIn(camera.outbox, camera.folder)
    notes.forget_old(now + KEEP_NOTES - 60)
    assert {len(camera.outbox.notes(kind)) for kind in (FILE_NOTE, CHECK_NOTE)} == {1}
    notes.forget_old(now + KEEP_NOTES + 60)
    SentBefore(camera.outbox).forget_old(now + KEEP_NOTES + 60)
    assert [note for note in camera.outbox.notes("") if not note.startswith("node of ")] == [NEWEST_ID]
    assert len(camera.outbox) == 1


def test_a_file_that_cannot_be_moved_is_never_handed_in_again(camera: Camera, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError("the folder is read-only")

    path = camera.photo("mill-1/H1/op-7/1.jpg", photograph())
    monkeypatch.setattr(WatchedFolder, "move", refused)
    camera.sweep()
    HandedIn(camera.outbox, camera.folder).forget_old(time.time() + 10 * KEEP_NOTES)
    assert path.exists()
    camera.start()
    camera.sweep()
    assert len(camera.outbox) == 1


def test_of_a_folder_that_shows_nothing_nothing_is_forgotten(camera: Camera) -> None:
    """It may be the mount point of a share that is not mounted, and all on it were handed in."""
    camera.photo("mill-1/H1/op-7/1.jpg", photograph())
    camera.sweep()
    notes = camera.outbox.notes("")
    camera.folder.rename(camera.folder.with_name("share"))
    camera.folder.mkdir()
    HandedIn(camera.outbox, camera.folder).forget_old(time.time() + 10 * KEEP_NOTES)
    assert camera.outbox.notes("") == notes


def test_a_camera_forgets_when_it_starts(camera: Camera, monkeypatch: pytest.MonkeyPatch) -> None:
    camera.photo("mill-1/H1/op-7/1.jpg", photograph())
    camera.sweep()
    for module in ("submitted_files", "known_photographs"):
        monkeypatch.setattr(f"producer.station.{module}.KEEP_NOTES", -60.0)
    stop = threading.Event()
    stop.set()
    camera.camera.run(stop, lambda _: None)
    assert [note for note in camera.outbox.notes("") if not note.startswith("node of ")] == [NEWEST_ID]

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from producer.contract.event import CaptureEvent, new_id
from producer.delivery.outbox import Outbox
from producer.station.head_folder import HeadFolder, look_at
from producer.station.known_photographs import remember, without_known
from producer.station.submitted_files import KEEP_NOTES
from tests.support import message

FIRST, SECOND = ("mill-1", "H12", "op-1"), ("mill-1", "H12", "op-2")


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    outbox = Outbox(tmp_path / "outbox.db")
    yield outbox
    outbox.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "head"
    folder.mkdir()
    for pocket in (1, 2, 3):
        (folder / f"{pocket}.jpg").write_bytes(b"\xff\xd8" + bytes([pocket]))
    return folder


def handed_in(shown: HeadFolder, place: tuple[str, str, str], outbox: Outbox) -> UUID:
    """As it is remembered; its check."""
    check_id = new_id()
    of = {**dict(zip(("machine", "head", "operation"), place, strict=True)), "check_id": str(check_id)}
    for photograph in shown.photographs:
        digest = hashlib.sha256(photograph.image).hexdigest()
        remember(CaptureEvent.from_message(message(image_sha256=digest, **of)), outbox)
    return check_id


def test_a_folder_without_a_new_photograph_is_refused_unless_its_check_is_meant(folder: Path, outbox: Outbox) -> None:
    shown = look_at(folder, 3)
    assert without_known(shown, folder, FIRST, None, outbox) is shown, "nothing is known yet"
    check_id = handed_in(shown, FIRST, outbox)
    with pytest.raises(ValueError, match=rf"^no photograph in {folder} is new: .* with --check-id {check_id}$"):
        without_known(shown, folder, FIRST, None, outbox)
    assert without_known(shown, folder, FIRST, check_id, outbox) is shown
    (folder / "2.jpg").write_bytes(b"\xff\xd8 new")
    shown = look_at(folder, 3)
    assert without_known(shown, folder, FIRST, None, outbox) is shown, "the line looks at what is old"


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (SECOND, r"operation op-1, handed in at .* UTC: photograph the head again after operation op-2"),
        (
            ("mill-1", "H13", "op-1"),
            r"operation op-1 on head H12, handed in at .* UTC: photograph the head again .* Was head H12 mistyped\?",
        ),
        (("mill-2", "H12", "op-1"), r"operation op-1 on head H12 of machine mill-1, handed in at"),
    ],
)
def test_a_folder_of_another_operation_is_refused_in_one_sentence(
    folder: Path, outbox: Outbox, place: tuple[str, str, str], said: str
) -> None:
    handed_in(look_at(folder, 3), FIRST, outbox)
    with pytest.raises(ValueError, match=rf"^the photographs in {folder} are those of {said}"):
        without_known(look_at(folder, 3), folder, place, None, outbox)


def test_one_photograph_of_the_past_is_left_out_and_named(folder: Path, outbox: Outbox) -> None:
    handed_in(look_at(folder, 3), FIRST, outbox)
    for pocket in (1, 2):
        (folder / f"{pocket}.jpg").write_bytes(b"\xff\xd8 new" + bytes([pocket]))
    shown = without_known(look_at(folder, 3), folder, SECOND, None, outbox)
    assert [photograph.pocket for photograph in shown.photographs] == [1, 2]
    [problem] = shown.problems
    assert (problem.files, problem.pockets) == (["3.jpg"], [3])
    assert problem.what.startswith("3.jpg is the photograph of operation op-1, handed in at ")
    assert problem.what.endswith(" UTC: it was not handed in again, photograph pocket 3 anew")


def test_it_is_the_first_operation_that_a_photograph_is_of(folder: Path, outbox: Outbox) -> None:
    shown = look_at(folder, 3)
    first, _ = (handed_in(shown, place, outbox) for place in (FIRST, SECOND))
    assert without_known(shown, folder, FIRST, first, outbox) is shown


def test_what_was_handed_in_long_ago_is_forgotten(
    folder: Path, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed_in(look_at(folder, 3), FIRST, outbox)
    later = time.time() + KEEP_NOTES + 60
    monkeypatch.setattr(time, "time", lambda: later)
    without_known(look_at(folder, 3), folder, FIRST, None, outbox)
    assert outbox.notes("") == {}

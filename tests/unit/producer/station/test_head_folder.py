from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from producer.contract.region import Region
from producer.station.head_folder import HeadFolder, changes_since, look_at
from producer.station.settled_files import Look
from tests.support import make_no_file, photograph

JPEG = photograph()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A head of three pockets, of which the second is not there yet."""
    for pocket in (1, 3):
        (tmp_path / f"{pocket}.jpg").write_bytes(photograph(seed=pocket))
    return tmp_path


def pockets(shown: HeadFolder) -> list[int]:
    return [each.pocket for each in shown.photographs]


def test_photographs_are_named_by_pocket_and_come_in_its_order(tmp_path: Path) -> None:
    for name in ("3.jpg", "2.PNG", "01.jpeg", "notes.txt"):
        (tmp_path / name).write_bytes(name.encode())
    shown = look_at(tmp_path, None)
    assert [(each.pocket, each.image) for each in shown.photographs] == [(1, b"01.jpeg"), (2, b"2.PNG"), (3, b"3.jpg")]
    assert (shown.check_size, shown.problems) == (3, [])


def test_a_gap_in_the_numbers_is_named_and_counts(folder: Path) -> None:
    shown = look_at(folder, None)
    (problem,) = shown.problems
    assert (problem.what, problem.pockets) == ("no photograph of pocket 2", [2])
    assert (pockets(shown), shown.check_size) == ([1, 3], 3)


def test_fewer_photographs_than_the_head_has_pockets_are_named(folder: Path) -> None:
    shown = look_at(folder, 6)
    (problem,) = shown.problems
    assert (problem.what, shown.check_size) == ("no photograph of pockets 2, 4 to 6", 6)


def test_a_number_that_the_head_does_not_have_is_not_handed_in(folder: Path) -> None:
    (folder / "2.jpg").write_bytes(JPEG)
    shown = look_at(folder, 2)
    (problem,) = shown.problems
    assert (problem.files, problem.pockets) == (["3.jpg"], [3])
    assert (pockets(shown), shown.check_size) == ([1, 2], 3)


@pytest.mark.parametrize("name", ["2.heic", "2.HEIC", "02.webp", "2.gif", "2.avif", "2.jp2", "2.dng"])
def test_a_format_that_cannot_be_read_is_handed_in_and_named(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"\0\0\0\x18ftypheic")
    shown = look_at(folder, None)
    (problem,) = shown.problems
    assert (problem.files, problem.pockets) == ([name], [2])
    assert "JPEG, PNG, BMP or TIFF" in problem.what
    assert (pockets(shown), shown.check_size) == ([1, 2, 3], 3)


def test_a_raw_photograph_is_kept_back_for_its_preview_would_be_judged(folder: Path) -> None:
    (folder / "2.nef").write_bytes(b"II*\0" + bytes(64))
    shown = look_at(folder, None)
    assert (pockets(shown), shown.check_size, [*shown.problems[0].files]) == ([1, 3], 3, ["2.nef"])


def test_a_photograph_with_a_wrong_ending_was_seen_all_the_same(folder: Path) -> None:
    (folder / "2.webp").write_bytes(JPEG)
    shown = look_at(folder, None)
    assert (pockets(shown), shown.problems) == ([1, 2, 3], [])


def test_an_empty_file_is_handed_in_and_named(folder: Path) -> None:
    (folder / "2.jpg").touch()
    shown = look_at(folder, None)
    (problem,) = shown.problems
    assert (problem.what, problem.pockets, pockets(shown)) == ("2.jpg is empty", [2], [1, 2, 3])


@pytest.mark.parametrize(
    "kind", ["a link to nowhere", "a link to itself", "a link to a device", "a pipe", "a socket", "a folder"]
)
def test_what_is_no_file_is_named_and_counts(folder: Path, kind: str) -> None:
    path = folder / "2.jpg"
    make_no_file(path, kind)
    shown = look_at(folder, None)
    (problem,) = shown.problems
    assert (problem.files, problem.pockets) == (["2.jpg"], [2])
    assert (pockets(shown), shown.check_size) == ([1, 3], 3)


def test_a_file_that_cannot_be_read_is_named_and_counts(folder: Path) -> None:
    if os.geteuid() == 0:  # who may read every file; but nobody can read this one from its beginning
        (folder / "2.jpg").symlink_to("/proc/self/mem")
    else:
        (folder / "2.jpg").touch(mode=0)
    shown = look_at(folder, None)
    (problem,) = shown.problems
    assert problem.what.startswith("2.jpg cannot be read: ")
    assert (problem.pockets, pockets(shown), shown.check_size) == ([2], [1, 3], 3)


def test_a_link_to_a_photograph_is_one(folder: Path) -> None:
    (folder / "before").write_bytes(JPEG)
    (folder / "2.jpg").symlink_to("before")
    assert pockets(look_at(folder, None)) == [1, 2, 3]


@pytest.mark.parametrize("made", [shutil.copy, os.link, os.symlink])
def test_one_photograph_is_not_that_of_two_pockets(folder: Path, made: Callable[[Path, Path], object]) -> None:
    made(folder / "1.jpg", folder / "2.jpg")
    shown = look_at(folder, None)
    (problem,) = shown.problems
    assert problem.what.startswith("1.jpg and 2.jpg are one and the same photograph: none was handed in")
    assert (problem.files, problem.pockets) == (["1.jpg", "2.jpg"], [1, 2])
    assert (pockets(shown), shown.check_size) == ([3], 3)


def test_one_photograph_may_be_that_of_pockets_which_have_regions_of_their_own_in_it(folder: Path) -> None:
    for pocket in (2, 3):
        shutil.copy(folder / "1.jpg", folder / f"{pocket}.jpg")
    left, right = (Region(left=at, top=0, width=50, height=50) for at in (0, 50))
    assert pockets(look_at(folder, 3, {1: left, 2: right, 3: Region(left=0, top=50, width=50, height=50)})) == [1, 2, 3]
    assert pockets(look_at(folder, 3, {1: left, 2: right, 3: left})) == [2], "two look at the same part"
    assert pockets(look_at(folder, 3, {1: left, 2: right})) == [], "one of them is all of it"


def test_two_empty_files_are_each_named(folder: Path) -> None:
    for name in ("2.jpg", "4.jpg"):
        (folder / name).touch()
    assert [problem.what for problem in look_at(folder, None).problems] == ["2.jpg is empty", "4.jpg is empty"]


@pytest.mark.parametrize("other", ["2.png", "02.jpg", "002.JPG", "2.heic"])
def test_of_a_pocket_that_is_there_twice_none_is_handed_in(folder: Path, other: str) -> None:
    (folder / "2.jpg").write_bytes(JPEG)
    (folder / other).write_bytes(JPEG)
    shown = look_at(folder, None)
    (problem,) = shown.problems
    assert sorted(problem.files) == sorted(["2.jpg", other])
    assert (pockets(shown), shown.check_size, problem.pockets) == ([1, 3], 3, [2])


@pytest.mark.parametrize(
    "name",
    [
        ".2.jpg",
        ".2.jpg.Xa81Qz",
        ".02.JPG.part",
        ".2.heic",
        ".in.2.jpg.",
        ".syncthing.2.jpg.tmp",
        ".pureftpd-upload.5f3.15.1a2b.2.jpg",
        ".~tmp~/2.jpg",
        ".rsync-partial/2.png",
        ".stage/2.jpg",
    ],
)
def test_a_photograph_under_a_hidden_name_is_not_finished(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(JPEG)
    shown = look_at(folder, None)
    (problem,) = shown.problems
    assert (problem.what, problem.pockets) == (f"no finished photograph of pocket 2, only {name}", [2])
    assert (pockets(shown), shown.check_size) == ([1, 3], 3)


@pytest.mark.parametrize(
    "name",
    [
        *("4.jpg.md5", "4.JPG.txt", "04.png.lnk", "4.jpg.aae", "4.lnk", "4.thm", "4.xmp"),
        *("#4.jpg#", "~$4.jpg", "4.jpg~", "4.jpg.bak"),
    ],
)
def test_what_stands_beside_a_photograph_that_is_not_there_tells_of_it(folder: Path, name: str) -> None:
    (folder / "2.jpg").write_bytes(JPEG)
    (folder / name).write_text("of the photograph")
    shown = look_at(folder, None)
    (problem,) = shown.problems
    assert (problem.what, problem.pockets) == (f"no finished photograph of pocket 4, only {name}", [4])
    (folder / "4.jpg").write_bytes(photograph(seed=4))
    assert (look_at(folder, None).problems, look_at(folder, None).check_size) == ([], 4)


@pytest.mark.parametrize(
    "name",
    [
        *(".3.jpg.Xa81Qz", "3.jpg.part", "3.jpg.filepart", "3.tmp", "3", "3.jpg.", ".~tmp~/3.jpg", ".rsync-tmp/3.jpg"),
        *("3.jpg.incomplete", "3.jpg.uploading", "3.jpg.!qB", "3.jpg.Xa81Qz", "3.jpg.sb-1a2b3c4d-Xy", "3.jpg.$$$"),
        *("~syncthing~3.jpg.tmp", "~3.jpg.partial"),
    ],
)
def test_what_may_become_a_pockets_newest_photograph_makes_it_two(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(photograph(seed=9))
    shown = look_at(folder, 3)
    assert shown.problems[0].what.startswith(f"pocket 3 is there 2 times, 3.jpg and {name}: none was handed in")
    assert 3 not in pockets(shown)


def test_a_photograph_that_a_program_writes_is_not_read(folder: Path) -> None:
    (folder / "2.jpg").write_bytes(JPEG)
    with (folder / "2.jpg").open("r+b"):
        shown = look_at(folder, 3)
    (problem,) = shown.problems
    assert problem.what == "2.jpg is being written: check again when it is finished"
    assert (problem.pockets, pockets(shown)) == ([2], [1, 3])
    assert look_at(folder, 3).problems == []


@pytest.mark.parametrize(
    "name", ["IMG_2.jpg", "pocket_2.jpg", "1 (2).jpg", "0.jpg", "1000.png", "２.jpg", "2.5.heic", "IMG_2.jpg.part"]
)
def test_a_photograph_of_nobody_knows_which_pocket_keeps_the_check_from_completing(folder: Path, name: str) -> None:
    (folder / "2.jpg").write_bytes(JPEG)
    (folder / name).write_bytes(JPEG)
    shown = look_at(folder, 3)
    (problem,) = shown.problems
    assert problem.what.startswith(f"{name}: of which pocket?")
    assert (pockets(shown), shown.check_size) == ([1, 2, 3], 4)


@pytest.mark.parametrize("name", ["4.jpg.part", "4.tmp", "4.crdownload", "4.jpg~", "4.bak", "4", "4.mp4"])
def test_what_will_be_or_was_a_photograph_says_that_there_is_such_a_pocket(folder: Path, name: str) -> None:
    (folder / "2.jpg").write_bytes(JPEG)
    (folder / name).write_bytes(JPEG)
    shown = look_at(folder, None)
    (problem,) = shown.problems
    assert (problem.files, problem.pockets) == ([name], [4])
    assert (pockets(shown), shown.check_size) == ([1, 2, 3], 4)


def test_what_stands_beside_photographs_is_left_out(folder: Path) -> None:
    (folder / "2.jpg").write_bytes(JPEG)
    for name in (
        "._1.jpg",
        ".1.jpg.xmp",
        ".4.txt",
        ".4",
        ".IMG_4.jpg",
        ".DS_Store",
        "Thumbs.db",
        "desktop.ini",
        "1.txt",
        "4.json",
        "1.jpg~",
        "1.mp4",
        "2.bak",
        "3.jpg.old",
        "README",
        "labels.csv",
    ):
        (folder / name).write_bytes(b"x")
    for name in ("done", "op-7.ready", "_SUCCESS", ".nomedia", "notes.txt", "camera.log"):
        (folder / name).touch()
    for name in ("._3", ".thumb_2.jpg"):
        (folder / name).write_bytes(JPEG)
    (folder / "BMW.notes").write_bytes(b"BMW, 3 heads on Monday")
    for name in ("@eaDir", "__MACOSX", "$RECYCLE.BIN"):
        (folder / name).mkdir()
        (folder / name / "9.jpg").write_bytes(JPEG)
    shown = look_at(folder, None)
    assert (pockets(shown), shown.check_size, shown.problems, shown.elsewhere) == ([1, 2, 3], 3, [], [])


@pytest.mark.parametrize(
    "name", ["retake/2.jpg", "before/op-1/1.JPG", "new/tmpab12", "new/.2.jpg.Xa81Qz", "link/2.jpg"]
)
def test_photographs_in_a_folder_of_the_heads_keep_the_check_from_completing(folder: Path, name: str) -> None:
    (folder / "2.jpg").write_bytes(photograph(seed=2))
    (folder / "notes").mkdir()
    (folder / "notes" / "of today.txt").write_text("nothing to see")
    assert (look_at(folder, 3).problems, look_at(folder, 3).check_size) == ([], 3)
    if name.startswith("link"):
        (folder.parent / f"{folder.name} beside").mkdir()
        (folder / "link").symlink_to(folder.parent / f"{folder.name} beside")
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(JPEG)
    shown = look_at(folder, 3)
    (problem,) = shown.problems
    assert problem.what.startswith(f"{Path(name).parent}: photographs in a folder of their own")
    assert (pockets(shown), shown.check_size, problem.pockets) == ([1, 2, 3], 4, [4])


@pytest.mark.parametrize(
    "name",
    [
        *("tmpab12cd", ".goutputstream-XV2K", ".nfs000000000012ab", ".pureftpd-upload.5f3.15.1a2b"),
        *(".hidden_2.jpg", ".git2.jpg", ".hidden_2"),
        *(".IMG_2.jpg.Xa81Qz", "IMG_2", "2 - Copy", "photo.xyz", ".stage/IMG_2.jpg", ".stage/tmpab12cd"),
    ],
)
@pytest.mark.parametrize("holds", [JPEG, JPEG[:20], b"", bytes(600)], ids=["all", "a part", "nothing", "zeros"])
def test_what_may_be_any_pockets_newest_photograph_by_what_it_holds_keeps_the_check_from_completing(
    folder: Path, name: str, holds: bytes
) -> None:
    (folder / "2.jpg").write_bytes(photograph(seed=2))
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(holds)
    shown = look_at(folder, 3)
    (problem,) = shown.problems
    assert problem.what.startswith(f"{name}: of which pocket?")
    assert (pockets(shown), shown.check_size, problem.pockets) == ([1, 2, 3], 4, [4])
    assert changes_since(shown, folder) == []
    (folder / name).write_bytes(photograph(seed=9))
    assert [change.what for change in changes_since(shown, folder)] == [
        f"{name} changed while the check ran: check again"
    ]


def test_an_earlier_photograph_beside_the_newest_is_told_of(folder: Path) -> None:
    for name in ("2.jpg", "1.jpg~", "2.jpg.bak", "IMG_2.jpg~"):
        (folder / name).write_bytes(photograph(seed=sum(map(ord, name))))
    assert (sorted(look_at(folder, 3).elsewhere), look_at(folder, 3).problems) == (
        ["1.jpg~", "2.jpg.bak", "IMG_2.jpg~"],
        [],
    )


def test_a_sub_folder_that_is_named_by_a_pocket_and_holds_photographs_counts(folder: Path) -> None:
    (folder / "2.jpg").write_bytes(JPEG)
    (folder / "4").mkdir()
    assert look_at(folder, None).problems == []
    (folder / "4" / "left.jpg").write_bytes(JPEG)
    shown = look_at(folder, None)
    (problem,) = shown.problems
    assert (problem.files, problem.pockets, shown.check_size) == (["4"], [4], 4)


def test_a_file_that_is_larger_than_any_photograph_is_not_read(folder: Path) -> None:
    with (folder / "2.jpg").open("wb") as file:
        file.truncate(2**40)
    shown = look_at(folder, None)
    (problem,) = shown.problems
    assert problem.what == "2.jpg has 1,099,511,627,776 bytes: a photograph has at most 134,217,728"
    assert (problem.pockets, pockets(shown), shown.check_size) == ([2], [1, 3], 3)


def test_a_folder_without_a_head_is_refused_with_what_is_there_instead(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"there is no folder .*nowhere"):
        look_at(tmp_path / "nowhere", None)
    with pytest.raises(ValueError, match=r"no photographs in .* named by pocket"):
        look_at(tmp_path, None)
    (tmp_path / "H12").mkdir()
    (tmp_path / "H12" / "1.jpg").write_bytes(JPEG)
    with pytest.raises(ValueError, match="but in its folders H12: give one of them"):
        look_at(tmp_path, None)
    with pytest.raises(ValueError, match=r"1\.jpg is no folder"):
        look_at(tmp_path / "H12" / "1.jpg", None)
    (tmp_path / "IMG_1.jpg").write_bytes(JPEG)
    with pytest.raises(ValueError, match=r"named by its pocket, like 7\.jpg, but there is IMG_1\.jpg"):
        look_at(tmp_path, None)


def test_a_check_has_999_pockets_at_most(folder: Path) -> None:
    (folder / "x.jpg").write_bytes(JPEG)
    with pytest.raises(ValueError, match=r"999 pockets at most: take x\.jpg out"):
        look_at(folder, 999)


def _comes(folder: Path) -> None:
    (folder / "4.jpg").write_bytes(JPEG)


def _is_overwritten(folder: Path) -> None:
    (folder / "3.jpg").write_bytes(photograph(seed=9))


def _is_overwritten_with_its_old_size_and_time(folder: Path) -> None:
    before = (folder / "3.jpg").stat()
    (folder / "3.jpg").write_bytes(bytes(before.st_size))
    os.utime(folder / "3.jpg", ns=(before.st_atime_ns, before.st_mtime_ns))


def _goes(folder: Path) -> None:
    (folder / "3.jpg").unlink()


def _is_being_written(folder: Path) -> None:
    (folder / "3.jpg.part").write_bytes(JPEG)


def _of_no_pocket(folder: Path) -> None:
    (folder / "IMG_7.jpg").write_bytes(JPEG)


@pytest.mark.parametrize(
    ("happens", "file", "said", "pocket"),
    [
        (_comes, "4.jpg", "came", 4),
        (_is_overwritten, "3.jpg", "changed", 3),
        (_is_overwritten_with_its_old_size_and_time, "3.jpg", "changed", 3),
        (_goes, "3.jpg", "went", 3),
        (_is_being_written, "3.jpg.part", "came", 3),
        (_of_no_pocket, "IMG_7.jpg", "came", 4),
    ],
)
def test_what_changes_in_the_folder_after_it_was_read_is_named(
    folder: Path, happens: Callable[[Path], None], file: str, said: str, pocket: int
) -> None:
    shown = look_at(folder, None)
    assert changes_since(shown, folder) == []
    happens(folder)
    (problem,) = changes_since(shown, folder)
    assert (problem.what, [*problem.files]) == (f"{file} {said} while the check ran: check again", [file])
    assert problem.pockets == [pocket]


def test_where_nothing_tells_of_writers_a_change_that_no_look_shows_is_found(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a share that does not date changes, while a program writes that another computer runs."""
    monkeypatch.setattr("producer.station.photograph_file.open_for_writing", lambda _: None)
    monkeypatch.setattr(Look, "at", lambda status: Look(status.st_size, 0, 0, 0))
    shown = look_at(folder, None)
    assert changes_since(shown, folder) == []
    _is_overwritten_with_its_old_size_and_time(folder)
    (problem,) = changes_since(shown, folder)
    assert (problem.what, problem.pockets) == ("3.jpg changed while the check ran: check again", [3])


def test_what_stands_beside_photographs_may_change(folder: Path) -> None:
    shown = look_at(folder, None)
    (folder / "3.json").write_text("{}")
    (folder / ".DS_Store").touch()
    assert changes_since(shown, folder) == []


def test_a_folder_that_went_makes_all_of_its_pockets_doubtful(folder: Path) -> None:
    shown = look_at(folder, None)
    shutil.rmtree(folder)
    (problem,) = changes_since(shown, folder)
    assert "there is no folder" in problem.what
    assert [*problem.pockets] == [1, 2, 3]

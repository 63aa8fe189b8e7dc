"""`insert-station check` on a real line: no folder that lacks a pocket ever comes to "go", at the station or in SQL."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from producer.contract.event import new_id
from tests.forked_commands import RunningCommand, run_command, start_command
from tests.line_with_station import line_at_work
from tests.support import retaken, wait_until

WHERE = ("--machine", "mill-1", "--head", "H12")
OF_12 = ("--head", "H0", "--check-size", "12")
STATION = "INSERTS_STATION"


def anew(photo: Path, to: Path) -> None:
    """The same picture as one more photograph."""
    to.write_bytes(retaken(photo.read_bytes()))


class CheckedLine:
    """A line with a model, its worker at work, and photographs that it finds intact."""

    def __init__(self, data: Path, worker: RunningCommand):
        self.data = data
        self.worker = psutil.Process(worker.pid)
        self._operation = 0

    def ready(self, folder: Path, labelled: Path) -> None:
        head = folder / "head"
        head.mkdir()
        for pocket, image in enumerate(sorted((labelled / "intact").iterdir())[:12], 1):
            shutil.copy(image, head / f"{pocket}.jpg")
        (folder / "worn").mkdir()
        for pocket, image in enumerate(sorted((labelled / "broken").iterdir())[:12], 1):
            shutil.copy(image, folder / "worn" / f"{pocket}.jpg")

        def judged() -> bool:  # the model is taken by the worker within seconds
            self._operation = 0  # of the same operation: of another one they would be refused
            told = json.loads(self.check(head, "--json", *OF_12).stdout)
            self.intact = [head / f"{n}.jpg" for n in range(1, 13) if n not in [*told["replace"], *told["review"]]]
            return len(self.intact) >= 4

        wait_until(judged, 60, "a model that finds intact inserts intact")
        replace = json.loads(self.check(folder / "worn", "--json", *OF_12).stdout)["replace"]
        self.damaged = folder / "worn" / f"{replace[0]}.jpg"

    def check(self, folder: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return run_command(*self.command(folder, *options), environment=os.environ | environment)

    def command(self, folder: Path, *options: str) -> list[str]:
        """That of the next check."""
        self._operation += 1
        command = ["insert-station", "--data", str(self.data), "check", str(folder), *WHERE]
        return [*command, "--operation", self.operation, *options]

    @property
    def operation(self) -> str:
        """That of the latest check."""
        return f"op-{self._operation}"

    def state_in_the_database(self) -> str:
        """What the database says of the latest check."""
        return str(self.checks(self.operation)[0]["state"])

    def checks(self, operation: str) -> list[dict[str, Any]]:
        """What the database says of the checks of an operation, the newest first."""
        rows = json.loads(run_command("insert-db", "--data", str(self.data), "checks", "--json").stdout)
        return [row for row in rows if row["operation"] == operation]

    def publish(self, image: Path, *options: str) -> str:
        """The outcome of a photograph that is handed in by itself."""
        told = run_command("insert-station", "--data", str(self.data), "publish", str(image), "--json", *options)
        return str(json.loads(told.stdout)["outcome"])

    @contextmanager
    def watching(self, folder: Path, size: int) -> Iterator[Callable[[], list[dict[str, Any]]]]:
        """A watched folder; what it gives is the answers so far."""
        command = ("--data", str(self.data), "watch", str(folder), "--json", "--check-size", str(size))
        quick = {"INSERTS_SETTLED_AFTER": "0.2", "INSERTS_WATCH_EVERY": "0.2"}
        said, log = (folder.parent / f"{name}-{size}" for name in ("said", "log"))
        watch = start_command("insert-station", *command, environment=os.environ | quick, out=said, log=log)
        try:
            yield lambda: [json.loads(line) for line in said.read_text().splitlines()]
        finally:
            watch.terminate()
            watch.wait(60)


@pytest.fixture(scope="module")
def line(labelled: Path, trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CheckedLine]:
    folder = tmp_path_factory.mktemp("checked")
    data = folder / "line"
    shutil.copytree(trained, data)
    with line_at_work(data, folder) as worker:
        line = CheckedLine(data, worker)
        line.ready(folder, labelled)
        yield line


@pytest.fixture
def folder(line: CheckedLine, tmp_path: Path) -> Path:
    """A head of three pockets, all intact, of which nobody photographed the second."""
    folder = tmp_path / "head"
    folder.mkdir()
    for pocket in (1, 3):
        anew(line.intact[pocket], folder / f"{pocket}.jpg")
    return folder


def test_a_head_that_was_seen_whole_is_a_go(line: CheckedLine, folder: Path) -> None:
    anew(line.intact[2], folder / "2.jpg")
    of_run = str(new_id())
    checked = line.check(folder, "--check-size", "3", "--check-id", of_run)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "GO\n", "")
    assert [check["check_id"] for check in line.checks(line.operation)] == [of_run], "that of who waits for it"
    assert line.state_in_the_database() == "go"
    of, again = line.operation, line.check(folder, "--check-size", "3")
    assert (again.returncode, again.stdout) == (2, "")
    assert f"the photographs in {folder} are those of operation {of}, handed in at " in again.stderr
    assert len(again.stderr.splitlines()) == 1
    assert line.checks(line.operation) == [], "nothing was handed in for it"


def test_a_watch_that_is_started_again_with_the_right_size_says_no_go_of_what_it_took_before(
    line: CheckedLine, tmp_path: Path
) -> None:
    place = tmp_path / "camera" / "mill-1" / "H12" / "of-another-size"
    place.mkdir(parents=True)
    for size, pocket in ((2, 1), (3, 2)):
        with line.watching(tmp_path / "camera", size) as answers:
            anew(line.intact[pocket], place / f"{pocket}.jpg")
            wait_until(lambda: [answer["outcome"] for answer in answers()] == ["intact"], 60, "a verdict")
    states = [(check["state"], check["judged"], check["size"]) for check in line.checks("of-another-size")]
    assert states == [("pending", 1, 3), ("pending", 1, 2)]


def test_photographs_of_one_check_that_disagree_about_its_size_or_head_are_no_go(
    line: CheckedLine, tmp_path: Path
) -> None:
    check = ("--machine", "mill-1", "--operation", "by-hand", "--check-id", str(new_id()))

    def publish(pocket: int, size: int, head: str = "H12") -> tuple[object, ...]:
        anew(line.intact[pocket], tmp_path / "photo.jpg")
        named = (*check, "--head", head, "--pocket", str(pocket), "--check-size", str(size))
        assert line.publish(tmp_path / "photo.jpg", *named) == "intact"
        [now] = line.checks("by-hand")
        return now["state"], now["judged"], now["size"], now["reason"]

    assert publish(1, 2) == ("pending", 1, 2, None)
    assert publish(3, 3) == ("pending", 2, 3, None)
    assert publish(2, 3) == ("go", 3, 3, None)
    assert publish(2, 3, head="H13") == ("review", 3, 3, "contradiction: pocket 2 of head H13")


def test_one_photograph_comes_to_what_its_check_comes_to(line: CheckedLine, tmp_path: Path) -> None:
    anew(line.intact[1], tmp_path / "1.jpg")
    anew(line.damaged, tmp_path / "2.jpg")
    publish = ("insert-station", "--data", str(line.data), "publish")

    def published(photo: str, operation: str, *options: str) -> tuple[int, str]:
        where = (*WHERE, "--operation", operation, "--pocket", photo[0])
        told = run_command(*publish, str(tmp_path / photo), *where, *options)
        return told.returncode, told.stdout

    assert published("1.jpg", "alone-1") == (0, "pocket 1: intact\n")
    assert published("2.jpg", "alone-1")[0] == 1
    code, said = published("1.jpg", "alone-2")
    assert (code, said.splitlines()[0]) == (2, "pocket 1: intact")
    assert "mill-1 H12 alone-2: review, look at 1 (contradiction: the photograph of pocket 1 is that of" in said
    code, said = published("1.jpg", "alone-3", "--json")
    assert (code, json.loads(said)["outcome"], json.loads(said)["check"]["state"]) == (2, "intact", "review")


def _nothing(folder: Path, photo: Path) -> None:
    pass


def _heic(folder: Path, photo: Path) -> None:
    (folder / "2.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(200))


def _empty(folder: Path, photo: Path) -> None:
    (folder / "2.jpg").touch()


def _cut_short(folder: Path, photo: Path) -> None:
    (folder / "2.jpg").write_bytes(photo.read_bytes()[:700])


def _appended(folder: Path, photo: Path) -> None:
    (folder / "2.jpg").write_bytes(photo.read_bytes() + (folder / "1.jpg").read_bytes())


def _twice(folder: Path, photo: Path) -> None:
    for name in ("2.jpg", "2.png"):
        anew(photo, folder / name)


def _a_copy(folder: Path, photo: Path) -> None:
    shutil.copy(folder / "1.jpg", folder / "2.jpg")


def _still_copied(folder: Path, photo: Path) -> None:
    anew(photo, folder / ".2.jpg.Xa81Qz")


def _named_by_the_camera(folder: Path, photo: Path) -> None:
    anew(photo, folder / "IMG_0002.jpg")


def _whole(folder: Path, photo: Path) -> None:
    anew(photo, folder / "2.jpg")


def _a_pipe(folder: Path, photo: Path) -> None:
    os.mkfifo(folder / "2.jpg")


def _a_link_to_nowhere(folder: Path, photo: Path) -> None:
    (folder / "2.jpg").symlink_to("gone.jpg")


def _a_folder(folder: Path, photo: Path) -> None:
    anew(photo, folder / "2.jpg")
    (folder / "4").mkdir()
    anew(photo, folder / "4" / "4.jpg")


@pytest.mark.parametrize(
    ("left_out", "size", "pocket", "said"),
    [
        (_a_pipe, None, 2, "2.jpg is no file"),
        (_a_link_to_nowhere, None, 2, "2.jpg is no file, or a link that leads nowhere"),
        (_a_folder, None, 4, "no finished photograph of pocket 4, only 4"),
        (_nothing, None, 2, "no photograph of pocket 2"),
        (_heic, None, 2, "2.heic is of a kind that the line cannot read"),
        (_empty, None, 2, "2.jpg is empty"),
        (_cut_short, None, 2, "2.jpg: the image file is damaged or cut short"),
        (_appended, None, 2, "2.jpg: the file holds 2 pictures"),
        (_twice, None, 2, "2.jpg and 2.png: none was handed in"),
        (_a_copy, None, 2, "1.jpg and 2.jpg are one and the same photograph"),
        (_still_copied, None, 2, "no finished photograph of pocket 2, only .2.jpg.Xa81Qz"),
        (_named_by_the_camera, None, 2, "IMG_0002.jpg: of which pocket?"),
        (_whole, 4, 4, "no photograph of pocket 4"),
        (_whole, 2, 3, "3.jpg: the head has 2 pockets"),
    ],
    ids=[
        "a pipe",
        "a link",
        "a folder",
        "a gap",
        "another format",
        "empty",
        "cut short",
        "appended",
        "twice",
        "a copy",
        "still copied",
        "of no pocket",
        "too few",
        "too many",
    ],
)
def test_a_head_of_which_a_pocket_was_not_seen_is_never_a_go(
    line: CheckedLine,
    folder: Path,
    left_out: Callable[[Path, Path], None],
    size: int | None,
    pocket: int,
    said: str,
) -> None:
    left_out(folder, line.intact[2])
    checked = line.check(folder, "--json", *(["--check-size", str(size)] if size else []))
    told: dict[str, Any] = json.loads(checked.stdout)
    assert (checked.returncode, told["state"]) == (2, "review"), checked.stderr
    assert pocket in told["review"]
    assert any(said in problem["problem"] for problem in told["problems"])
    assert said in checked.stderr
    assert line.state_in_the_database() == "review", "at once: nothing is waited for"


def test_pockets_that_another_station_told_of_are_not_left_out(line: CheckedLine, tmp_path: Path) -> None:
    anew(line.intact[0], tmp_path / "photo.jpg")
    of_head = ("--machine", "mill-1", "--head", "H20")
    told_of = ("--operation", "elsewhere", "--pocket", "1", "--check-size", "4")
    publish = ("publish", str(tmp_path / "photo.jpg"), *of_head, *told_of, "--wait", "0")
    run_command("insert-station", "--data", str(line.data), *publish, environment=os.environ | {STATION: "another"})
    wait_until(lambda: [check["state"] for check in line.checks("elsewhere")] == ["pending"], 60, "its check")
    said = "no photograph of pockets 3, 4: head H20 is known with 4 pockets"
    for operation, size, code, state in (("first", (), 2, "review"), ("second", ("--check-size", "2"), 0, "go")):
        folder = tmp_path / operation
        folder.mkdir()
        for pocket in (1, 2):
            anew(line.intact[pocket], folder / f"{pocket}.jpg")
        where = (*of_head, "--operation", operation, *size)
        checked = run_command("insert-station", "--data", str(line.data), "check", str(folder), *where, "--json")
        assert (checked.returncode, json.loads(checked.stdout)["state"]) == (code, state), checked.stderr
        assert (said in checked.stderr) == (state == "review")
        assert [check["state"] for check in line.checks(operation)] == [state], "at once"


def test_a_photograph_that_comes_before_the_answer_makes_no_go(line: CheckedLine, folder: Path) -> None:
    anew(line.intact[2], folder / "2.jpg")
    images = line.data / "images"
    before = len([*images.rglob("*.jpg")])
    out, err = folder.parent / "out", folder.parent / "err"
    line.worker.suspend()
    try:
        checking = start_command(*line.command(folder, "--json", "--head", "H21"), log=err, out=out)
        wait_until(lambda: len([*images.rglob("*.jpg")]) == before + 3, what="photographs that were read")
        anew(line.damaged, folder / "3.jpg")
        anew(line.damaged, folder / "4.jpg")
    finally:
        line.worker.resume()
    code, told, said = checking.wait(110), json.loads(out.read_text("utf-8")), err.read_text("utf-8")
    assert (code, told["state"], told["review"]) == (2, "review", [3, 4]), said
    assert "3.jpg changed while the check ran" in said
    assert "4.jpg came while the check ran" in said
    assert line.state_in_the_database() == "go", "of what was handed in, which was whole and intact"


def test_a_worn_insert_beside_one_that_nobody_saw_is_told_all_the_same(line: CheckedLine, folder: Path) -> None:
    anew(line.damaged, folder / "1.jpg")
    checked = line.check(folder, "--check-size", "3")
    assert checked.returncode == 2
    assert re.fullmatch(r"REPLACE pockets 1 \((worn|broken)\)  look at pockets 2\n", checked.stdout)
    assert checked.stderr == "no photograph of pocket 2\n"


def test_the_head_register_says_how_many_pockets_there_must_be(line: CheckedLine, folder: Path) -> None:
    anew(line.intact[2], folder / "2.jpg")
    register = folder.parent / "heads.toml"
    register.write_text("[heads.H12]\npockets = 5\n", encoding="utf-8")
    checked = line.check(folder, "--json", INSERTS_HEADS=str(register))
    told = json.loads(checked.stdout)
    assert (checked.returncode, told["state"], told["missing"], told["review"]) == (2, "review", [4, 5], [4, 5])
    assert line.state_in_the_database() != "go"
    register.write_text("[heads.H21]\npockets = 3\n", encoding="utf-8")
    refused = line.check(folder, "--json", INSERTS_HEADS=str(register))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"nobody says how many pockets head H12 has: is H21 meant? Else enter it in {register}" in refused.stderr
    for pocket in (1, 2, 3):
        anew(line.intact[pocket], folder / f"{pocket}.jpg")
    spoken_for = line.check(folder, "--json", "--check-size", "3", INSERTS_HEADS=str(register))
    assert json.loads(spoken_for.stdout)["notes"] == [f"head H12 is not in {register}: is H21 meant?"]

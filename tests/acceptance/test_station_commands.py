"""The station's commands without any worker: what they say, and what they keep."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from producer.contract.event import INSPECT_QUEUE, CaptureEvent
from producer.contract.names import safe_name
from producer.delivery.outbox import Outbox
from tests.forked_commands import run_command, start_command
from tests.metrics_support import listens, scraped
from tests.support import RedisProcess, message, photograph, wait_until
from worker.embedded.redis_server import free_port

WHERE = ["--machine", "mill-1", "--head", "H1", "--operation", "op-1"]
CHECK = "019ab7c4-5e0f-7b11-9a02-5d4e3f2a1b0c"
VERSION_4 = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


class Commands:
    def __init__(self, folder: Path, redis_url: str):
        self.environment = os.environ | {"INSERTS_DATA": str(folder / "line"), "INSERTS_REDIS_URL": redis_url}

    def __call__(self, *options: str) -> subprocess.CompletedProcess[str]:
        return run_command("insert-station", *options, environment=self.environment, timeout=60)


@pytest.fixture
def station(tmp_path: Path, redis_server: RedisProcess) -> Commands:
    return Commands(tmp_path, redis_server.url)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    file = tmp_path / "photo.jpg"
    file.write_bytes(photograph())
    return file


def test_publish_without_waiting_has_sent_it(station: Commands, photo: Path, redis_server: RedisProcess) -> None:
    published = station("publish", str(photo), *WHERE, "--pocket", "3", "--wait", "0", "--json")
    assert published.returncode == 0, published.stderr
    assert redis_server.client().llen(INSPECT_QUEUE) == 1
    (waiting,) = json.loads(station("outbox", "--json").stdout)
    said = json.loads(published.stdout)
    assert (waiting["event"]["capture_id"], said["problem"]) == (said["capture_id"], "sent, not answered yet")
    assert waiting["attempts"] == 1


def test_without_redis_it_is_kept_and_sent_later(station: Commands, photo: Path, redis_server: RedisProcess) -> None:
    redis_server.kill()
    published = station("publish", str(photo), *WHERE, "--pocket", "3", "--wait", "1")
    assert published.returncode == 2
    assert re.search(r"kept in the outbox as \S+: not sent yet: .*refused", published.stdout), published.stdout
    assert "1 waiting" in station("outbox").stdout
    redis_server.start()
    assert "sent, not answered yet" in station("outbox", "--send", "3").stdout
    assert redis_server.client().llen(INSPECT_QUEUE) == 1


def test_a_full_outbox_says_so_and_keeps_what_it_has(
    station: Commands, photo: Path, redis_server: RedisProcess
) -> None:
    redis_server.kill()
    station.environment["INSERTS_OUTBOX_LIMIT"] = "2"
    box = Outbox(Path(station.environment["INSERTS_DATA"]) / "outbox" / "station-1.db")
    box.add(CaptureEvent.from_message(message()), 1.0)
    publish = ("publish", str(photo), *WHERE, "--pocket", "3", "--wait", "0.1")
    filling = station(*publish)
    assert "kept in the outbox" in filling.stdout
    assert "the outbox fills up" in filling.stderr
    refused = station(*publish)
    assert refused.returncode == 2
    assert "the outbox is full, 2 captures wait" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert len(box) == 2
    box.close()
    assert "2 waiting, 100% of the 2 that may" in station("outbox").stdout


def test_what_changes_while_a_check_runs_is_named_and_must_be_looked_at(
    station: Commands, tmp_path: Path, redis_server: RedisProcess
) -> None:
    folder = tmp_path / "head"
    folder.mkdir()
    for pocket in (1, 2):
        (folder / f"{pocket}.jpg").write_bytes(photograph(seed=pocket))
    command = ("insert-station", "check", str(folder), *WHERE, "--timeout", "5", "--json")
    out, err = tmp_path / "out", tmp_path / "err"
    checking = start_command(*command, environment=station.environment, log=err, out=out)
    wait_until(lambda: redis_server.client().llen(INSPECT_QUEUE) == 2, what="photographs that were read and sent")
    (folder / "1.jpg").write_bytes(photograph(seed=8))
    (folder / "3.jpg").write_bytes(photograph(seed=3))
    code = checking.wait(60)
    told = json.loads(out.read_text("utf-8"))
    assert (code, told["review"]) == (2, [1, 2, 3])
    said = ["1.jpg changed while the check ran: check again", "3.jpg came while the check ran: check again"]
    assert [problem["problem"] for problem in told["problems"]] == said
    assert set(said) <= set(err.read_text("utf-8").splitlines())


def test_a_watching_station_serves_its_metrics(station: Commands, tmp_path: Path, redis_server: RedisProcess) -> None:
    port, folder = free_port(), tmp_path / "camera"
    folder.mkdir()
    environment = station.environment | {"INSERTS_METRICS_PORT": str(port)}
    command, log = ("watch", str(folder), "--check-size", "1"), tmp_path / "watch.log"
    watching = start_command("insert-station", *command, environment=environment, log=log)
    try:
        wait_until(lambda: listens(port), what="a station that serves metrics")
        assert scraped(port).value("inserts_station_outbox_captures", station="station-1") == 0
        file = folder / "m" / "h" / "op" / "1.jpg"
        file.parent.mkdir(parents=True)
        file.write_bytes(photograph())
        wait_until(lambda: scraped(port).value("inserts_station_sent_total"), what="a capture on its way")
        told = scraped(port)
        counted = {name: told.value(f"inserts_station_{name}_total") for name in ("submitted", "confirmed", "resent")}
        assert counted == {"submitted": 1, "confirmed": 0, "resent": 0}
        assert (told.value("inserts_station_outbox_captures"), told.value("inserts_station_redis_up")) == (1, 1)
        redis_server.kill()
        wait_until(lambda: scraped(port).value("inserts_station_redis_up") == 0, what="a station without Redis")
        beside = station("outbox")  # a short command of the same station leaves the port alone
        assert "1 waiting" in beside.stdout
    finally:
        watching.terminate()
        assert watching.wait(60) == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["publish", "nowhere.jpg", *WHERE, "--pocket", "1"], "nowhere.jpg"),
        (
            ["publish", "PHOTO", "--machine", "a/b", "--head", "h", "--operation", "o", "--pocket", "1"],
            "machine: a name",
        ),
        (["check", "nowhere", *WHERE, "--head", "A "], "head: a name has no blank at its end"),
        (["safe-name", "a/b"], "a name may have letters and digits of any language"),
        (["publish", "PHOTO", *WHERE, "--pocket", "0"], "pocket"),
        (["publish", "PHOTO", *WHERE, "--pocket", "1", "--check-id", "seven"], "valid UUID"),
        (["publish", "PHOTO", *WHERE, "--pocket", "1", "--check-id", VERSION_4], "of version 7, which begins"),
        (["check", "nowhere", *WHERE, "--check-id", VERSION_4], "of version 7, which begins"),
        (["publish", "PHOTO", *WHERE, "--pocket", "5", "--check-size", "3"], "there is no pocket 5 in a check of 3"),
        (["publish", "PHOTO", *WHERE, "--pocket", "5", "--check-id", CHECK], "there is no pocket 5 in a check of 1"),
        (["publish", "PHOTO", *WHERE, "--pocket", "1", "--wait", "inf"], "inf is no number of seconds"),
        (["publish", "PHOTO", *WHERE, "--pocket", "1", "--wait", "nan"], "nan is no number of seconds"),
        (["publish", "PHOTO", *WHERE, "--pocket", "1", "--wait", "1e300"], "1e+300 is no number of seconds"),
        (["check", "nowhere", *WHERE, "--timeout", "-1"], "-1 is no number of seconds"),
        (["outbox", "--send", "inf"], "inf is no number of seconds"),
        (["simulate", "--every", "nan"], "nan is no number of seconds"),
        (["simulate", "--timeout", "-inf"], "-inf is no number of seconds"),
        (["check", "nowhere", *WHERE], "there is no folder nowhere"),
        (["heads"], "Name its file or set INSERTS_HEADS"),
        (["heads", "nowhere.toml"], "there is no head register nowhere.toml"),
        (["--heads", "nowhere.toml", "check", "nowhere", *WHERE], "there is no head register nowhere.toml"),
        (["watch", "nowhere"], "there is no folder nowhere"),
        (["watch", "."], "how many pockets has a head? Give --check-size N, or a head register"),
        *((["watch", ".", "--check-size", size], "--check-size") for size in ("0", "-3", "5000", "all")),
        (["schema", "poem"], "'capture', 'message', 'answer', 'event' or 'insert-change'"),
        (["simulate", "--photographs", "nowhere.csv"], "nowhere.csv"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_wrong_input_ends_with_a_sentence(station: Commands, photo: Path, options: list[str], said: str) -> None:
    ended = station(*[str(photo) if option == "PHOTO" else option for option in options])
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "http" not in ended.stderr
    assert json.loads(station("outbox", "--json").stdout) == []


MISTYPED = [
    ["publish", "PHOTO", *WHERE, "--pocket", "1"],
    ["check", "FOLDER", *WHERE],
    ["watch", "FOLDER", "--check-size", "1"],
    ["outbox"],
]


@pytest.mark.parametrize("command", MISTYPED, ids=lambda command: command[0])
def test_a_mistyped_folder_of_the_line_is_no_line_and_nothing_is_made_there(
    tmp_path: Path, photo: Path, command: list[str]
) -> None:
    station = Commands(tmp_path, "")
    del station.environment["INSERTS_REDIS_URL"]
    (tmp_path / "head").mkdir()
    photo.rename(tmp_path / "head" / "1.jpg")
    named = {"PHOTO": str(tmp_path / "head" / "1.jpg"), "FOLDER": str(tmp_path / "head")}
    ended = station("--data", str(tmp_path / "lien"), *[named.get(option, option) for option in command])
    assert ended.returncode == 2
    assert f"there is no line in {tmp_path / 'lien'}" in ended.stderr
    assert "INSERTS_REDIS_URL" in ended.stderr
    assert not (tmp_path / "lien").exists()


def test_what_an_outbox_holds_is_shown_also_where_no_line_is_left(station: Commands, photo: Path) -> None:
    station("publish", str(photo), *WHERE, "--pocket", "3", "--wait", "0")
    del station.environment["INSERTS_REDIS_URL"]
    assert "1 waiting" in station("outbox").stdout


def test_a_tilde_that_no_shell_saw_is_the_home_folder(station: Commands, photo: Path, tmp_path: Path) -> None:
    station.environment |= {"HOME": str(tmp_path), "INSERTS_DATA": "~/line", "INSERTS_IMAGES": "~/photographs"}
    published = station("publish", str(photo), *WHERE, "--pocket", "3", "--wait", "0")
    assert published.returncode == 0, published.stderr
    assert [path.read_bytes() for path in (tmp_path / "photographs").rglob("*.jpg")] == [photo.read_bytes()]
    assert (tmp_path / "line" / "outbox" / "station-1.db").exists()
    assert not Path("~").exists()


def test_the_safe_form_of_a_name_is_printed(station: Commands) -> None:
    assert station("safe-name", "station-1").stdout == "station-1\n"
    assert station("safe-name", "Pru\u0308fplatz 1").stdout == f"{safe_name('Prüfplatz 1')}\n"


def test_simulate_writes_a_labelled_set(station: Commands, tmp_path: Path) -> None:
    written = station("simulate", "--to", str(tmp_path / "set"), "--images", "8", "--seed", "3")
    assert written.returncode == 0, written.stderr
    images = {path.parent.name for path in (tmp_path / "set").rglob("*.jpg")}
    assert images == {"intact", "worn", "broken"}


def test_the_head_register_is_shown_and_checked(station: Commands, tmp_path: Path) -> None:
    file = tmp_path / "heads.toml"
    file.write_text(station("heads", "--example").stdout, encoding="utf-8")
    station.environment["INSERTS_HEADS"] = str(file)
    shown = station("heads")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "H12         30       SEKT 1204 AFTN  all" in shown.stdout.splitlines()
    told = json.loads(station("heads", "--json").stdout)
    assert [(head["name"], head["pockets"]) for head in told["heads"]] == [("H12", 30), ("Fräskopf 3", 12)]
    assert told["heads"][0]["regions"]["7"] == {"left": 160, "top": 40, "width": 640, "height": 640}
    file.write_text(
        "[heads.H12]\npockets = 3\nregions.4 = {left = 0, top = 0, width = 9, height = 9}", encoding="utf-8"
    )
    beyond = station("heads", str(file))
    assert beyond.returncode == 2
    assert "head H12: a region for pocket 4, but it has 3" in beyond.stderr
    file.write_text("[heads.H12]\npocket = 3", encoding="utf-8")
    refused = station("heads")
    assert refused.returncode == 2
    assert "unknown key pocket: is pockets meant?" in refused.stderr


def test_what_the_register_knows_of_a_pocket_travels_with_its_photograph(
    station: Commands, photo: Path, tmp_path: Path
) -> None:
    file = tmp_path / "heads.toml"
    file.write_text(station("heads", "--example").stdout.replace("H12", "H1"), encoding="utf-8")
    station("--heads", str(file), "publish", str(photo), *WHERE, "--pocket", "7", "--wait", "0")
    (waiting,) = json.loads(station("outbox", "--json").stdout)
    assert waiting["event"]["region"] == {"left": 160, "top": 40, "width": 640, "height": 640}
    assert waiting["event"]["insert_designation"] == "SEKT 1204 AFTN"


def test_a_pocket_that_the_head_does_not_have_is_not_published(station: Commands, photo: Path, tmp_path: Path) -> None:
    file = tmp_path / "heads.toml"
    file.write_text("[heads.H1]\npockets = 4\n", encoding="utf-8")
    station.environment["INSERTS_HEADS"] = str(file)
    refused = station("publish", str(photo), *WHERE, "--pocket", "9", "--wait", "0")
    assert refused.returncode == 2
    assert "there is no pocket 9: head H1 has 4 (INSERTS_HEADS says so)" in refused.stderr
    for pockets, size, said in (
        ("H13", (), "nobody says how many pockets head H1 has: is H13 meant?"),
        ("h1", ("--check-size", "4"), "head H1 is not in"),
    ):
        file.write_text(f"[heads.{pockets}]\npockets = 4\n", encoding="utf-8")
        refused = station("publish", str(photo), *WHERE, "--pocket", "1", "--wait", "0", *size)
        assert (refused.returncode, said in refused.stderr) == (2, True), refused.stderr
    assert json.loads(station("outbox", "--json").stdout) == []
    file.write_text("[heads.H13]\npockets = 4\n", encoding="utf-8")
    station("publish", str(photo), *WHERE, "--pocket", "1", "--wait", "0", "--check-size", "4")
    assert len(json.loads(station("outbox", "--json").stdout)) == 1


def test_help_teaches(station: Commands) -> None:
    for command in ("publish", "check", "watch", "simulate", "outbox", "schema", "safe-name"):
        told = station(command, "--help")
        assert told.returncode == 0
        assert "Usage" in told.stdout

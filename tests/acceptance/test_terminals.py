"""Each command as a real process, on terminals and pipes of all kinds, with data that is as odd as it can be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uuid6
from PIL import Image

from benchmarks.materials import random_weights
from db.engine.database import Database
from db.engine.migrate import upgrade
from db.engine.url import sqlite_url
from db.learning import reviews
from db.line import captures, faults, verdicts
from db.line.captures import Capture
from db.line.verdicts import Verdict
from tests import terminal_commands
from tests.forked_commands import run_command, start_command

ROOT = Path(__file__).parents[2]
_DRIVER = terminal_commands.__name__

ODD = "[red]Fräse 头[/a] :smile:"
"""A name, a reason, a note: with markup and with letters that no old encoding has."""

# Python's own way to read one: what a shell of the C locale, or a Windows console, makes of it.
PLACES = {
    "cp1252": {"PYTHONIOENCODING": "cp1252"},
    "cp437": {"PYTHONIOENCODING": "cp437"},
    "ascii": {"PYTHONIOENCODING": "ascii:strict"},
    "C locale": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "utf-8": {"PYTHONIOENCODING": "utf-8:strict"},
}

STRICTEST = ("ascii", "C locale")
"""Where the other two commands run too, and in the last of them, which has no other names of files either, the
experiment: what can be said here can be said in every other place. `insert-db` is tried in all of them, whose streams
all commands share."""


def run(place: str, *commands: tuple[str, list[str]], cwd: Path, **environment: str) -> tuple[str, str]:
    """What the commands said on both streams; neither may have a traceback in it."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("INSERTS_", "PYTHON", "LC_"))}
    environment = clean | PLACES[place] | {"COLUMNS": "300"} | environment
    told, files = json.dumps(commands), (cwd / "stdout", cwd / "stderr")
    if "PYTHONIOENCODING" in environment:
        running = start_command(_DRIVER, told, environment=environment, out=files[0], log=files[1], cwd=cwd)
        code = running.wait(240)
    else:  # how an interpreter reads names and arguments is settled as it starts
        with files[0].open("wb") as out, files[1].open("wb") as err:
            code = subprocess.run(
                [sys.executable, "-m", _DRIVER, told],
                cwd=cwd,
                env=environment | {"PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                timeout=240,
                check=False,
            ).returncode
    encoding = {"C locale": "ascii"}.get(place, place)
    out, err = (each.read_bytes().decode(encoding) for each in files)
    assert code == 0, err
    assert "Traceback" not in out + err, err
    assert "Error:" not in err
    assert "codec" not in out + err
    assert out.count("==== exit code") == len(commands)
    return out, err


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A line whose database holds odd names, reasons, notes and faults, in a folder that has an odd name too."""
    folder = tmp_path_factory.mktemp("terminals") / os.fsdecode(b"line [x] \xff\xfc")
    url = sqlite_url(folder / "inserts.db")
    upgrade(url)
    database, now = Database(url), datetime.now(UTC)
    capture = uuid6.uuid7()
    with database.transaction() as session:
        captures.record(
            session,
            Capture(
                capture_id=capture,
                captured_at=now,
                station=ODD,
                machine=ODD,
                head="H [bold]",
                pocket=1,
                operation="op[/a]",
                check_id=uuid6.uuid7(),
                check_size=1,
                image="a/b.jpg",
                image_sha256="0" * 64,
                region=None,
                insert_designation=ODD,
                edge=None,
                operations_on_edge=None,
            ),
            now,
        )
        verdicts.record(session, Verdict(capture, None, "unsure", None, ODD, None, now))
        reviews.add(session, capture_id=capture, label="worn", by="Ŝanĝo [red]", at=now, note=f"{ODD}\x1b[2J")
        faults.record(
            session,
            capture_id=None,
            station=ODD,
            check_id=None,
            pocket=None,
            reason="invalid_event",
            detail=f"{ODD} \x1b]0;x\x07\r",
            event=json.dumps({"machine": f"{ODD}\x1b"}),
            at=now,
        )
    database.close()
    photographs = folder / "photographs"
    for name in ("intact", "worn[red]"):
        (photographs / name).mkdir(parents=True)
        for number in range(6):
            colour = (40 * number, 90, 90 + 20 * len(name))  # the same photograph in two classes would be left out
            Image.new("RGB", (64, 64), colour).save(photographs / name / f"[x]{number} ü.png")
    (photographs / "intact" / os.fsdecode(b"[red]\xff.png")).write_bytes(b"no image")
    return folder


def insert_db(data: Path, *arguments: str) -> tuple[str, list[str]]:
    return "db.commands.main", ["--data", str(data), *arguments]


@pytest.mark.parametrize("place", PLACES)
def test_insert_db_says_everything_in_every_encoding(data: Path, place: str, tmp_path: Path) -> None:
    asked = [
        ["verdicts"],
        ["verdicts", "--json"],
        ["checks"],
        ["replace"],
        ["faults", "list"],
        ["faults", "show", "1"],
        ["history", ODD, "H [bold]", "1"],
        ["reviews"],
        ["reviews", "--json"],
        ["review", "--list"],
        ["models"],
        ["export", "-"],
        ["export", str(tmp_path / "[red] ü.csv")],
        ["prune", "--dry-run"],
        ["verdicts", "--machine", os.fsdecode(b"\xff")],
        ["--help"],
        ["verdicts", "--since", ODD],
    ]
    out, err = run(place, *(insert_db(data, *each) for each in asked), cwd=tmp_path)
    assert "[red]Fr" in out
    assert "[/a]" in out
    assert "\x1b" not in out + err
    assert "\r" not in out + err
    if place == "utf-8":
        assert ODD in out
    told = {part.partition("\n")[0]: part.partition("\n")[2] for part in out.split("==== db.commands.main ")}
    for name, said in told.items():
        if "--json" in name:
            assert ODD in json.dumps(json.loads(said.partition("====")[0]), ensure_ascii=False)
    csv = (tmp_path / "[red] ü.csv").read_bytes()
    assert csv.startswith(b"\xef\xbb\xbf")
    assert ODD in csv.decode("utf-8-sig")


@pytest.fixture(scope="module")
def weights() -> Iterator[str]:
    with random_weights("mobilenet-0.25:conv1_relu") as path:
        assert path is not None
        yield path


@pytest.mark.parametrize("place", STRICTEST)
def test_insert_station_and_insert_worker_say_everything_in_the_strictest_encodings(
    data: Path, place: str, tmp_path: Path, weights: str
) -> None:
    backbone = ["--backbone", "mobilenet-0.25:conv1_relu+gap", "--weights", weights]
    missing = os.fsdecode(b"[/a] \xff nowhere")
    where = ["--machine", "m", "--head", "h", "--operation", "o"]
    report = tmp_path / "out" / "report.md"
    experiment = ["experiment", str(data / "photographs"), *backbone, "--repeats", "1", "--output", str(report.parent)]
    experiments = [("worker.commands.main", experiment)] if place == STRICTEST[-1] else []
    out, err = run(
        place,
        ("producer.commands.main", ["--data", str(tmp_path / "line"), "outbox"]),
        ("producer.commands.main", ["--data", str(tmp_path / "line"), "check", missing, *where]),
        ("producer.commands.main", ["--data", str(tmp_path / "line"), "publish", missing, "--pocket", "1", *where]),
        ("producer.commands.main", ["--data", str(tmp_path / "line"), "watch", missing]),
        ("producer.commands.main", ["schema", ODD]),
        ("producer.commands.main", ["schema", "answer"]),
        ("producer.commands.main", ["--help"]),
        ("worker.commands.main", ["--help"]),
        ("worker.commands.main", ["models", "list", "--data", str(data)]),
        ("worker.commands.main", ["models", "list", "--data", str(data), "--json"]),
        ("worker.commands.main", ["models", "show", ODD, "--data", str(data)]),
        ("worker.commands.main", ["features", "list", "--data", str(data)]),
        ("worker.commands.main", ["weights", "list", "--data", str(data)]),
        ("worker.commands.main", ["weights", "verify", "--data", missing]),
        ("worker.commands.main", ["health", "--data", missing]),
        ("worker.commands.main", ["health", "--data", missing, "--json"]),
        ("worker.commands.main", ["extract", "--backbone", ODD, "--data", str(data)]),
        ("worker.commands.main", ["train", missing, "--data", str(data)]),
        *experiments,
        cwd=tmp_path,
    )
    assert "[red]" in err
    assert "[/a]" in err
    assert "[x]" in out + err
    assert "\x1b" not in out + err
    if experiments:
        assert r"worn\[red\]" in report.read_text(encoding="utf-8")


def test_a_reader_that_goes_is_no_traceback(data: Path) -> None:
    for module, arguments, code in (
        ("db.commands.main", ["--data", str(data), "verdicts"], 141),
        ("producer.commands.main", ["schema", "answer"], 141),
        ("worker.commands.main", ["models", "list", "--data", str(data)], 141),
    ):
        read, write = os.pipe()
        os.close(read)
        with os.fdopen(write, "wb") as closed:
            done = subprocess.run(
                [sys.executable, "-m", module, *arguments],
                stdout=closed,
                stderr=subprocess.PIPE,
                timeout=120,
                cwd=ROOT,
                check=False,
            )
        assert (done.returncode, done.stderr) == (code, b"")


SECRET = "s#Kret/9?x@Zq:%[ü] w"
"""A password with all that means something in a URL."""


def test_nothing_of_a_password_is_printed_by_any_command(tmp_path: Path) -> None:
    where = ["--machine", "m", "--head", "h", "--operation", "o"]
    image = tmp_path / "1.png"
    Image.new("RGB", (8, 8)).save(image)
    asked = [
        ("insert-station", ["publish", str(image), "--pocket", "1", "--wait", "0", *where]),
        ("insert-station", ["check", str(tmp_path), *where]),
        ("insert-station", ["outbox", "--send", "1"]),
        ("insert-db", ["checks"]),
        ("insert-db", ["upgrade"]),
        ("insert-db", ["backup", str(tmp_path)]),
        ("insert-db", ["prune", "--yes"]),
        ("insert-worker", ["run"]),
        ("insert-worker", ["models", "list"]),
        ("insert-worker", ["features", "list"]),
        ("insert-worker", ["train"]),
        ("insert-worker", ["health"]),
        ("insert-worker", ["health", "--json"]),
    ]
    for redis, database, images in (
        (f"redis://:{SECRET}@127.0.0.1:1/0", f"postgresql://worker:{SECRET}@127.0.0.1:1/x", f"s3://K:{SECRET}@bucket"),
        ("redis://:s3cretWord#1@HOST/0", "postgresql://worker:s3cret@Word#1@HOST/x", "nosuch://K:s3cretWord@bucket"),
    ):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("INSERTS_")} | {
            "COLUMNS": "300",
            "INSERTS_DATA": str(tmp_path / "line"),
            "INSERTS_REDIS_URL": redis,
            "INSERTS_DATABASE_URL": database,
            "INSERTS_IMAGES": images,
        }
        ended = [run_command(name, *words, environment=environment, cwd=tmp_path) for name, words in asked]
        said = "".join(each.stdout + each.stderr for each in ended)
        assert all(each.stdout or each.stderr for each in ended)
        assert "Traceback" not in said, said
        for piece in ("Kret", "s#K", "@Zq", "?x@", "[ü]", "s3cr", "Word"):
            assert piece not in said, said
        assert "INSERTS_DATABASE_PASSWORD_FILE" in said

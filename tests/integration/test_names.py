"""Names in any language, through the whole line: station, worker, stream, database, and what people ask."""

from __future__ import annotations

import csv
import io
import json
import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from producer.contract.names import safe_name
from tests.forked_commands import RunningCommand, run_command, start_command
from tests.integration.conftest import on_one_engine
from tests.support import RedisProcess, photograph, wait_until

STATION, MACHINE, HEAD, OPERATION = "Prüfplatz 1", "Fräse 3", "Kopf Größe 2 (加工機)", "nach dem Schruppen"
PLACE = ["--machine", MACHINE, "--head", HEAD, "--operation", OPERATION]


class Line:
    """A running worker, and the commands of a station and of a person beside it."""

    def __init__(self, folder: Path, redis_url: str, database_url: str):
        self.environment = os.environ | {
            "INSERTS_DATA": str(folder),
            "INSERTS_REDIS_URL": redis_url,
            "INSERTS_DATABASE_URL": database_url,
        }

    def start(self, *command: str, log: Path) -> RunningCommand:
        return start_command(*command, environment=self.environment, log=log)

    def __call__(self, *command: str, code: int = 0) -> str:
        ended = run_command(*command, environment=self.environment, timeout=90)
        assert ended.returncode == code, ended.stderr
        return ended.stdout


@pytest.fixture
def line(tmp_path: Path, redis_server: RedisProcess, database_url: str) -> Iterator[Line]:
    line = Line(tmp_path, redis_server.url, database_url)
    ready, log = tmp_path / "ready", tmp_path / "worker.log"
    worker = line.start("insert-worker", "run", "--ready-file", str(ready), log=log)
    wait_until(lambda: ready.exists() or worker.poll() is not None, 120, "a ready worker")
    assert worker.poll() is None, log.read_text()
    yield line
    worker.kill()
    worker.wait()


def test_names_in_any_language_go_through_the_whole_line(
    line: Line, tmp_path: Path, redis_server: RedisProcess
) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(photograph(size=256))
    station = ("insert-station", "--station", STATION)
    verdict = json.loads(line(*station, "publish", str(photo), *PLACE, "--pocket", "7", "--json", code=2))
    assert (verdict["machine"], verdict["head"], verdict["schema_version"]) == (MACHINE, HEAD, 2)
    assert redis_server.client().xlen(f"verdicts:{safe_name(STATION)}") == 2, "the verdict and the check"
    (kept,) = (tmp_path / "images").rglob("*.jpg")
    assert kept.relative_to(tmp_path / "images").parts[0] == safe_name(STATION)
    assert (tmp_path / "outbox" / f"{safe_name(STATION)}.db").exists()

    line("insert-db", "review", "--capture", verdict["capture_id"], "--label", "damaged", "--by", "Zoë")
    for form in ("NFC", "NFD"):  # as a keyboard writes it, and as a name out of a Mac's folder comes
        machine, head, name = (unicodedata.normalize(form, each) for each in (MACHINE, HEAD, STATION))
        (row,) = json.loads(line("insert-db", "replace", "--machine", machine, "--head", head, "--json"))["items"]
        assert (row["machine"], row["head"], row["pocket"]) == (MACHINE, HEAD, 7)
        (seen,) = json.loads(line("insert-db", "history", machine, head, "7", "--json"))
        assert seen["capture_id"] == verdict["capture_id"]
        (check,) = json.loads(line("insert-db", "checks", "--station", name, "--json"))
        assert (check["station"], check["operation"]) == (STATION, OPERATION)
    (exported,) = csv.DictReader(io.StringIO(line("insert-db", "export", "-")))
    assert (exported["machine"], exported["head"], exported["operation"]) == (MACHINE, HEAD, OPERATION)


@on_one_engine
def test_a_folder_that_is_named_in_another_normal_form_is_the_same_machine(line: Line, tmp_path: Path) -> None:
    folder = tmp_path / "camera"
    for form, pocket in (("NFD", 1), ("NFC", 2)):
        file = folder / unicodedata.normalize(form, f"{MACHINE}/{HEAD}/{OPERATION}/{pocket}.jpg")
        file.parent.mkdir(parents=True)
        file.write_bytes(photograph(seed=pocket, size=256))
    said = tmp_path / "said"
    watching = line.start("insert-station", "watch", str(folder), "--check-size", "2", "--json", log=said)
    try:
        wait_until(lambda: said.read_text("utf-8").count('"verdict"') == 2, 60, "two verdicts")
    finally:
        watching.terminate()
        assert watching.wait(60) == 0
    rows = json.loads(line("insert-db", "verdicts", "--machine", MACHINE, "--head", HEAD, "--json"))
    assert sorted(row["pocket"] for row in rows) == [1, 2]

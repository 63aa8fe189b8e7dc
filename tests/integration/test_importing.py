"""A labelled folder comes in as captures with reviews, on both databases, once however often it is imported."""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from db.engine.database import Database
from db.learning import reviews
from db.line import verdicts
from db.people import audit
from db.terminal.person import who
from producer.storage.folder import FolderStore
from tests.database_support import status_of
from tests.support import photograph
from worker.commands.labelled_folder import TakenInFolder, take_in
from worker.commands.learning import import_folder
from worker.dataset.class_names import known_words, meanings
from worker.dataset.labelled_folder import DatasetError
from worker.learning.folder_import import BY, capture_id, import_photographs, photographs
from worker.runtime.progress import silent

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two photographs of each of three classes, in a folder whose name is no name of a head."""
    found = tmp_path / "Line 3, spring"
    for number, name in enumerate(("intact", "worn", "broken")):
        (found / name).mkdir(parents=True)
        for seed in range(2):
            (found / name / f"{seed}.jpg").write_bytes(photograph(seed=10 * number + seed))
    return found


@pytest.fixture
def images(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "images")


def imported(folder: Path, database: Database, images: FolderStore, **options: Any) -> TakenInFolder:
    return take_in(
        folder,
        known_words,
        **{"table": None, "group_column": None, **options},
        images=images,
        database=database,
        progress=silent,
    )


def labelled(database: Database) -> list[reviews.Labelled]:
    with database.reading() as session:
        return reviews.labelled(session)


def counts(result: TakenInFolder) -> tuple[int, int, int, int]:
    return result.imported.new, result.imported.changed, result.imported.known, len(result.photographs.skipped)


def table(path: Path, *rows: tuple[str, ...]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def test_a_folder_becomes_captures_with_reviews_and_is_there_once(
    folder: Path, database: Database, images: FolderStore
) -> None:
    assert counts(imported(folder, database, images)) == (6, 0, 0, 0)
    items = labelled(database)
    assert sorted(item.label for item in items) == ["broken", "broken", "intact", "intact", "worn", "worn"]
    assert len({item.insert_key for item in items}) == 6
    for item in items:
        assert hashlib.sha256(images.get(item.image, 10**6)).hexdigest() == item.image_sha256
        assert (item.machine, item.station, item.region) == ("imported", "import", None)
        assert item.capture_id.version == 7
    with database.reading() as session:
        rows = verdicts.search(session, machine="imported")
        assert {(row.outcome, row.model_id, row.reason) for row in rows} == {("unsure", None, "imported with a label")}
        assert {row.head for row in rows} == {"Line-3-spring"}
        check = status_of(session, rows[0].check_id)
        assert check is not None
        assert check.state != "pending"

    assert counts(imported(folder, database, images)) == (0, 0, 6, 0)
    assert labelled(database) == items


def test_a_photograph_in_another_class_is_the_same_capture_with_a_new_review(
    folder: Path, database: Database, images: FolderStore
) -> None:
    imported(folder, database, images)
    before = {item.image_sha256: item for item in labelled(database)}
    moved = folder / "worn" / "0.jpg"
    digest = hashlib.sha256(moved.read_bytes()).hexdigest()
    moved.rename(folder / "intact" / "other name.jpg")
    assert counts(imported(folder, database, images)) == (0, 1, 5, 0)
    after = {item.image_sha256: item for item in labelled(database)}
    assert after.keys() == before.keys()
    assert (after[digest].capture_id, after[digest].label) == (before[digest].capture_id, "intact")
    with database.reading() as session:
        assert [each.label for each in reviews.of_capture(session, after[digest].capture_id)] == ["intact", "worn"]


def test_what_a_person_said_since_stands_until_the_folder_says_something_else(
    folder: Path, database: Database, images: FolderStore
) -> None:
    imported(folder, database, images)
    item = next(item for item in labelled(database) if item.label == "worn")
    with database.transaction() as session:
        reviews.add(session, capture_id=item.capture_id, label="intact", by="ana", at=NOW)
    assert counts(imported(folder, database, images)) == (0, 0, 6, 0)
    with database.reading() as session:
        assert reviews.of_capture(session, item.capture_id)[0].by == "ana"


def test_groups_of_a_table_are_lives_wherever_the_table_is(
    folder: Path, database: Database, images: FolderStore, tmp_path: Path
) -> None:
    rows = [(f"{seed}.jpg", name, f"insert-{seed}") for name in ("intact", "worn", "broken") for seed in range(2)]
    path = table(tmp_path / "who.csv", ("file", "class", "setup"), *rows)
    assert counts(imported(folder, database, images, table=path, group_column="setup")) == (6, 0, 0, 0)
    lives: dict[str, set[str]] = {}
    for item in labelled(database):
        lives.setdefault(item.insert_key, set()).add(item.label)
    assert sorted(map(sorted, lives.values())) == [["broken", "intact", "worn"]] * 2


def test_a_bad_file_costs_only_itself(folder: Path, database: Database, images: FolderStore) -> None:
    (folder / "intact" / "garbage.jpg").write_bytes(b"garbage")
    Image.new("RGB", (64, 64)).save(folder / "worn" / "black.png")
    (folder / "intact" / "again.jpg").write_bytes((folder / "intact" / "0.jpg").read_bytes())
    (folder / "unusable").mkdir()
    Image.new("RGB", (64, 64)).save(folder / "unusable" / "dark.png")
    result = imported(folder, database, images)
    reasons = {path.name: reason for path, reason in result.photographs.skipped}
    assert result.imported.new == 7
    assert reasons.keys() == {"garbage.jpg", "black.png", "again.jpg"}
    assert reasons["again.jpg"] == "the same photograph as intact/0.jpg: it counts once"
    assert counts(imported(folder, database, images)) == (0, 0, 7, 3)


def test_an_import_that_was_interrupted_is_finished_by_the_next(
    folder: Path, database: Database, images: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.learning.folder_import.TOGETHER", 2)

    def stop(done: int, _total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_photographs(
            photographs(folder).photos, name="a", images=images, database=database, at=NOW, progress=stop
        )
    assert len(labelled(database)) == 4
    assert counts(imported(folder, database, images)) == (2, 0, 4, 0)
    with database.reading() as session:
        rows = [row for row in audit.recent(session) if row.action == "labels imported"]
    assert [(row.by, row.detail["count"]) for row in rows] == [(who(), 2), (BY, 2), (BY, 2)]
    assert rows[0].detail["said by"] == BY
    assert {capture for row in rows for capture in row.detail["captures"]} == {
        str(item.capture_id) for item in labelled(database)
    }


def test_classes_that_are_no_labels_need_a_meaning(folder: Path) -> None:
    (folder / "intact").rename(folder / "Class 0")
    with pytest.raises(DatasetError, match='--class "Class 0"=damaged'):
        photographs(folder)
    found = photographs(folder, meaning=lambda classes: meanings(classes, {"class 0": "intact"}))
    assert {photo.label for photo in found.photos} == {"intact", "worn", "broken"}


@pytest.mark.parametrize(
    ("rows", "column", "message"),
    [
        ([("file", "setup"), ("intact/0.jpg", "a")], "setup", "names no 'setup' for"),
        ([("file", "setup"), ("0.jpg", "a"), ("1.jpg", "a")], "setup", "fits several images"),
        ([("file", "setup")], None, "it needs 'file' and 'group'"),
        ([("file", "group"), ("intact/0.jpg", "a"), ("intact/0.jpg", "b")], None, "two groups"),
    ],
)
def test_a_table_that_leaves_groups_open_is_refused(
    folder: Path, tmp_path: Path, rows: list[tuple[str, ...]], column: str | None, message: str
) -> None:
    with pytest.raises(DatasetError, match=message):
        photographs(folder, table=table(tmp_path / "who.csv", *rows), group_column=column)


def test_a_table_that_is_not_there_is_refused(folder: Path) -> None:
    with pytest.raises(DatasetError, match="there is no"):
        photographs(folder, group_column="setup")


def test_ids_are_uuids_of_version_7_and_depend_on_image_and_group() -> None:
    ids = {capture_id(digest * 64, group) for digest in "ab" for group in ("g", "h")}
    assert len(ids) == 4
    assert {(each.version, each.variant) for each in ids} == {(7, "specified in RFC 4122")}
    assert capture_id("a" * 64, "g") == capture_id("a" * 64, "g")


def test_the_command_says_what_it_did(
    folder: Path, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = typer.Typer()
    app.command("import")(import_folder)
    monkeypatch.setenv("INSERTS_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("INSERTS_DATA", str(tmp_path / "line"))
    (folder / "worn").rename(folder / "used=up")
    arguments = [str(folder), "--class", "used=up=worn"]
    answer = CliRunner().invoke(app, [*arguments, "--json"])
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout) == {"new": 6, "changed": 0, "known": 0, "skipped": [], "warnings": []}
    assert "6 known as they are" in CliRunner().invoke(app, arguments).stdout
    assert CliRunner().invoke(app, [str(folder), "--class", "worn"]).exit_code == 2
    database = Database(sqlite_url)
    assert {item.label for item in labelled(database)} == {"intact", "worn", "broken"}
    with database.reading() as session:
        assert {each.by for each in reviews.recent(session)} == {BY}
    database.close()


def test_importing_loads_no_network() -> None:
    code = "import worker.learning.folder_import, worker.commands.learning, sys; print('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"

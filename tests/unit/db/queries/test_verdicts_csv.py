import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from db.line.checks import Check
from db.line.rows import VerdictRow
from db.queries.plain_values import plain
from db.queries.verdicts_csv import cell, write_csv, write_csv_file

T0 = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def row(**changes: object) -> VerdictRow:
    fields = {
        "capture_id": UUID(int=1),
        "captured_at": T0,
        "station": "st-1",
        "machine": "mill-1",
        "head": "head-1",
        "pocket": 3,
        "operation": "op-10",
        "check_id": UUID(int=2),
        "outcome": "damaged",
        "label": "worn",
        "reason": None,
        "decision": -1.5,
        "probability": None,
        "model_id": None,
        "judged_at": T0,
        "seconds": 0.25,
        "insert_designation": None,
        "edge": 2,
        "operations_on_edge": 0,
        "image": "a/b.png",
        "ordered_at": T0,
        "wear_mean": None,
        "wear_p90": None,
        "wear_max": None,
        "wear_length": None,
        "pixels_per_mm": None,
    }
    return VerdictRow(**(fields | changes))


def test_values_become_json() -> None:
    check = Check(UUID(int=2), "st-1", "mill-1", "head-1", "op-10", 2, T0, "replace", (1,), (), 2)
    found = json.loads(json.dumps(plain([check])))
    assert found == [
        {
            "check_id": str(UUID(int=2)),
            "station": "st-1",
            "machine": "mill-1",
            "head": "head-1",
            "operation": "op-10",
            "size": 2,
            "started_at": "2026-11-22T10:00:00.000Z",
            "state": "replace",
            "replace": [1],
            "review": [],
            "judged": 2,
            "missing": [],
            "reason": None,
            "revision": 0,
        }
    ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "=cmd|' /C calc'!A0"])
def test_a_formula_is_only_text_in_a_spreadsheet(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["mill-1", "a=b", "", None, -1.5, 3, True])
def test_plain_text_and_numbers_stay_as_they_are(value: object) -> None:
    assert cell(value) == value


def test_csv_can_be_read_back() -> None:
    file = io.StringIO()
    wear = {"wear_mean": 18.5, "pixels_per_mm": 85.0}
    assert write_csv([row(reason='blurred, "very"\nso', **wear), row(head="=evil()")], file) == 2
    first, second = csv.DictReader(io.StringIO(file.getvalue()))
    assert first["reason"] == 'blurred, "very"\nso'
    assert first["decision"] == "-1.5"
    assert first["captured_at"] == "2026-11-22T10:00:00.000Z"
    assert first["model_id"] == ""
    assert "fault" not in first
    assert (first["wear_mean"], first["pixels_per_mm"], second["wear_mean"]) == ("18.5", "85.0", "")
    assert second["head"] == "'=evil()"


def test_an_export_without_rows_has_its_headings() -> None:
    file = io.StringIO()
    assert write_csv([], file) == 0
    assert file.getvalue().startswith("capture_id,captured_at,station,")


def test_a_file_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "export.csv"
    target.write_text("the old one")

    def broken():
        yield row()
        raise ConnectionError("the database went away")

    with pytest.raises(ConnectionError):
        write_csv_file(broken(), target)
    assert target.read_text() == "the old one"
    assert list(tmp_path.iterdir()) == [target]

    assert write_csv_file([row()], target) == 1
    assert target.read_bytes().startswith(b"\xef\xbb\xbfcapture_id,")


def test_a_mistyped_folder_does_not_become_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no such folder"):
        write_csv_file([row()], tmp_path / "exprot" / "verdicts.csv")
    assert list(tmp_path.iterdir()) == []

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from producer.contract.event import CaptureEvent, new_id
from producer.delivery.outbox import Outbox
from producer.settings import StationSettings
from producer.terminal.error_text import in_words, naming
from tests.support import message


def test_a_wrong_setting_is_told_without_its_value() -> None:
    with pytest.raises(ValidationError) as caught:
        StationSettings(station="", outbox_limit="secret", redis_url=SecretStr("redis://x"))  # type: ignore[arg-type]
    for said in (in_words(caught.value), str(caught.value)):
        assert "outbox_limit" in said
        assert "secret" not in said


def test_a_setting_is_named_as_it_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSERTS_SETTLED_AFTER", "-1")
    monkeypatch.setenv("inserts_group", "no-number-but-a-secret")
    with pytest.raises(ValidationError) as caught:
        StationSettings(outbox_limit=0)
    words = in_words(caught.value)
    assert "INSERTS_SETTLED_AFTER: it must be greater than 0, not -1" in words
    assert "inserts_group: it must be a valid integer" in words
    assert "outbox_limit: it must be greater than or equal to 1, not 0" in words
    assert "secret" not in words


def test_a_text_that_is_none_is_told_in_words() -> None:
    with pytest.raises(UnicodeEncodeError) as caught:
        os.fsdecode(b"machine\xff").encode()
    assert in_words(caught.value).startswith(r"machine\xff is no text: ")


def test_an_error_of_the_system_gets_its_file_and_every_other_stays_as_it_is() -> None:
    with pytest.raises(OSError, match=r"'/srv/images/a\.jpg'") as full, naming(Path("/srv/images/a.jpg")):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert full.value.errno == errno.ENOSPC
    with pytest.raises(OSError, match=r"^of its own$"), naming(Path("/srv")):
        raise OSError("of its own")
    with pytest.raises(FileNotFoundError, match="'/elsewhere'"), naming(Path("/srv")):
        raise FileNotFoundError(errno.ENOENT, "No such file", "/elsewhere")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            OSError(errno.ENOSPC, "No space left", "full/e.csv"),
            "full/e.csv: No space left (make room there, then do it again)",
        ),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "a.jpg"), "a.jpg: No such file or directory"),
        (OSError(errno.EXDEV, "Invalid link", "a", None, "b"), "a to b: Invalid link"),
        (OSError("of its own"), "of its own"),
    ],
)
def test_what_a_system_refuses_is_told_by_its_file_without_numbers(error: OSError, words: str) -> None:
    assert in_words(error) == words


def test_a_full_disk_under_the_image_store_is_named(tmp_path: Path) -> None:
    program = """
import resource, sys
from producer.storage.folder import FolderStore
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    FolderStore(__import__("pathlib").Path(sys.argv[1])).put("a/b.jpg", b"0" * 5000)
except OSError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert str(tmp_path / "a" / "b.jpg") in done.stdout
    assert not list(tmp_path.rglob("*.jpg"))


@pytest.mark.parametrize("content", [b"this is no database, " * 1000, None])
def test_an_outbox_that_cannot_be_opened_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "station-1.db"
    file.write_bytes(content) if content is not None else file.mkdir()
    with pytest.raises(sqlite3.DatabaseError, match=str(file)):
        Outbox(file)


def test_an_outbox_that_breaks_while_it_is_read_is_named(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "station-1.db")
    box.close()
    for look in (lambda: box.find(str(new_id())), box.unsent, box.oldest_at, box.next_due, lambda: box.note("x")):
        with pytest.raises(sqlite3.ProgrammingError, match=str(box.path)):
            look()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"machine": "Fräse:3"}, "machine: a name may have letters and digits of any language"),
        ({"machine": "Fräse 3", "schema_version": 1}, "machine: in schema_version 1 a name has letters A to Z"),
        ({"image_sha256": "x"}, "image_sha256: a SHA-256 is 64 hexadecimal digits"),
        ({"insert_designation": "insert"}, "insert_designation: an ISO 1832 designation is like SNMG120408"),
        ({"image": "../x"}, "image: image key '../x' must be relative"),
        ({"image": ""}, "image: "),
        ({"capture_id": "seven"}, "capture_id: "),
        ({"pocket": 0}, "pocket: "),
        ({"region": {"left": 0}}, "region.top: "),
        ({"captured_at": "1900-01-01T00:00:00Z"}, "captured_at: the year must be one from 1970"),
    ],
)
def test_what_is_wrong_with_an_event_is_said_without_a_link_or_a_pattern(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        CaptureEvent.from_message(message(schema_version=2) | changes)
    words = in_words(refused.value)
    assert said in words
    for foreign in ("http", "pattern", "^[", "Value error", "input_value"):
        assert foreign not in words


def test_a_wrong_setting_is_said_the_same_way() -> None:
    with pytest.raises(ValidationError) as refused:
        StationSettings(station="a/b")
    assert in_words(refused.value).startswith("station: a name may have letters and digits of any language, blanks")
    assert "http" not in in_words(refused.value)
    assert in_words(OSError()) == "OSError"

"""What the page on security says is there is there: settings and files."""

from __future__ import annotations

import re
from pathlib import Path

from db.console.settings import ConsoleSettings
from producer.pictures.limits import MAX_IMAGE_BYTES, MAX_PIXELS
from worker.broker.sanitising import MAX_BYTES
from worker.settings import WorkerSettings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
SCRIPT = (ROOT / "deploy" / "redis" / "users.sh").read_text(encoding="utf-8")


def test_every_file_that_it_names_is_there() -> None:
    named = re.findall(r"`((?:deploy|tests|worker|locks)/[\w./-]+)`", TEXT)
    assert len(named) > 5
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_setting_that_it_names_is_one() -> None:
    named = set(re.findall(r"INSERTS_([A-Z_]+)", TEXT)) - set(re.findall(r"INSERTS_([A-Z_]+)", SCRIPT))
    assert len(named) >= 9
    fields = WorkerSettings.model_fields.keys() | ConsoleSettings.model_fields.keys()
    assert {name.lower() for name in named} <= fields
    about_access = {f.upper() for f in fields if re.match("redis|database|console_(?!stale)", f)}
    assert about_access <= named


def test_its_figures_are_those_of_the_code() -> None:
    assert MAX_BYTES == 1_000_000
    assert (MAX_IMAGE_BYTES, MAX_PIXELS) == (128 * 2**20, 40_000_000)
    configuration = (ROOT / "deploy" / "redis" / "redis.conf").read_text(encoding="utf-8")
    assert "proto-max-bulk-len 1mb\n" in configuration
    assert '"${reads}verdicts:$station" +ping +lpush +xread +xrevrange' in SCRIPT

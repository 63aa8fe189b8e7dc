"""A wrong setting, at each of the three commands: which one, and what is wrong with it, in one sentence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.forked_commands import run_command
from worker.embedded.redis_server import free_port


@pytest.mark.parametrize(
    ("setting", "value", "command", "said"),
    [
        (
            "INSERTS_STATION",
            "Prüf/1",
            ["insert-station", "outbox"],
            "INSERTS_STATION: a name may have letters and digits of",
        ),
        ("INSERTS_OUTBOX_LIMIT", "0", ["insert-station", "outbox"], "INSERTS_OUTBOX_LIMIT: it must be greater than"),
        ("INSERTS_GROUP", "0", ["insert-station", "outbox"], "INSERTS_GROUP: it must be greater than or equal to 1"),
        ("INSERTS_SETTLED_AFTER", "-1", ["insert-station", "outbox"], "AFTER: it must be greater than 0, not -1\n"),
        ("inserts_settled_after", "nan", ["insert-station", "outbox"], "inserts_settled_after: it must be a finite"),
        (
            "INSERTS_GROUP",
            "101",
            ["insert-station", "outbox"],
            "INSERTS_GROUP: it must be less than or equal to 100, not 101",
        ),
        (
            "INSERTS_DATA",
            "~nobody-at-all/x",
            ["insert-station", "outbox"],
            "INSERTS_DATA: the home folder ~nobody-at-all",
        ),
        (
            "INSERTS_STATION",
            "Prüf/1",
            ["insert-worker", "run"],
            "INSERTS_STATION: a name may have letters and digits of",
        ),
        (
            "INSERTS_JUDGE_TIMEOUT",
            "inf",
            ["insert-worker", "run"],
            "JUDGE_TIMEOUT: it must be a number up to 2147483647",
        ),
        ("INSERTS_PROCESSES", "many", ["insert-worker", "run"], "INSERTS_PROCESSES: it must be a valid integer"),
        ("INSERTS_DATA", "~nobody-at-all/x", ["insert-worker", "run"], "INSERTS_DATA: the home folder ~nobody-at-all"),
        ("INSERTS_DATA", "~nobody-at-all/x", ["insert-db", "checks"], "INSERTS_DATA: the home folder ~nobody-at-all"),
    ],
)
def test_a_wrong_setting_is_named_without_a_link(
    tmp_path: Path, setting: str, value: str, command: list[str], said: str
) -> None:
    environment = os.environ | {"INSERTS_DATA": str(tmp_path), setting: value}
    ended = run_command(*command, environment=environment, timeout=60)
    assert ended.returncode == 2
    assert said in ended.stderr
    for foreign in ("http", "pattern", "Value error", "Traceback"):
        assert foreign not in ended.stderr


def test_a_console_names_what_does_nothing_and_no_address_where_it_cannot_serve(tmp_path: Path) -> None:
    wrong = {"INSERTS_CONSOLE_STALE_MINUTE": "5", "INSERTS_HEADS": str(tmp_path / "none.toml")}
    environment = os.environ | {"INSERTS_DATA": str(tmp_path)} | wrong
    ended = run_command("insert-db", "console", "--port", str(free_port()), environment=environment, timeout=60)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "CONSOLE_STALE_MINUTE is no setting, and does nothing: INSERTS_CONSOLE_STALE_MINUTES?" in ended.stderr
    assert "none.toml" in ended.stderr

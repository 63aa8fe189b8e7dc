from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from producer.files import sqlite_file


def test_a_file_that_may_only_be_read_is_not_waited_for_as_if_another_process_wrote_it(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (x)")
    tried: list[str] = []
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)) as connection:
        connection.set_trace_callback(tried.append)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            sqlite_file._log_ahead(connection)
    assert len(tried) == 1

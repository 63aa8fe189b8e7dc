from __future__ import annotations

import ast
import gc
import subprocess
import sys
from pathlib import Path

import pytest

import worker
from worker.backbones.tensorflow_import import loading_tensorflow

HEAVY = {"tensorflow", "keras"}


def test_postgresql_s_driver_is_loaded_before_tensorflow() -> None:
    """The other way round a worker dies at its first connection to PostgreSQL over TLS (test_postgres_tls.py)."""
    code = "import sys, worker.backbones.tensorflow_import as own\nwith own.loading_tensorflow(): print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "psycopg" in loaded
    assert not loaded & HEAVY


def test_tensorflow_is_imported_in_that_way_only() -> None:
    found = []
    for source in sorted(Path(worker.__file__).parent.rglob("*.py")):
        tree = ast.parse(source.read_text(encoding="utf-8"))
        loading = [
            node
            for block in ast.walk(tree)
            if isinstance(block, ast.With) and ast.unparse(block.items[0]) == "loading_tensorflow()"
            for node in block.body
        ]
        found += [(source.name, node in loading) for node in ast.walk(tree) if imports(node) & HEAVY]
    assert len(found) > 5
    assert [name for name, rightly in found if not rightly] == []


def imports(node: ast.AST) -> set[str]:
    """The packages that a statement imports."""
    match node:
        case ast.Import(names=names):
            return {each.name.partition(".")[0] for each in names}
        case ast.ImportFrom(module=str(module), level=0):
            return {module.partition(".")[0]}
    return set()


@pytest.mark.parametrize("collecting", [True, False])
def test_garbage_is_collected_afterwards_as_it_was_before(collecting: bool) -> None:
    was = gc.isenabled()
    (gc.enable if collecting else gc.disable)()
    try:
        with loading_tensorflow():
            assert not gc.isenabled()
        assert gc.isenabled() == collecting
    finally:
        (gc.enable if was else gc.disable)()

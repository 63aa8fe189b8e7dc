"""`insert-worker weights` as a person types it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.forked_commands import run_command
from worker.backbones.keras_families import published_network


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A weight file for MobileNet at a quarter of its width, without the top."""
    path = tmp_path / "mobilenet_quarter.h5"
    random = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        specs = published_network("mobilenet-0.25").headless_specs
        file.attrs["layer_names"] = [spec.name.encode() for spec in specs]
        for spec in specs:
            group = file.create_group(spec.name)
            group.attrs["weight_names"] = [name.encode() for name in spec.weight_names]
            for name, shape in zip(spec.weight_names, spec.shapes, strict=True):
                group[name] = random.uniform(0.1, 1.0, shape).astype(np.float32)
    return path


def weights(*arguments: str | Path, data: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = os.environ | {"INSERTS_DATA": str(data), "COLUMNS": "200"} | environment
    variables.pop("INSERTS_WEIGHTS_FOLDER", None)
    return run_command("insert-worker", "weights", *map(str, arguments), environment=variables, timeout=240)


def test_import_list_and_verify(file: Path, tmp_path: Path) -> None:
    data = tmp_path / "line"
    data.mkdir()
    assert "no weight files" in weights("list", data=data).stdout

    imported = weights("import", file, "--family", "mobilenet-0.25", "--json", data=data)
    assert imported.returncode == 0, imported.stderr
    entry = json.loads(imported.stdout)
    assert (entry["family"], entry["top"], entry["missing"]) == ("mobilenet-0.25", False, ["conv_preds"])

    assert json.loads(weights("list", "--json", data=data).stdout) == [entry]
    table = weights("list", data=data).stdout
    assert "mobilenet-0.25" in table
    assert entry["digest"][:12] in table

    good = weights("verify", data=data)
    assert (good.returncode, "ok" in good.stdout) == (0, True)
    kept = data / "weights" / f"{entry['digest']}.h5"
    kept.write_bytes(kept.read_bytes()[:-1] + b"\0\1")
    bad = weights("verify", "--json", data=data)
    assert bad.returncode == 1
    told = json.loads(bad.stdout)
    assert (told["whole"], told["verified"][0]["name"]) == (False, "mobilenet-0.25")
    assert "was changed" in told["verified"][0]["problem"]


def test_a_file_that_does_not_fit_is_refused_with_a_message(file: Path, tmp_path: Path) -> None:
    done = weights("import", file, "--family", "mobilenet", data=tmp_path / "line")
    assert done.returncode == 2
    assert "0.25 times as wide" in done.stderr
    assert "Traceback" not in done.stderr


def test_fetch_without_a_connection_says_what_to_do(tmp_path: Path) -> None:
    # Nobody listens on that port, so the connection is refused at once.
    done = weights("fetch", "mobilenet", data=tmp_path / "line", https_proxy="http://127.0.0.1:9")
    assert done.returncode == 2
    assert "insert-worker weights import FILE --family mobilenet" in done.stderr
    assert "Traceback" not in done.stderr

"""`insert-worker explain`, as a person types it, on a line that was trained on a folder and judged two photographs."""

from __future__ import annotations

import io
import json
import os
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from PIL import Image

from db.engine.database import Database
from db.evidence.evidence_map import unpacked
from db.line import captures, verdicts
from producer.contract.event import CaptureEvent, Region, new_id
from producer.storage.folder import FolderStore
from tests.database_support import new_sqlite
from tests.forked_commands import run_command
from tests.network_support import BACKBONE
from tests.support import photograph
from worker.line.active_models import ActiveModels
from worker.line.judging import Judge
from worker.line.mapping import capture_of, verdict_of
from worker.monitoring.metrics import WorkerMetrics
from worker.networks.store import NetworkStore


class Line:
    """A data folder, its commands, and photographs that are judged as the line judges them."""

    def __init__(self, folder: Path):
        self.data = folder / "line"
        self.data.mkdir()
        self.url = new_sqlite(self.data / "inserts.db")

    def __call__(self, *options: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"COLUMNS": "200"}
        arguments = (*options, "--data", str(self.data))
        done = run_command("insert-worker", *arguments, environment=environment, cwd=self.data, timeout=180)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def judged(self, photo: bytes, region: Region | None = None, **changes: Any) -> UUID:
        database = Database(self.url)
        models = ActiveModels(database, self.data / "models", NetworkStore(os.environ["INSERTS_NETWORKS"]))
        models.start()
        judgement = replace(Judge(models, WorkerMetrics()).judge(photo, region), **changes)
        capture_id, now = new_id(), datetime.now(UTC)
        key = f"station-1/{capture_id}.png"
        event = CaptureEvent(
            capture_id=capture_id,
            captured_at=now,
            station="station-1",
            machine="mill-1",
            head="head-1",
            pocket=3,
            operation="op-7",
            check_id=new_id(),
            check_size=1,
            image=key,
            image_sha256=FolderStore(self.data / "images").put(key, photo),
            region=region,
        )
        with database.transaction() as session:
            captures.record(session, capture_of(event), now)
            verdicts.record(session, verdict_of(event, judgement, now))
        database.close()
        return capture_id


def half_damaged() -> bytes:
    """A photograph whose left half is bright, as the intact ones are, and whose right half is dark."""
    left, right = (Image.open(io.BytesIO(photograph(brightness, seed=5, size=128))) for brightness in (170, 60))
    left.paste(right.crop((64, 0, 128, 128)), (64, 0))
    file = io.BytesIO(b"")
    left.convert("RGB").save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def line(tmp_path: Path) -> Line:
    folder = tmp_path / "photographs"
    for name, brightness in {"intact": 170, "worn": 80}.items():
        (folder / name).mkdir(parents=True)
        for number in range(12):
            data = photograph(brightness, seed=1000 * brightness + number, size=128, format="PNG")
            (folder / name / f"{number}.png").write_bytes(data)
    made = Line(tmp_path)
    made("train", str(folder), "--promote", "--backbone", BACKBONE)
    return made


def test_a_verdict_is_explained_in_a_picture_and_in_words(line: Line, tmp_path: Path) -> None:
    damaged = line.judged(photograph(80, seed=3, size=128, format="PNG"))
    done = line("explain", "mill-1", "head-1", "3")
    assert "mill-1 · head-1 · pocket 3, after op-7" in done.stdout
    assert "damaged, probability of damage" in done.stdout
    assert "speaks for damage" in done.stdout
    picture = Image.open(line.data / f"explain-{damaged}.png")
    assert (picture.format, picture.size) == ("PNG", (128, 128))
    # The words add up to the decision, as the shares do.
    values = json.loads(line("explain", str(damaged), "--json", "--out", str(tmp_path / "why.png")).stdout)
    assert (tmp_path / "why.png").exists()
    shares = np.array(values["evidence"]["shares"])
    assert np.unravel_index(shares.argmax(), shares.shape) == tuple(values["evidence"]["strongest"].values())
    assert max(shares.shape) <= 32
    assert values["outcome"] == "damaged"

    # The nearest learnt photographs of either side, nearer to its own.
    done = line("explain", str(damaged), "--neighbours", "--json", "--out", str(tmp_path / "near.png"))
    neighbours = json.loads(done.stdout)["neighbours"]
    assert [each["side"] for each in neighbours] == 3 * ["intact"] + 3 * ["damaged"]
    assert neighbours[3]["distance"] < neighbours[0]["distance"]
    assert {each["label"] for each in neighbours[3:]} == {"worn"}
    assert Image.open(tmp_path / "near.png").height > 128 + 160

    # A map belongs to the region that was looked at.
    region = Region(left=64, top=0, width=64, height=128)
    partly = line.judged(half_damaged(), region)
    line("explain", str(partly), "--out", str(tmp_path / "part.png"))
    before, after = (
        np.asarray(Image.open(file).convert("RGB"), int) for file in (io.BytesIO(half_damaged()), tmp_path / "part.png")
    )
    assert (after[:, :60] - before[:, :60] // 2).max() <= 1, (
        "what is not judged is dark, with nothing else drawn over it"
    )
    assert np.abs(before - after).max(axis=2)[:, 68:].mean() > 5

    # What has no map says why.
    intact = line.judged(photograph(170, seed=4, size=200, format="PNG"), outcome="intact", evidence=None)
    assert "of an intact verdict none is kept" in line("explain", str(intact), code=1).stdout
    assert not (line.data / f"explain-{intact}.png").exists()
    assert "nearest learnt intact" in line("explain", str(intact), "--neighbours").stdout
    database = Database(line.url)
    with database.reading() as session:
        assert verdicts.current(session, intact).evidence is None
        kept = verdicts.current(session, damaged)
    database.close()
    assert len(kept.evidence) < 1000
    assert unpacked(kept.evidence).shares.shape == shares.shape
    assert "there is no capture" in line("explain", str(new_id()), code=2).stderr

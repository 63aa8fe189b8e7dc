"""`insert-worker networks` as a person types it."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from tests.forked_commands import run_command
from tests.support import program
from worker.models.linear_svm import LinearModel
from worker.models.store import save
from worker.networks.store import NetworkStore

NAME = "efficientnet_lite0:block0_out+gap"


def networks(*arguments: str | Path, data: Path) -> subprocess.CompletedProcess[str]:
    variables = os.environ | {"INSERTS_DATA": str(data), "COLUMNS": "200"}
    del variables["INSERTS_NETWORKS"]  # a store of the test's own, in its data
    return run_command("insert-worker", "networks", *map(str, arguments), environment=variables, timeout=240)


def test_a_network_is_built_listed_verified_and_removed(tmp_path: Path) -> None:
    data = tmp_path / "line"
    # As a user starts it: TensorFlow has much to say, and none of it is ours.
    variables = os.environ | {"INSERTS_NETWORKS": str(data / "networks")}
    command = [program("insert-worker"), "networks", "build", NAME, "--json"]
    built = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=240)
    assert (built.returncode, built.stderr.strip()) == (0, "")
    manifest = json.loads(built.stdout)
    assert (manifest["layers"], manifest["arithmetic"]) == (["block0_out"], "float32")
    digest = manifest["digest"]

    # Another process with another pooling: the same file, and it stays as it is.
    again = networks("build", NAME.replace("gap", "max"), data=data)
    assert f"efficientnet_lite0:block0_out: kept as {digest[:12]}" in again.stdout
    assert json.loads(networks("list", "--json", data=data).stdout) == [manifest]
    table = networks("list", data=data).stdout
    assert "112×112×16" in table
    assert max(map(len, table.splitlines())) <= 80

    good = networks("verify", data=data)
    assert (good.returncode, good.stdout.strip()) == (0, f"{digest[:12]}  efficientnet_lite0:block0_out  ok")

    store = NetworkStore(str(data / "networks"))
    network = store.open(NAME)
    features = np.eye(2, network.feature_size, dtype=np.float32)
    model = save(
        data / "models" / "m",
        LinearModel(("damaged", "intact"), features[:1], np.zeros(1)),
        backbone=NAME,
        fingerprint=network.fingerprint,
        trained_on=2,
        settings={},
        metrics={},
        created_at=datetime.now(UTC),
        network=digest,
    )
    refused = networks("remove", digest[:8], data=data)
    assert (refused.returncode, model.model_id in refused.stderr) == (2, True)

    (data / "networks" / f"{digest}.tflite").write_bytes(b"hostile")
    bad = networks("verify", "--json", data=data)
    assert bad.returncode == 1
    told = json.loads(bad.stdout)
    assert (told["whole"], told["verified"][0]["name"]) == (False, "efficientnet_lite0:block0_out")
    assert "was changed since it was built" in told["verified"][0]["problem"]

    (data / "models" / "m" / "manifest.json").unlink()
    assert networks("remove", NAME, data=data).returncode == 0
    assert json.loads(networks("list", "--json", data=data).stdout) == []


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    for arguments, said in (
        (["build", "vgg16"], "names no network; write family:layer"),
        (["build", NAME, "--images", str(tmp_path)], f"write {NAME}+int8"),
        (["remove", NAME], "there is no network efficientnet_lite0:block0_out+gap"),
    ):
        done = networks(*arguments, data=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["vgg16:fc1", "--weights", "no-such-file.h5"], "no-such-file.h5"),
        (["mobilenet-0.25:conv1_relu"], "insert-worker weights import"),  # a small one: it is built first
        (["vgg17:fc1"], "vgg16"),
        (["vgg16:fc3"], "fc2"),
    ],
)
def test_without_its_weights_nothing_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], said: str
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")  # nobody listens there: a machine without a connection
    ended = networks("build", *options, data=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "networks").exists()

"""`insert-worker compare`, as a process, on drawn photographs."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import ImageFilter

from producer.simulation.head import labelled_images
from tests.cut_out_pictures import cut_out, saved
from tests.forked_commands import run_command
from tests.network_support import BACKBONE, OTHER_BACKBONE, built_networks, session_networks
from worker.networks.names import parse_network_name

COUNT = 36


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built_networks(tmp_path_factory)
    return session_networks(tmp_path_factory)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compare") / "bench"
    rows = []
    for number, (image, label) in enumerate(labelled_images(COUNT, 3, size=128)):
        path = folder / label / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(image)
        rows.append((f"{label}/{number}.jpg", f"{label}-{number // 6}"))
    with (folder / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("file", "insert"), *rows])
    return folder


def compare(networks: Path, output: Path, *options: str) -> subprocess.CompletedProcess[str]:
    arguments = ("compare", *options, "--repeats", "2", "--output", str(output))
    environment = os.environ | {"INSERTS_NETWORKS": str(networks)}
    return run_command("insert-worker", *arguments, environment=environment, timeout=280)


def test_backbones_are_compared_plain_and_by_insert(networks: Path, photographs: Path, tmp_path: Path) -> None:
    backbones = ("--backbone", BACKBONE, "--backbone", OTHER_BACKBONE)
    ended = compare(networks, tmp_path / "charts", str(photographs), *backbones, "--json")
    assert ended.returncode == 0, ended.stderr
    [dataset] = json.loads(ended.stdout)["datasets"]
    assert (dataset["name"], dataset["images"]) == ("bench", COUNT)
    assert 1 < dataset["groups"] < COUNT
    assert [row["backbone"] for row in dataset["backbones"]] == [BACKBONE, OTHER_BACKBONE]
    for row in dataset["backbones"]:
        assert row["seconds_per_image"] > 0
        assert row["megabytes"] > 20
        assert row["promise"]["inserts"] == dataset["groups"]
        for kind in ("plain", "grouped"):
            assert 0 <= row[kind]["balanced_accuracy"] <= 1
            assert [split["seed"] for split in row[kind]["splits"]] == [1, 2]
    assert {path.name for path in (tmp_path / "charts" / "bench").iterdir()} >= {"roc.png", "decided.png"}


def test_without_groups_it_says_so_and_has_plain_splits_alone(
    networks: Path, photographs: Path, tmp_path: Path
) -> None:
    (photographs / "labels.csv").rename(tmp_path / "labels.csv")
    options = ("--backbone", OTHER_BACKBONE, "--group-column", "setup")
    ended = compare(networks, tmp_path / "charts", str(photographs), *options)
    (tmp_path / "labels.csv").rename(photographs / "labels.csv")
    assert ended.returncode == 0, ended.stderr
    assert "labels.csv to take the groups from" in " ".join(ended.stderr.split())
    assert "nothing says which photographs show the same insert" in " ".join(ended.stderr.split())
    assert "plain splits" in ended.stdout
    assert "by insert" not in ended.stdout
    assert "more labelled inserts are missing to promise 1%" in " ".join(ended.stdout.split())
    assert "nothing to choose between" in " ".join(ended.stdout.split())


def test_what_was_cut_out_is_also_compared_along_the_edge_that_is_found(networks: Path, tmp_path: Path) -> None:
    for number in range(24):
        side = ("intact", "worn")[number % 2]
        image, _ = cut_out("an edge", seed=number)
        if side == "worn":
            image = image.filter(ImageFilter.GaussianBlur(1))
        path = tmp_path / "edges" / side / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(saved(image, "PNG"))
    backbones = ("--backbone", OTHER_BACKBONE, "--backbone", f"{OTHER_BACKBONE}+fg")  # one way along the edge
    ended = compare(networks, tmp_path / "charts", str(tmp_path / "edges"), *backbones, "--json")
    assert ended.returncode == 0, ended.stderr
    assert "cut out on black" in " ".join(ended.stderr.split())
    [dataset] = json.loads(ended.stdout)["datasets"]
    whole, _, along = dataset["backbones"]
    assert (whole["backbone"], along["backbone"]) == (
        OTHER_BACKBONE,
        str(parse_network_name(OTHER_BACKBONE).along_edge),
    )
    assert along["feature_size"] > whole["feature_size"]
    assert whole["fingerprint"] != along["fingerprint"]


def test_a_set_that_is_too_small_is_named_and_the_others_have_their_figures(
    networks: Path, photographs: Path, tmp_path: Path
) -> None:
    few = tmp_path / "few"
    for label, count in (("intact", 6), ("worn", 1)):
        (few / label).mkdir(parents=True)
        for photo in sorted((photographs / label).iterdir())[:count]:
            shutil.copy(photo, few / label)
    ended = compare(networks, tmp_path / "charts", str(few), "--backbone", OTHER_BACKBONE)
    assert ended.returncode == 2
    assert "few: " in " ".join(ended.stderr.split())
    ended = compare(networks, tmp_path / "charts", str(few), str(photographs), "--backbone", OTHER_BACKBONE, "--json")
    assert ended.returncode == 0, ended.stderr
    small, whole = (dataset["backbones"][0] for dataset in json.loads(ended.stdout)["datasets"])
    assert (small["plain"], small["grouped"], list(small["problems"])) == (None, None, ["plain"])
    assert "1 image" in small["problems"]["plain"]
    assert whole["plain"]["balanced_accuracy"] > 0
    assert whole["grouped"]["balanced_accuracy"] > 0
    ended = compare(networks, tmp_path / "charts", str(few), str(photographs), "--backbone", OTHER_BACKBONE)
    assert f"few, {OTHER_BACKBONE} by plain splits: no scores" in " ".join(ended.stdout.split())

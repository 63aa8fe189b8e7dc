from __future__ import annotations

import json
from pathlib import Path

import pytest

from worker.planning.measurements import FiguresMissing, name_of, read

PLAIN = (
    "cores",
    "image_bytes",
    "station_per_second",
    "redis_per_second",
    "redis_network_bytes",
    "aof_bytes",
    "event_bytes",
    "answer_bytes",
)


def kept(path: Path, **changes: object) -> Path:
    names = [name_of(figure) for figure in PLAIN]
    names += [name_of(figure, "vgg16:fc1") for figure in ("per_second", "single_seconds", "worker_bytes")]
    names += [
        name_of(figure, engine)
        for figure in ("database_per_second", "database_bytes")
        for engine in ("sqlite", "postgresql")
    ]
    values = {name: {"value": number + 1} for number, name in enumerate(names)} | changes
    path.write_text(json.dumps(values))
    return path


def test_each_figure_has_a_name_that_a_command_line_takes() -> None:
    assert name_of("cores") == "plan_cores"
    assert name_of("per_second", "mobilenet:conv_pw_12_relu+gap") == "plan_per_second_mobilenet_conv_pw_12_relu_gap"


def test_figures_are_those_of_the_backbone_and_what_is_given_counts(tmp_path: Path) -> None:
    path = kept(tmp_path / "bench.json")
    found = read(path, "vgg16:fc1", {})
    assert (found.worker.cores, found.image_bytes, found.worker.per_second) == (1, 2, 9)
    assert found.sqlite != found.postgresql
    given = read(path, "vgg16:fc1", {"per_second": 7.5, "image_bytes": 9e5})
    assert (given.worker.per_second, given.image_bytes, given.worker.cores) == (7.5, 9e5, 1)


@pytest.mark.parametrize("value", [None, "much", 0, -1, True, float("inf"), float("nan")])
def test_what_is_no_figure_is_taken_for_missing(tmp_path: Path, value: object) -> None:
    path = kept(tmp_path / "bench.json", plan_cores={"value": value})
    with pytest.raises(FiguresMissing, match=r"no figure plan_cores .*make bench NAMES=plan_\*"):
        read(path, "vgg16:fc1", {})


def test_a_backbone_that_was_not_measured_is_named_with_those_that_were(tmp_path: Path) -> None:
    path = kept(tmp_path / "bench.json")
    with pytest.raises(FiguresMissing, match=r"no figure plan_per_second_insertnet .*there: plan_per_second_vgg16_fc1"):
        read(path, "insertnet", {})


@pytest.mark.parametrize("text", ["no JSON", "[1]", "\udcff"])
def test_a_file_of_something_else_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bench.json"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(FiguresMissing, match="is no file of figures"):
        read(path, "insertnet", {})


def test_no_file_says_how_to_come_by_one(tmp_path: Path) -> None:
    with pytest.raises(FiguresMissing, match="measure this machine first"):
        read(tmp_path / "none.json", "insertnet", {})

"""What a person is told of a training, out of the evaluation that it left."""

from __future__ import annotations

import io
import shlex
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.main import get_command

import producer.commands.main
from worker.commands.training_summary import next_steps, scores, table, warnings


def score(mean: float, low: float | None = None, high: float | None = None) -> dict[str, Any]:
    return {"mean": mean, "low": low, "high": high, "splits": [mean, mean]}


def evaluation(intact: int = 40, worn: int = 40, inserts: int = 40, **changes: Any) -> dict[str, Any]:
    measured = {
        "balanced_accuracy": score(0.9, 0.85, 0.95),
        "recall_damaged": score(0.8, 0.7, 0.9),
        "accuracy": score(0.91),
        "calibration_error": score(0.05),
        "decided": score(0.75, 0.5, 0.9),
        "accuracy_decided": None,
        "missed": score(0.0),
    }
    kinds = {kind: {"candidate": {"scores": measured}, "champion": None} for kind in ("plain", "grouped")}
    return {
        "images": intact + worn,
        "inserts": inserts,
        "labels": {"intact": intact, "worn": worn},
        "evaluations": kinds,
        "problems": {},
        **changes,
    }


def test_the_table_has_intervals_and_what_is_left_to_a_person() -> None:
    console = Console(file=io.StringIO(), width=120)
    console.print(table(evaluation()))
    told = console.file.getvalue()  # type: ignore[attr-defined]
    assert "plain splits" in told
    assert "by insert" in told
    assert told.count("0.900 (0.850 … 0.950)") == 2
    assert told.count("0.250 (0.100 … 0.500)") == 2  # unsure: what is not decided
    assert next(line for line in told.splitlines() if "accuracy of what is decided" in line).count("–") == 2


def test_scores_by_insert_are_there_only_where_inserts_are_known() -> None:
    assert set(scores(evaluation())) == {"plain", "grouped"}
    alone = evaluation(inserts=80)
    assert set(scores(alone)) == {"plain"}
    assert any("nothing says which images show the same insert" in each for each in warnings(alone))
    assert warnings(evaluation()) == []


@pytest.mark.parametrize(
    ("intact", "worn", "told"),
    [(29, 40, "only 29 intact images"), (40, 12, "only 12 damaged images"), (5, 6, "only 5 intact and 6 damaged")],
)
def test_few_images_of_a_side_are_warned_about(intact: int, worn: int, told: str) -> None:
    said = warnings(evaluation(intact, worn, inserts=5))
    assert len(said) == 1
    assert said[0].startswith(told)


def test_scores_that_there_are_not_have_a_reason() -> None:
    found = evaluation(problems={"grouped": "each class needs images in at least two groups"})
    del found["evaluations"]["grouped"]
    assert set(scores(found)) == {"plain"}
    assert warnings(found) == ["no scores by insert: each class needs images in at least two groups"]


def test_the_check_to_do_next_lacks_no_option() -> None:
    steps = [shlex.split(command) for command, _ in next_steps("m-1", Path("var/line"), in_charge=True, champion=None)]
    ((_, *arguments),) = (step for step in steps if "check" in step)
    command = get_command(producer.commands.main.app).commands["check"]  # type: ignore[attr-defined]
    said = command.make_context("check", arguments[arguments.index("check") + 1 :]).params
    assert (said["machine"], said["head"], said["operation"]) == ("MACHINE", "HEAD", "OPERATION")


def test_what_to_do_next_depends_on_who_is_in_charge() -> None:
    def commands(**how: Any) -> str:
        return " ".join(command for command, _ in next_steps("m-1", Path("var/line"), **how))

    assert "models promote m-1" in commands(in_charge=False, champion="m-0")
    assert "rollback" in commands(in_charge=True, champion="m-0")
    assert "rollback" not in commands(in_charge=True, champion=None)
    assert "standalone" not in commands(in_charge=True, champion=None)
    assert "standalone --data var/line" in commands(in_charge=True, champion=None, line=False)

"""What is kept for how long stands in one place: `prune`, `plan` and the documents agree with it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from db.commands.prune import prune
from db.retention.days_kept import (
    DAYS_OF_FAULTS,
    DAYS_OF_IMAGES,
    DAYS_OF_SHADOWS,
    DAYS_OF_VERDICTS,
    mean_days_of_images,
)
from db.retention.policy import default_policy
from worker.commands import main
from worker.planning.plan import SHARE_DAMAGED

ROOT = Path(__file__).parents[4]
LOAD = ["plan", "--stations", "3", "--inserts", "30", "--every", "60", "--json"]


def planned(*options: str) -> dict[str, float]:
    figures = ["--figures", str(ROOT / "worker" / "planning" / "reference_figures.json")]
    said = CliRunner().invoke(main.app, [*LOAD, *figures, *options], env={"INSERTS_BACKBONE": None})
    assert said.exit_code == 0, said.output
    stores: dict[str, float] = json.loads(said.stdout)["plans"][0]["stores"]
    return stores


def test_prune_lets_go_by_these_numbers() -> None:
    now = datetime(2026, 11, 27, tzinfo=UTC)
    policy = default_policy(now)
    assert {outcome: (now - limit).days for outcome, limit in policy.images.items()} == DAYS_OF_IMAGES
    assert {(now - limit).days for limit in policy.verdicts.values()} == {DAYS_OF_VERDICTS}


def test_a_plan_takes_what_prune_leaves() -> None:
    stores = planned()
    assert stores["database"] == pytest.approx(DAYS_OF_VERDICTS * stores["database_per_day"])
    days = (1 - SHARE_DAMAGED) * DAYS_OF_IMAGES["intact"] + SHARE_DAMAGED * DAYS_OF_IMAGES["damaged"]
    assert stores["images"] == pytest.approx(days * stores["images_per_day"])


@pytest.mark.parametrize(("damaged", "outcome"), [("0", "intact"), ("1", "damaged")])
def test_damaged_inserts_are_kept_longer_in_a_plan_too(damaged: str, outcome: str) -> None:
    stores = planned("--damaged", damaged)
    assert stores["images"] == pytest.approx(DAYS_OF_IMAGES[outcome] * stores["images_per_day"])


def test_photographs_go_with_their_checks() -> None:
    assert mean_days_of_images(0.5, verdicts=30) == 30
    stores = planned("--keep-verdicts", "30")
    assert stores["images"] == pytest.approx(30 * stores["images_per_day"])


def test_who_says_otherwise_is_heard() -> None:
    stores = planned("--keep-images", "7", "--keep-verdicts", "10")
    assert stores["images"] == pytest.approx(7 * stores["images_per_day"])
    assert stores["database"] == pytest.approx(10 * stores["database_per_day"])


def test_help_and_documents_say_these_numbers() -> None:
    assert DAYS_OF_VERDICTS == 3 * 365
    numbers = [DAYS_OF_IMAGES["intact"], DAYS_OF_IMAGES["damaged"], DAYS_OF_SHADOWS]
    assert [int(each) for each in re.findall(r"after (\d+)(?! years)", prune.__doc__ or "")] == [*numbers]
    table = (ROOT / "docs" / "operations-database.md").read_text(encoding="utf-8")
    told = set(re.findall(r"older-than (\d+)d", table))
    assert told >= {str(each) for each in [*DAYS_OF_IMAGES.values(), DAYS_OF_VERDICTS, DAYS_OF_SHADOWS, DAYS_OF_FAULTS]}
    scaling = " ".join((ROOT / "docs" / "scaling.md").read_text(encoding="utf-8").split())
    assert f"photographs for {numbers[0]} days, those of damaged and unsure captures" in scaling
    assert f"for {numbers[1]}" in scaling

"""What the document says about commands, settings and figures is held against the code."""

from __future__ import annotations

import re
from pathlib import Path

from click import Group
from typer.main import get_command

import db.commands.main
import worker.commands.main
from db.learning.review_chances import SAMPLE_ONE_IN
from db.queries.review_queue import NEAR_SHARE
from worker.commands.training_summary import ENOUGH_IMAGES
from worker.evaluation.cross_validation import FEWEST_AT_A_PLACE
from worker.evaluation.promotion_rule import FEWEST_NEWEST, LEVEL, MARGINS
from worker.learning.evaluate import REPEATS
from worker.learning.lease import SECONDS
from worker.learning.retrain import FEWEST_IMAGES, FEWEST_INSERTS, FEWEST_UNATTENDED
from worker.line.active_models import LOOK_EVERY
from worker.models.calibration import BINS
from worker.models.candidate import FEWEST_KINDS
from worker.models.costs import Costs
from worker.models.solver import GRAM_ROWS, PRIMAL_COLUMNS, WIDEST_GRAM_ROWS
from worker.models.unsure_band import band
from worker.settings import WorkerSettings

TEXT = " ".join((Path(__file__).parents[2] / "docs" / "learning.md").read_text(encoding="utf-8").split())


def test_every_command_that_it_names_is_there() -> None:
    for program, app in (("insert-worker", worker.commands.main.app), ("insert-db", db.commands.main.app)):
        named = re.findall(program + r" ([a-z][a-z-]*)(?: ([a-z-]+))?", TEXT)
        assert len(named) >= 3
        for command, sub in named:
            found = get_command(app).commands.get(command)  # type: ignore[attr-defined]
            assert found is not None, f"{program} {command}"
            if isinstance(found, Group):
                assert sub in found.commands, f"{program} {command} {sub}"


def test_every_setting_that_it_names_has_the_default_that_it_names() -> None:
    named = dict(re.findall(r"`INSERTS_([A-Z_]+)`(?:, (?=\d)| \(| \| )?(\d+)?", TEXT))
    assert len(named) == 12
    for name, told in named.items():
        field = WorkerSettings.model_fields[name.lower()]
        assert float(told) == field.default, name


def test_the_band_of_the_default_costs_is_the_one_that_it_works_out() -> None:
    found = band(Costs())
    assert f"below 1/20 = {found.lower:.2f}" in TEXT
    assert f"from 1 − 1/5 = {found.upper:.2f} on" in TEXT
    assert f"at 5/25 = {found.threshold:.2f}" in TEXT


def test_its_figures_are_those_of_the_code() -> None:
    assert (NEAR_SHARE, SAMPLE_ONE_IN) == (0.1, 20)
    assert "the tenth of each model's" in TEXT
    assert "one in twenty" in TEXT
    assert (FEWEST_IMAGES, FEWEST_INSERTS, FEWEST_UNATTENDED, ENOUGH_IMAGES) == (5, 3, 5, 30)
    assert "five usable images of each class (intact, damaged), of three inserts each" in TEXT
    assert "below thirty images of a class" in TEXT
    assert (FEWEST_KINDS, FEWEST_AT_A_PLACE, FEWEST_NEWEST) == (30, 30, 10)
    assert "five intact and five damaged" in TEXT
    assert "thirty images each" in TEXT
    assert "thirty images or more" in TEXT
    assert "With ten of each class" in TEXT
    assert (REPEATS, BINS) == (10, 10)
    assert "ten repeated 70/30 splits" in TEXT
    assert "over ten bins" in TEXT
    assert f"one-sided at {LEVEL}" in TEXT
    assert MARGINS["balanced_accuracy"] == MARGINS["recall_damaged"]
    assert f"worse by more than {MARGINS['recall_damaged']}" in TEXT
    assert f"Up to {GRAM_ROWS:,} images ({WIDEST_GRAM_ROWS:,} where there are more than {PRIMAL_COLUMNS:,}" in TEXT
    assert f"lasts {SECONDS:.0f} s" in TEXT
    assert LOOK_EVERY == 2.0
    assert "every two seconds" in TEXT

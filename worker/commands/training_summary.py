"""What a training comes to, for a person: a table of its scores, what to be wary of, and what to do next.

Everything is read from the `evaluation.json` that the evaluation left, so that it can be printed again at any time.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from producer.terminal.programs import as_typed
from worker.evaluation.split_words import HEADS

ENOUGH_IMAGES: Final = 30
"""Images of each side below which scores and probabilities are said to be rough."""

_ROWS: Final = (
    ("balanced accuracy", "balanced_accuracy"),
    ("damaged found (recall)", "recall_damaged"),
    ("accuracy", "accuracy"),
    ("calibration error", "calibration_error"),
    ("unsure: a person looks", "unsure"),
    ("accuracy of what is decided", "accuracy_decided"),
    ("damaged called intact", "missed"),
)


def knows_inserts(evaluation: Mapping[str, Any]) -> bool:
    """Whether any two of the images are known to show the same insert."""
    return bool(evaluation["inserts"] < evaluation["images"])


def scores(evaluation: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The scores of the model by kind of split (`plain`, `grouped`), each with `mean`, and `low` and `high` or None.

    Grouped ones are there only where inserts are known; `unsure` is the share that a person has to look at.
    """
    kinds = ["plain", "grouped"] if knows_inserts(evaluation) else ["plain"]
    by_kind = {}
    for kind in kinds:
        if kind in evaluation["evaluations"]:
            measured = evaluation["evaluations"][kind]["candidate"]["scores"]
            wanted = {name: measured.get(name) for _, name in _ROWS if name != "unsure"}
            by_kind[kind] = wanted | {"unsure": _complement(measured.get("decided"))}
    return by_kind


def table(evaluation: Mapping[str, Any]) -> Table:
    """The scores: mean and 95 % interval over the splits."""
    measured = scores(evaluation)
    shown = Table("mean (95 % interval)", *(head for kind, head in HEADS.items() if kind in measured))
    for title, name in _ROWS:
        shown.add_row(title, *(_figure(measured[kind][name]) for kind in measured))
    return shown


def warnings(evaluation: Mapping[str, Any]) -> list[str]:
    """Sentences about what the scores do not say, the gravest first."""
    sentences = []
    intact = evaluation["labels"].get("intact", 0)
    sides = {"intact": intact, "damaged": evaluation["images"] - intact}
    if few := {name: count for name, count in sides.items() if count < ENOUGH_IMAGES}:
        counts = " and ".join(f"{count} {name}" for name, count in few.items())
        sentences.append(
            f"only {counts} images: below {ENOUGH_IMAGES} of a side, scores and probabilities are rough; label more"
        )
    if not knows_inserts(evaluation):
        sentences.append(
            "nothing says which images show the same insert; if some do, these scores flatter (a labels.csv with the "
            "columns file and insert tells); the splits by insert that the rule goes by take each for its own insert"
        )
    for kind, problem in evaluation["problems"].items():
        sentences.append(f"no scores {'by insert' if kind == 'grouped' else 'of plain splits'}: {problem}")
    return sentences


def next_steps(
    model: str, data: Path, *, in_charge: bool, champion: str | None, line: bool = True
) -> list[tuple[str, str]]:
    """Commands, each with what it is for; a word in capitals is to be filled in.

    Args:
        model: the candidate.
        data: the folder of the line's data.
        in_charge: whether it was promoted.
        champion: the model that it was measured beside.
        line: whether the folder's line is there, or one elsewhere is named.
    """
    station, database, worker = (as_typed(f"insert-{name}") for name in ("station", "db", "worker"))
    here = f"--data {shlex.quote(str(data))}"
    review = (f"{database} {here} review", "label what it is unsure of: from that the next model learns most")
    if in_charge:
        start = [] if line else [(f"{worker} standalone {here}", "a line on this machine, which judges by it")]
        place = "--machine MACHINE --head HEAD --operation OPERATION"
        check = (
            f"{station} {here} check FOLDER {place}",
            "a head judged by it, with your own words for the capitals; workers take the model within seconds",
        )
        back = (f'{worker} models rollback {here} --why "…"', "the model before it in charge again")
        return [*start, check, review] if champion in (None, model) else [*start, check, review, back]
    return [review, (f'{worker} models promote {model} {here} --why "…"', "put it in charge all the same")]


def _complement(score: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """1 minus a share, with its interval turned round."""
    if score is None:
        return None
    low, high = score["low"], score["high"]
    return {
        "mean": 1 - score["mean"],
        "low": None if high is None else 1 - high,
        "high": None if low is None else 1 - low,
        "splits": [1 - value for value in score["splits"]],
    }


def _figure(score: Mapping[str, Any] | None) -> str:
    if score is None:
        return "–"
    if score["low"] is None:
        return f"{score['mean']:.3f}"
    return f"{score['mean']:.3f} ({score['low']:.3f} … {score['high']:.3f})"

"""What a comparison of backbones comes to: JSON for programs, tables and a sentence of advice for people, charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from db.schema.column_words import SplitKind
from worker.evaluation.backbone_scores import BackboneScores, Measured, no_worse
from worker.evaluation.charts import curves
from worker.evaluation.drawing import PALETTE
from worker.evaluation.scores import Interval
from worker.evaluation.split_words import HEADS
from worker.models.costs import Costs

_ROWS: Final = (
    ("balanced accuracy", "balanced_accuracy"),
    ("area under the ROC curve", "auc"),
    ("damaged found (recall)", "recall_damaged"),
    ("Brier score (0 is best)", "brier"),
)
AS_GOOD: Final = 0.01
"""Balanced accuracies that differ by no more are as good as each other."""


def deciding(measured: Sequence[Measured]) -> SplitKind:
    """Return the kind of split that the choice rests on: grouped where all have it, since plain ones flatter."""
    return "grouped" if all("grouped" in one for one in measured if one) else "plain"


def score_table(name: str, measured: Mapping[str, Measured]) -> Table:
    """Return the scores on one labelled set, a column for each backbone: mean and 95 % interval over the splits."""
    table = Table(name, *(short_names(list(measured)).values()))
    for kind, head in HEADS.items():
        if not any(kind in one for one in measured.values()):
            continue
        table.add_section()
        table.add_row(Text(head, style="bold"))
        scores = [one.get(kind) for one in measured.values()]
        for title, score in _ROWS:
            table.add_row(title, *("–" if one is None else _figure(one.interval(score)) for one in scores))
        table.add_row("calibration slope (1 is right)", *("–" if one is None else f"{one.slope:.2f}" for one in scores))
        for accuracy in (0.95, 0.99):
            shares = ["–" if one is None else _figure(one.decided[accuracy]) for one in scores]
            table.add_row(f"decided at {accuracy:.0%}", *shares)
    return table


def short_names(backbones: Sequence[str]) -> dict[str, str]:
    """Return a name for each that fits into a table's head: its family, whether it finds the edge, and its arithmetic.

    Where two agree they have a number. A backbone of one layer keeps its whole name.
    """
    short = {name: name if "," not in name else name.partition(":")[0] + _ending(name) for name in backbones}
    shared = [name for name in backbones if list(short.values()).count(short[name]) > 1]
    return {name: f"{short[name]} ({shared.index(name) + 1})" if name in shared else short[name] for name in backbones}


def advice(scores: Mapping[str, Sequence[Measured]], seconds: Mapping[str, float]) -> str:
    """Return a plain sentence: which backbone to take, and why.

    Of those that none beats beyond chance on any set, and whose balanced accuracy is within `AS_GOOD` of the best one's
    (the mean over the sets), the fastest is advised: few photographs beat nothing beyond chance, so that alone would
    advise what is fast. `scores` has for each backbone its results on the same sets, `seconds` what one photograph
    takes. A set that is too small for any scores has none.
    """
    scores = {name: [one for one in sets if one] for name, sets in scores.items()}
    kind = deciding([one for sets in scores.values() for one in sets])
    measured = {name: [one[kind].cross_validation for one in sets] for name, sets in scores.items()}
    if len(scores) == 1:
        (only,) = scores
        return f"There is nothing to choose between: compare {only} with others by giving --backbone again."
    equals = no_worse(measured)
    accuracy = {name: _balanced_accuracy([one[kind] for one in scores[name]]) for name in equals}
    good = [name for name in equals if accuracy[name] >= max(accuracy.values()) - AS_GOOD]
    chosen = min(good, key=lambda name: seconds[name])
    splits = "by insert" if kind == "grouped" else "by plain splits"
    if len(equals) == 1:
        return f"Take {chosen}: {splits} it tells intact from damaged better than the others, beyond chance."
    others = ", ".join(name for name in equals if name != chosen)
    return (
        f"Take {chosen}: {splits} these photographs cannot tell it from {others} beyond chance. Its balanced accuracy, "
        f"{accuracy[chosen]:.3f}, is the best or within {AS_GOOD:g} of it"
        + (f", and of such it is the fastest ({seconds[chosen] * 1000:.0f} ms a photograph)." if len(good) > 1 else ".")
    )


def _balanced_accuracy(sets: Sequence[BackboneScores]) -> float:
    means = [score.mean for one in sets if (score := one.interval("balanced_accuracy")) is not None]
    return sum(means) / len(means) if means else 0.0


def comparison_figures(measured: Mapping[str, Measured]) -> dict[str, bytes]:
    """Return file name → PNG for one labelled set: a curve for each backbone, by the kind of split that decides.

    There are as many as there are colours, the first ones.
    """
    kind = deciding(list(measured.values()))
    names = short_names(list(measured))
    shown = {names[name]: one[kind] for name, one in list(measured.items())[: len(PALETTE)]}
    series = {name: scores.cross_validation for name, scores in shown.items()}
    return curves(series, {name: scores.predictions for name, scores in shown.items()}, Costs())


def measured_json(measured: Measured, problems: Mapping[SplitKind, str]) -> dict[str, Any]:
    """Return the scores by kind of split for programs; null for a missing kind, of which `problems` may say why."""
    values: dict[str, Any] = {kind: measured[kind].as_json() if kind in measured else None for kind in HEADS}
    return values | {"problems": dict(problems)}


def _ending(name: str) -> str:
    rest = name.removesuffix("+int8")
    return (", the edge found by itself" if rest.endswith("+edge") else "") + (" int8" if rest != name else "")


def _figure(score: Interval | None) -> str:
    return "–" if score is None else f"{score.mean:.3f} ({score.low:.3f} … {score.high:.3f})"

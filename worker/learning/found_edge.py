"""Whether a line learns along the edge of cut-outs, found by itself: chosen by cross-validation, and kept to.

It is chosen when a folder of cut-outs is trained on and tells its classes better so, beyond chance. From then on the
champion says it: a line whose champion looks along the edge of the backbone that its settings name goes on with that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from db.engine.database import Database
from db.learning import model_registry
from worker.evaluation.backbone_scores import no_worse
from worker.evaluation.comparison_report import deciding
from worker.evaluation.splits import EvaluationError
from worker.learning.backbone_comparison import compare_on, compared_set, mostly_cut_out
from worker.learning.folder_import import Photographs
from worker.models.candidate import CandidateError
from worker.networks.names import parse_network_name
from worker.runtime.progress import Progress
from worker.settings import WorkerSettings

REPEATS: Final = 10
MOST_PHOTOGRAPHS: Final = 2_000
"""Photographs of a folder up to which both ways are tried: more take more than some minutes."""


@dataclass(frozen=True)
class Choice:
    """The backbone to learn on, and why, in a sentence."""

    backbone: str
    reason: str


def backbone_in_use(backbone: str, database: Database) -> str:
    """Return `backbone`, or its way along the edge where that is what the champion looks along."""
    along = parse_network_name(backbone).along_edge
    if along is None:
        return backbone
    with database.reading() as session:
        champion = model_registry.champion(session)
    return str(along) if champion is not None and champion.backbone == str(along) else backbone


def choose(photographs: Photographs, settings: WorkerSettings, database: Database, progress: Progress) -> Choice | None:
    """Compare both ways of looking; None where inserts were not cut out, or there is too little to compare or too much.

    None too where there is no other way, or the champion looks along the edge already.

    Raises:
        As `worker.learning.backbone_comparison.compare_on` does.
    """
    along = parse_network_name(settings.backbone).along_edge
    if along is None or backbone_in_use(settings.backbone, database) == str(along):
        return None
    if len(photographs.photos) > MOST_PHOTOGRAPHS or not mostly_cut_out(photographs.photos):
        return None
    one = compared_set("cut-outs", photographs)
    ways = [settings, settings.model_copy(update={"backbone": str(along)})]
    try:
        measured = [compare_on([one], way, repeats=REPEATS, progress=progress)[0].measured for way in ways]
    except (CandidateError, EvaluationError):
        return None
    kind = deciding(measured)
    whole, edge = (scores[kind].cross_validation for scores in measured)
    chosen = no_worse({settings.backbone: [whole], str(along): [edge]}) == [str(along)]
    means = [float(sum(scores.values("balanced_accuracy")) / len(scores.splits)) for scores in (edge, whole)]
    return Choice(
        str(along) if chosen else settings.backbone,
        "most of these inserts were cut out on black: along their lower contour, the edge, the balanced accuracy is "
        f"{means[0]:.3f}, of the whole photographs {means[1]:.3f}, so it learns "
        + ("along the edge" if chosen else "from the whole: that is no better beyond chance"),
    )

"""Adds evidence to a judgement. Intact verdicts have none: they are nearly all, and their evidence is not needed."""

from __future__ import annotations

from dataclasses import replace

from worker.models.evidence import evidence_map
from worker.models.line_model import INTACT, Judgement
from worker.models.registry import ActiveModel
from worker.networks.loaded_network import Seen


def gives_evidence(model: ActiveModel) -> bool:
    """Whether a model's decisions can be traced back to places: it knows what is usual, and its features have some."""
    return model.model.usual is not None and model.network.has_places


def explained(judgement: Judgement, model: ActiveModel, seen: Seen | None) -> Judgement:
    """Return a judgement with its evidence, where it is a decision that is not `intact`.

    `seen` is what there is of the image that was judged, as of a network's `features_and_maps`.
    """
    usual = model.model.usual
    if seen is None or usual is None or judgement.decision is None or judgement.outcome == INTACT:
        return judgement
    evidence = evidence_map(model.model.classifier.coef[0], usual, model.network.outputs, seen.maps, seen.foreground)
    return replace(judgement, evidence=evidence.packed())

"""What is known about a model, in words: for `insert-worker models show`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from producer.terminal.counts import counted

if TYPE_CHECKING:
    from db.learning.model_registry import Model
    from worker.models.costs import Costs
    from worker.models.manifest import ModelManifest
    from worker.models.unsure_band import Band

_CUTS: Final = {"polygon": "to a polygon", "edge": "to the strip along an edge"}


def looks_at(backbone: str) -> str:
    """What the model sees of a photograph without a declared region."""
    if "+edge" in backbone:
        return "the strip along the lower contour of a cut-out, found by itself; unsure where there is none"
    return "all of a photograph, or its region"


def learned_from(labelled: Any) -> str:
    """What a model learned from, by its metrics' `labelled_set`."""
    labels = ", ".join(f"{count} {label}" for label, count in labelled["labels"].items())
    forms = labelled.get("forms") or {}
    cuts = "".join(f", {forms[form]} cut {cut}" for form, cut in _CUTS.items() if form in forms)
    return f"{counted(labelled['images'], 'image')} of {counted(labelled['inserts'], 'insert')}: {labels}{cuts}"


def band(limits: Band, costs: Costs | None) -> str:
    """Where the model decides, and whether that is less than the costs ask for."""
    from worker.models import unsure_band

    intact = f"intact below {limits.lower:.3f}" if limits.lower else "nothing is intact"
    damaged = f"damaged from {limits.upper:.3f} on" if limits.upper < 1 else "nothing is damaged"
    sentence = f"{intact}, {damaged}, unsure between"
    wanted = None if costs is None else unsure_band.band(costs)
    if wanted is None or wanted == limits:
        return sentence
    return (
        f"{sentence}; the costs ask for {wanted.lower:.3f} and {wanted.upper:.3f}, which the labels do not support yet"
    )


def heads(model: Model) -> str:
    """The heads of the line that the model learned from."""
    from db.learning.learnt_heads import learnt_heads

    heads = learnt_heads(model)
    if heads is None:
        return "it is not known which it has learned from"
    return ", ".join(f"{machine} {head}" for machine, head in sorted(heads)) or "none of the line"


def novelty(manifest: ModelManifest) -> str:
    """What the model takes for unlike anything learnt."""
    novelty = manifest.novelty
    if novelty is None:
        return "none: it takes no photograph for unlike what it learnt from; the next training makes a model that does"
    return (
        f"unsure where a photograph is farther than {novelty.limit:.3f} from its nearest of {novelty.kept} learnt "
        f"ones, as some {novelty.false_alarms:.1%} of photographs like these are"
    )

"""`insert-worker explain`: where a verdict came from, drawn over its photograph and in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from producer.contract.places import PocketPlace
from producer.contract.vocabulary import DECIDED
from producer.terminal.exit_codes import NO
from producer.terminal.options import LARGEST, Data, Json
from producer.terminal.output import say, say_json
from worker.commands.options import settings_with

if TYPE_CHECKING:
    from PIL import Image

    from db.engine.database import Database
    from db.evidence.evidence_map import EvidenceMap
    from db.learning.model_registry import Model
    from db.line.captures import Capture
    from db.line.verdicts import Verdict
    from producer.storage.store import ImageStore
    from worker.learning.neighbours import Neighbour
    from worker.settings import WorkerSettings


def explain(
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="CAPTURE | MACHINE HEAD POCKET",
            help="A capture's id, from `insert-db verdicts --json`, or a pocket, for its newest verdict.",
        ),
    ],
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The picture, a PNG file. [default: explain-CAPTURE.png]")
    ] = None,
    neighbours: Annotated[
        bool, typer.Option("--neighbours", help="Add the most similar photographs that the model learned from.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show where a verdict came from: which parts of the photograph spoke for damage, and which for intact.

    It draws the verdict's map over the photograph: orange speaks for damage, blue for intact, and a frame marks the
    strongest place. The map shows where the decision came from, which need not be where the damage is. An intact
    verdict has no map, and neither has a verdict that no model gave.

    With `--neighbours`, the picture also shows the most similar intact and damaged photographs that the model learned
    from. It reads them where the learner keeps its features.

    Exit codes: 0: the picture is written. 1: the verdict has no map, so there is no picture. 2: there is no such
    capture or pocket, it has no verdict yet, or its photograph is gone.

    Examples:

    - `insert-worker explain mill-1 H12 7`
    - `insert-worker explain 019f3c1e-8a52-7c1b-9d5e-0a1b2c3d4e5f`
    - `insert-worker explain 019f3c1e-8a52-7c1b-9d5e-0a1b2c3d4e5f --neighbours --output why.png`
    """
    from db.engine.database import Database
    from producer.files.durable_files import replaced_file

    meant = _meant(what)
    settings = settings_with(data=data)
    database = Database(settings.url, reads_only=True)
    try:
        database.check_schema()
        capture = _capture(database, meant)
        case = _case(settings, database, capture, neighbours)
    finally:
        database.close()
    sentences = _sentences(case)
    picture = output or Path(f"explain-{capture}.png")
    if case.picture is not None:
        with replaced_file(picture) as part:
            case.picture.save(part, "PNG")
        sentences.append(f"picture: {picture}")
    if as_json:
        say_json(_as_json(case, picture))
    else:
        say("\n".join(sentences))
    if case.picture is None:
        raise typer.Exit(NO)


def _meant(what: Sequence[str]) -> UUID | PocketPlace:
    """A capture's id, or a machine, a head and a pocket."""
    if len(what) == 1:
        try:
            return UUID(what[0])
        except ValueError:
            raise ValueError(f"{what[0]} is no capture's id: give one, or MACHINE HEAD POCKET") from None
    if len(what) != 3 or not (what[2].isascii() and what[2].isdigit()):
        raise ValueError("give a capture's id, or MACHINE HEAD POCKET, like mill-1 H12 7")
    machine, head, pocket = what
    if len(pocket) > len(str(LARGEST)) or not 1 <= int(pocket) <= LARGEST:
        raise typer.BadParameter(f"no head has a pocket {pocket[:20]}", param_hint="POCKET")
    return PocketPlace(machine, head, int(pocket))


def _capture(database: Database, meant: UUID | PocketPlace) -> UUID:
    """The capture's id; of a pocket, that of the newest capture with a verdict."""
    if isinstance(meant, UUID):
        return meant
    from db.queries import pocket_history

    machine, head, pocket = meant
    with database.reading() as session:
        rows = pocket_history.of_pocket(session, machine, head, pocket, limit=50)
    judged = [row.capture_id for row in rows if row.outcome is not None]
    if not judged:
        raise ValueError(f"machine {machine}, head {head}, pocket {pocket} has no verdict")
    return judged[0]


@dataclass(frozen=True, eq=False)
class _Case:
    """A verdict with all that there is to show of it."""

    capture: Capture
    verdict: Verdict
    evidence: EvidenceMap | None
    neighbours: list[Neighbour]
    picture: Image.Image | None


def _case(settings: WorkerSettings, database: Database, capture_id: UUID, with_neighbours: bool) -> _Case:
    from db.console.photographs.resizing import shown
    from db.evidence.evidence_map import unpacked
    from db.learning import model_registry
    from db.line import captures, verdicts

    with database.reading() as session:
        capture, verdict = captures.find(session, capture_id), verdicts.current(session, capture_id)
        model = model_registry.find(session, verdict.model_id) if verdict and verdict.model_id else None
    if capture is None:
        raise ValueError(f"there is no capture {capture_id}")
    if verdict is None:
        raise ValueError(f"capture {capture_id} has no verdict yet")
    evidence = None if verdict.evidence is None else unpacked(verdict.evidence)
    if evidence is None and not with_neighbours:
        return _Case(capture, verdict, None, [], None)
    data = _photograph(settings.image_store(), capture)
    picture = shown(data, "large", capture.region, evidence)
    if not with_neighbours:
        return _Case(capture, verdict, evidence, [], picture)
    if model is None:
        raise ValueError(f"no model judged capture {capture_id}, so it has no neighbours")
    from worker.commands.explain_picture import with_row

    nearest = _nearest(settings, database, model, capture, data)
    return _Case(capture, verdict, evidence, nearest, with_row(picture, nearest, settings.image_store()))


def _photograph(images: ImageStore, capture: Capture) -> bytes:
    from db.line.photographs import MARK
    from producer.pictures.limits import MAX_IMAGE_BYTES
    from producer.storage.captured_image import captured_image
    from producer.storage.store import ImageMissing

    if capture.image.startswith(MARK):
        raise ValueError("the photograph was removed, as old ones are (see `insert-db prune --help`)")
    try:
        return captured_image(images, capture.image, capture.image_sha256, MAX_IMAGE_BYTES)
    except ImageMissing:
        raise ValueError(f"the photograph {capture.image} is not in the image store") from None


def _nearest(
    settings: WorkerSettings, database: Database, model: Model, capture: Capture, data: bytes
) -> list[Neighbour]:
    from worker.images.decoding import decode
    from worker.images.region_cut import stored_cut
    from worker.learning.neighbours import Learnt
    from worker.models.registry import load_for_line
    from worker.networks.store import NetworkStore

    with Learnt(database, settings.features_path(), model) as learnt:
        vector = learnt.features_of(capture)
        if vector is None:
            network = load_for_line(model, settings.models_path(), NetworkStore(settings.networks_root())).network
            vector = network.features_of([decode(data, network.input_size, stored_cut(capture.region))])[0]
        return learnt.nearest(vector, capture)


def _sentences(case: _Case) -> list[str]:
    capture, verdict = case.capture, case.verdict
    label = f" ({verdict.label})" if verdict.label else ""
    probability = "" if verdict.probability is None else f", probability of damage {verdict.probability:.3f}"
    model = f", by {verdict.model_id}" if verdict.model_id else ""
    lines = [
        f"{capture.machine} · {capture.head} · pocket {capture.pocket}, after {capture.operation}",
        f"{verdict.outcome}{label}{probability}{model}",
    ]
    if verdict.reason:
        lines.append(verdict.reason)
    lines += [_without(verdict)] if case.evidence is None else _evidence_lines(case.evidence, verdict)
    for side in DECIDED:
        near = [neighbour for neighbour in case.neighbours if neighbour.side == side]
        if near:
            neighbours_in_words = "; ".join(
                f"{neighbour.item.image} ({neighbour.item.label}), {neighbour.distance:.1f}" for neighbour in near
            )
            lines.append(f"nearest learnt {side}: {neighbours_in_words}")
    return lines


def _without(verdict: Verdict) -> str:
    if verdict.outcome == "intact":
        return "no map: of an intact verdict none is kept"
    if verdict.decision is None:
        return "no map: no model decided this"
    return (
        "no map was kept: the verdict is older than such maps, or its model is, or the model's features are of no "
        "places in the photograph (vgg16:fc1); a model that is trained now keeps them"
    )


def _evidence_lines(evidence: EvidenceMap, verdict: Verdict) -> Iterator[str]:
    import numpy as np

    shares, decision = evidence.shares, verdict.decision or 0.0
    damage, intact = float(shares[shares > 0].sum()), float(shares[shares < 0].sum())
    yield (
        f"decision {decision:+.3f}: a usual intact insert has {decision - damage - intact:+.3f}, what is seen adds "
        f"{damage:+.3f} for damage and {intact:+.3f} for intact"
    )
    if damage == 0:
        yield "nothing in the photograph speaks for damage more than usual"
        return
    descending = np.sort(shares[shares > 0])[::-1]
    half = int(np.searchsorted(np.cumsum(descending), damage / 2)) + 1
    rows, columns = shares.shape
    row, column = evidence.strongest()
    place = _place((row + 0.5) / rows, (column + 0.5) / columns)
    yield (
        f"most speaks for damage {place}: {descending[0] / damage:.0%} of it in one cell of {rows} × {columns}, "
        f"half of it in {half}"
    )


def _place(down: float, right: float) -> str:
    vertical = ("upper", "middle", "lower")[int(down * 3)]
    horizontal = ("left", "centre", "right")[int(right * 3)]
    return "in the middle" if (vertical, horizontal) == ("middle", "centre") else f"at the {vertical} {horizontal}"


def _as_json(case: _Case, picture: Path) -> dict[str, Any]:
    verdict, evidence = case.verdict, case.evidence
    values: dict[str, Any] = {
        "capture_id": str(case.capture.capture_id),
        **{
            name: getattr(verdict, name)
            for name in ("outcome", "label", "reason", "decision", "probability", "model_id")
        },
        "evidence": None,
        "picture": None if case.picture is None else str(picture),
        "neighbours": [
            {
                "capture_id": str(neighbour.item.capture_id),
                "side": neighbour.side,
                "label": neighbour.item.label,
                "image": neighbour.item.image,
                "distance": neighbour.distance,
            }
            for neighbour in case.neighbours
        ],
    }
    if evidence is not None:
        row, column = evidence.strongest()
        shares = [[round(share, 6) for share in line] for line in evidence.shares.tolist()]
        values["evidence"] = {"shares": shares, "strongest": {"row": row, "column": column}}
    return values

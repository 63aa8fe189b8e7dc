"""How often a map of evidence points at drawn damage: `python -m benchmarks.pointing_game PHOTOGRAPHS ANNOTATIONS`.

PHOTOGRAPHS has a sub-folder for each class and `labels.csv` (`file`, `label`, `insert`), ANNOTATIONS a file of LabelMe
for each damaged photograph, `NAME.json`, with the damage as polygons. Made for the ball screws of 2Obe/BSData, whose
repository has both. Where they are not there it says so and measures nothing.

Five folds by insert: of each held-out damaged photograph that the model finds, does the cell that speaks for damage
most lie inside the drawn damage, or beside a cell of it? Beside that stand what chance would hit, and what else was
tried (the pointing game of Zhang et al. 2016, "Top-down neural attention by excitation backprop").
"""

from __future__ import annotations

import argparse
import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedGroupKFold

from benchmarks.networks import network
from db.evidence.evidence_map import EvidenceMap
from producer.runtime.arrays import BoolArray, Float32Array, Float64Array
from worker.images.decoding import decode
from worker.models.candidate import binary, fit_candidate
from worker.models.costs import Costs
from worker.models.evidence import evidence_map
from worker.networks.default_backbone import DEFAULT_BACKBONE
from worker.networks.grids import spread
from worker.networks.names import Output, pooled_size
from worker.networks.pooling import pooled

FOLDS = 5
LARGE = 0.003
"""The share of a photograph from which damage counts as large."""

KEPT = "the map that is kept"
EXTREMES = "largest and smallest values alone"

Maps = Sequence[Float32Array]


def drawn(annotation: Path) -> BoolArray:
    """The pixels (height, width) of the damage that somebody drew."""
    content = json.loads(annotation.read_text("utf-8"))
    image = Image.new("1", (content["imageWidth"], content["imageHeight"]))
    for shape in content["shapes"]:
        corners = [(x, y) for x, y in shape["points"]]
        if len(corners) > 2:
            ImageDraw.Draw(image).polygon(corners, fill=1, outline=1)
    return np.asarray(image, bool)


def cells_of(pixels: BoolArray, shape: tuple[int, int]) -> BoolArray:
    """The cells of a grid over an image that have some of its pixels."""
    cells = np.zeros(shape, bool)
    rows, columns = np.nonzero(pixels)
    cells[rows * shape[0] // pixels.shape[0], columns * shape[1] // pixels.shape[1]] = True
    return cells


def around(cells: Any) -> Any:
    """For each cell the sum over it and its eight neighbours."""
    rows, columns = cells.shape
    padded = np.pad(cells.astype(float), 1)
    return sum(padded[down : down + rows, right : right + columns] for down in range(3) for right in range(3))


def inner(size: tuple[int, int]) -> BoolArray:
    """The pixels of an image without a seventh of it on each side: whole cells of every layer of the default."""
    pixels = np.zeros(size, bool)
    rows, columns = (side // 7 for side in size)
    pixels[rows:-rows, columns:-columns] = True
    return pixels


def exact_maps(
    coef: Float32Array, usual: Float32Array, outputs: Sequence[Output], maps: Maps, foreground: BoolArray | None = None
) -> dict[str, Float64Array]:
    """The map that is kept, and what some of the features alone have of it."""
    layers, extremes = [], []
    for output, layer in zip(outputs, maps, strict=True):
        for pooling in output.poolings:
            layers += [output.layer] * pooled_size(layer.shape, pooling)
            extremes += [pooling.endswith(("max", "min"))] * pooled_size(layer.shape, pooling)
    of, extreme = np.array(layers), np.array(extremes)
    chosen = {
        KEPT: np.ones(len(of), bool),
        "averages alone": ~extreme,
        EXTREMES: extreme,
        "without the last layer": of != outputs[-1].layer,
        f"{EXTREMES}, without the last layer": extreme & (of != outputs[-1].layer),
        **{f"{output.layer} alone": of == output.layer for output in outputs},
    }
    return {
        name: evidence_map(np.where(some, coef, 0), usual, outputs, maps, foreground).shares
        for name, some in chosen.items()
    }


def maps_tried(
    exact: dict[str, Float64Array], varies: dict[str, Float64Array], maps: Maps, own: Maps | None
) -> Iterator[tuple[str, Float64Array]]:
    """The exact maps, and what else was tried.

    `varies` says by how much each cell of them varies on intact photographs; `own` are the mean maps of the same place
    while it was intact.
    """
    kept = exact[KEPT]
    yield from exact.items()
    for name, shares in exact.items():
        deviation = varies[name]
        yield f"{name}, over what a cell varies", shares / np.where(deviation > 0, deviation, np.inf)
    yield "without the outermost cells", np.pad(kept[1:-1, 1:-1], 1, constant_values=-np.inf)
    if own is not None:
        changes = [((layer - before) ** 2).mean(axis=-1) for layer, before in zip(maps, own, strict=True)]
        yield (
            "not evidence: what changed most since this place was intact",
            sum((spread(change / change.mean(), *kept.shape) for change in changes), np.zeros(kept.shape)),
        )


@dataclass(frozen=True, eq=False)
class Photo:
    """A photograph's file, what it shows of which place, and the pixels of its damage."""

    data: bytes
    label: str
    place: str
    truth: BoolArray | None


def photographs(folder: Path, annotations: Path) -> list[Photo]:
    """All that the table of a folder names."""
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        Photo(
            (folder / row["file"]).read_bytes(),
            row["label"],
            row["insert"],
            None if row["label"] == "intact" else drawn(annotations / f"{Path(row['file']).stem}.json"),
        )
        for row in rows
    ]


def pasted(photos: Sequence[Photo]) -> list[Photo]:
    """The intact photographs, and each once more with damage pasted into it: nothing else tells the sides apart."""
    rng = np.random.default_rng(1)
    damage = [(photo, photo.truth) for photo in photos if photo.truth is not None and photo.truth.mean() >= LARGE]
    result = []
    for photo in (photo for photo in photos if photo.truth is None):
        other, truth = damage[rng.integers(len(damage))]
        rows, columns = (np.flatnonzero(truth.any(axis=axis)) for axis in (1, 0))
        box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        patch, shape = np.asarray(Image.open(io.BytesIO(other.data)).convert("RGB"))[box], truth[box]
        pixels = np.array(Image.open(io.BytesIO(photo.data)).convert("RGB"))
        down, right = (rng.integers(pixels.shape[axis] - shape.shape[axis] + 1) for axis in (0, 1))
        mask = np.zeros(pixels.shape[:2], bool)
        mask[down : down + shape.shape[0], right : right + shape.shape[1]] = shape
        pixels[mask] = patch[shape]
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=95)
        result += [photo, Photo(file.getvalue(), "damaged", photo.place, mask)]
    return result


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("annotations", type=Path)
    parser.add_argument("--backbone", default=DEFAULT_BACKBONE)
    parser.add_argument("--pasted", action="store_true", help="into intact photographs: damage is all that differs")
    parser.add_argument("--inner", action="store_true", help="features of the inner cells only")
    parser.add_argument("--one-frame", action="store_true", help="without photographs of another shape than most have")
    arguments = parser.parse_args()
    if not (arguments.photographs / "labels.csv").exists() or not arguments.annotations.is_dir():
        print(f"skipped: no labels.csv in {arguments.photographs}, or no folder {arguments.annotations}")
        return
    photos = photographs(arguments.photographs, arguments.annotations)
    if arguments.one_frame:
        photos = of_one_frame(photos)
    play(pasted(photos) if arguments.pasted else photos, arguments.backbone, only_inner=arguments.inner)


def of_one_frame(photos: Sequence[Photo]) -> list[Photo]:
    """The photographs of the shape that most of them have."""
    sizes = [Image.open(io.BytesIO(photo.data)).size for photo in photos]
    most = max(set(sizes), key=sizes.count)
    return [photo for photo, size in zip(photos, sizes, strict=True) if size == most]


def play(photos: Sequence[Photo], backbone: str, *, only_inner: bool) -> None:
    """Play the game on photographs, and print what was hit."""
    labels, sides = [photo.label for photo in photos], binary([photo.label for photo in photos])
    places = np.unique([photo.place for photo in photos], return_inverse=True)[1]
    net = network(backbone)
    inside = inner(net.input_size) if only_inner else None
    features, maps = np.empty((len(photos), net.feature_size), np.float32), []
    for number, photo in enumerate(photos):
        (seen,) = net.features_and_maps([decode(photo.data, net.input_size)])[1]
        maps.append(seen.maps)
        values = [
            pooled(layer[None], output, [inside])[0] for layer, output in zip(seen.maps, net.outputs, strict=True)
        ]
        features[number] = np.concatenate(values)
    hits: dict[str, list[bool]] = defaultdict(list)
    chance: list[float] = []
    large: list[bool] = []
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=1)
    answers, truths = [], []
    for fit, held in folds.split(features, sides, places):
        candidate = fit_candidate(features[fit], [labels[number] for number in fit], places[fit], costs=Costs())
        decisions = candidate.classifier.decision(features[held])[:, 0]
        answers += list(decisions > 0)
        truths += list(sides[held] == 1)
        plane = candidate.classifier.coef[0], candidate.usual, net.outputs
        intact = [exact_maps(*plane, maps[number], inside) for number in fit[sides[fit] == 0]]
        varies = {name: np.std([one[name] for one in intact], axis=0) for name in intact[0]}
        for number in held[(decisions > 0) & (sides[held] == 1)]:
            before = np.flatnonzero((places == places[number]) & (sides == 0))
            own = [np.mean(layers, axis=0) for layers in zip(*(maps[each] for each in before), strict=True)] or None
            truth = photos[number].truth
            assert truth is not None, "damage is drawn on each damaged photograph"  # noqa: S101
            exact = exact_maps(*plane, maps[number], inside)
            for name, shares in maps_tried(exact, varies, maps[number], own):
                near = around(cells_of(truth, shares.shape)) > 0
                hits[name].append(bool(near[EvidenceMap(shares).strongest()]))
            chance.append(float(near[exact[KEPT] != 0].mean()))
            large.append(bool(truth.mean() >= LARGE))
    print(f"{backbone}: {len(chance)} of {int(sides.sum())} damaged photographs found, {FOLDS} folds by insert")
    print(f"  balanced accuracy {balanced_accuracy_score(truths, answers):.3f}")
    print(f"  all     damage of {LARGE:.1%} and more ({sum(large)})")
    print(f"  {np.mean(chance):6.1%}  {np.mean(np.array(chance)[large]):6.1%}  a cell at random")
    for name, results in hits.items():
        print(f"  {np.mean(results):6.1%}  {np.mean(np.array(results)[large]):6.1%}  {name}")


if __name__ == "__main__":
    main()

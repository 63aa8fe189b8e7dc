"""`python -m benchmarks.cut_outs OUTPUT [FOLDER]`: draw labelled sets of inserts that were cut out on black.

`OUTPUT/edges` has rendered cutting edges, fresh and worn, some 325 pixels wide; the edge is the lower contour.
`OUTPUT/cut-outs` has the photographs of FOLDER, labelled, of each what lies in a polygon drawn by chance. The black is
of another size in each picture, and says nothing of the label. `insert-worker compare` then says what a way of looking
is worth.
"""

from __future__ import annotations

import argparse
import csv
import io
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from benchmarks.wear import HEIGHT, WIDTH, Scene, drawn
from worker.dataset.labels_table import LABELS_FILE

INSERTS: Final = 80
"""Rendered ones, of which each is photographed twice."""

SIDE: Final = 325
_FLANK: Final = 50
"""Brighter than this is the insert, in a rendered photograph."""


def cut_edge(scene: Scene, seed: int) -> Image.Image:
    """A rendered edge with as much of its flank as chance has it, on black, some `SIDE` pixels wide."""
    rng = np.random.default_rng([seed, 3])
    worn = drawn(scene, seed)
    with Image.open(io.BytesIO(worn.data)) as opened:
        image = opened.convert("RGB")
    edge = worn.edge
    along = np.array([edge.x2 - edge.x1, edge.y2 - edge.y1]) / edge.length
    down = np.array([-along[1], along[0]])
    start = np.array([edge.x1, edge.y1])
    depth = rng.uniform(90, 220, 2)
    corners = [start + 20 * down, start + edge.length * along + 20 * down]
    corners += [start + edge.length * along - depth[0] * down, start - depth[1] * down]
    mask = Image.new("L", image.size)
    ImageDraw.Draw(mask).polygon([(float(x), float(y)) for x, y in corners], fill=255)
    bright = image.convert("L").filter(ImageFilter.GaussianBlur(2)).point(lambda grey: 255 * (grey > _FLANK))
    mask = ImageChops.multiply(mask, bright)
    left, top, right, bottom = mask.getbbox() or (0, 0, WIDTH, HEIGHT)
    beside = rng.integers(10, 60, 4)
    image = ImageChops.multiply(image, Image.merge("RGB", [mask] * 3))
    image = image.crop((left - beside[0], top - beside[1], right + beside[2], bottom + beside[3]))
    return image.resize((SIDE, round(SIDE * image.height / image.width)), Image.Resampling.BOX)


def draw_edges(folder: Path) -> None:
    """Draw the set of edges: fresh ones, and worn ones whose land is narrow, in part of them dark."""
    rows = []
    for insert in range(INSERTS):
        rng = np.random.default_rng([insert, 5])
        side = ("intact", "worn")[insert % 2]
        fresh = Scene(width=0.0, texture=0.1, noise=6.0, light=0.3, blur=float(rng.uniform(1, 2)))
        worn = replace(
            fresh,
            width=float(rng.uniform(6, 16)),
            share=float(rng.uniform(0.3, 0.9)),
            land=float(rng.choice([0.75, 1.3])),
        )
        for photograph in range(2):
            name = f"{side}/{insert:03d}-{photograph}.jpg"
            cut_edge(fresh if side == "intact" else worn, 2 * insert + photograph).save(
                _made(folder / name), quality=90
            )
            rows.append((name, insert))
    _write(folder, rows)


def draw_cut_outs(photographs: Path, folder: Path) -> None:
    """Cut each photograph of a labelled folder out by a polygon of its own."""
    with (photographs / LABELS_FILE).open(encoding="utf-8") as table:
        groups = {Path(row["file"]).name: row["insert"] for row in csv.DictReader(table)}
    rows = []
    for number, path in enumerate(sorted(photographs.glob("*/*.[jJ][pP][gG]"))):
        rng = np.random.default_rng([number, 7])
        image = Image.open(path).convert("RGB").resize((512, 512))
        corners = int(rng.integers(4, 9))
        angles = (np.arange(corners) + rng.uniform(-0.2, 0.2, corners)) / corners + rng.uniform()
        radii = 512 * rng.uniform(0.3, 0.5, corners)
        middle = 512 * rng.uniform(0.42, 0.58, 2)
        outline = [
            (middle[0] + radius * math.cos(2 * math.pi * angle), middle[1] + radius * math.sin(2 * math.pi * angle))
            for radius, angle in zip(radii, angles, strict=True)
        ]
        mask = Image.new("L", image.size)
        ImageDraw.Draw(mask).polygon(outline, fill=255)
        name = f"{path.parent.name}/{path.name}"
        ImageChops.multiply(image, Image.merge("RGB", [mask] * 3)).save(_made(folder / name), quality=90)
        rows.append((name, groups[path.name]))
    _write(folder, rows)


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _write(folder: Path, rows: Sequence[tuple[str, object]]) -> None:
    with (folder / LABELS_FILE).open("w", encoding="utf-8", newline="") as table:
        csv.writer(table).writerows([("file", "insert"), *rows])


def main() -> None:
    """Draw the sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("folder", type=Path, nargs="?")
    arguments = parser.parse_args()
    draw_edges(arguments.output / "edges")
    if arguments.folder is not None:
        draw_cut_outs(arguments.folder, arguments.output / "cut-outs")


if __name__ == "__main__":
    main()

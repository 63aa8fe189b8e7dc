"""`python -m benchmarks.blurred_damage FOLDER…`: how many damaged inserts are called intact where a photograph is soft.

Slight faults are drawn into damaged photographs of each labelled folder, evenly spaced. A model judges them that
learned from other inserts, and one that learned from other photographs, of the same inserts too, as a line does. Each
is held against the station's history as in `benchmarks.capture_faults`. All photographs, as they are, say how many good
ones a person would have to look at.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.capture_faults import FOLDS, Draw, blurred, exposed, jpeg, opened, shaken
from benchmarks.labelled_sets import labelled_sets
from benchmarks.networks import network
from db.line.station_history import Photographed
from producer.runtime.arrays import BoolArray, Float32Array, Int64Array
from worker.images.decoding import decode
from worker.images.measurements import Measurements, measure
from worker.line.blurred_or_dark import Usual, less_sharp, unlike_usual
from worker.models.candidate import fit_candidate
from worker.models.costs import Costs
from worker.models.line_model import LineModel
from worker.networks.default_backbone import DEFAULT_BACKBONE

DRAWN_ON: Final = 50
"""So many damaged photographs of a set are drawn each fault into."""

PARTS: Final = 3
"""Each is judged by a model that learned from all parts but its own."""

FAULTS: Final[dict[str, Draw]] = {
    "none": lambda image: image,
    **{f"blurred, {share:.1%} of the width": partial(blurred, share=share) for share in (0.002, 0.003, 0.004)},
    **{f"shaken by {share:.0%}": partial(shaken, share=share) for share in (0.01, 0.02, 0.03, 0.04)},
    "a quarter of the light": partial(exposed, factor=1 / 4),
    "four times the light": partial(exposed, factor=4),
}

Seen = tuple[Measurements, Float32Array]
"""What is measured of a photograph, and its features (d,)."""


def main(folders: Sequence[Path]) -> int:
    """Print for each set and fault what share is refused, looked at, and called intact without the look and with it."""
    net = network(DEFAULT_BACKBONE)

    def seen(file: Path, draw: Draw) -> Seen:
        pixels = decode(jpeg(draw(opened(file))), net.input_size)
        return measure(pixels), net.features_of([pixels])[0]

    for folder, rows, files in labelled_sets(folders):
        labels = ["intact" if file.parent.name == "intact" else "damaged" for file in files]
        good = [seen(file, FAULTS["none"]) for file in files]
        inserts = np.unique([row["insert"] for row in rows], return_inverse=True)[1]
        usual = _usual(inserts, [row.get("setup", "") for row in rows], [measured for measured, _ in good])
        looked_at = sum(less_sharp(measured, usual[n]) is not None for n, (measured, _) in enumerate(good))
        print(f"{folder.name} | good ones that a person looks at | {looked_at} of {len(files)}", flush=True)
        features = np.stack([vector for _, vector in good])
        learned = {
            "other inserts": _models(features, labels, inserts),
            "other photographs": _models(features, labels, np.arange(len(files))),
        }
        damaged = [n for n, label in enumerate(labels) if label == "damaged"]
        some = [damaged[int(n)] for n in np.linspace(0, len(damaged) - 1, min(DRAWN_ON, len(damaged)))]
        for name, draw in FAULTS.items():
            drawn = {n: seen(files[n], draw) for n in some}
            refused = {n for n in some if unlike_usual(drawn[n][0], usual[n]) is not None}
            soft = {n for n in some if less_sharp(drawn[n][0], usual[n]) is not None} - refused
            print(f"{folder.name} | {name} | refused {len(refused)}, looked at {len(soft)} of {len(some)}")
            for learnt, models in learned.items():
                intact = {n for n in some if models[n].judge(drawn[n][1]).outcome == "intact"} - refused
                print(f"    learnt from {learnt}: intact {len(intact)}, with the look {len(intact - soft)}", flush=True)
    return 0


def _usual(inserts: Int64Array, setups: Sequence[str], measured: Sequence[Measurements]) -> list[Usual]:
    """For each photograph what is usual by those of other inserts at its place."""
    histories: dict[int, Usual] = {}
    for part in _parts(inserts, FOLDS):
        for n in np.flatnonzero(part).tolist():
            others = [measured[k] for k, setup in enumerate(setups) if setup == setups[n] and not part[k]]
            usual = Usual.of([Photographed(one.sharpness, one.brightness, one.frame, ("", "", 0)) for one in others])
            if usual is None:
                raise ValueError("too few photographs of a place")
            histories[n] = usual
    return [histories[n] for n in range(len(measured))]


def _models(features: Float32Array, labels: Sequence[str], groups: Int64Array) -> list[LineModel]:
    """For each photograph a model that learned from other groups."""
    models: dict[int, LineModel] = {}
    for part in _parts(groups, PARTS):
        fit = np.flatnonzero(~part)
        learned = fit_candidate(features[fit], [labels[n] for n in fit], groups[fit], costs=Costs())
        model = LineModel("held out", learned.classifier, learned.calibration, learned.band, novelty=learned.novelty)
        models |= dict.fromkeys(np.flatnonzero(part).tolist(), model)
    return [models[n] for n in range(len(labels))]


def _parts(groups: Int64Array, count: int) -> list[BoolArray]:
    names = np.unique(groups)
    np.random.default_rng(0).shuffle(names)
    return [np.isin(groups, some) for some in np.array_split(names, count)]


if __name__ == "__main__":
    sys.exit(main([Path(folder) for folder in sys.argv[1:]]))

"""Trains `insertnet` on drawn inserts: `python -m worker.backbones.insertnet.train --help`."""

from __future__ import annotations

import hashlib
import json
import platform
from collections import Counter
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from producer.terminal.console import Console, answers
from producer.terminal.console import progress as progress_bars
from producer.terminal.output import say_json
from worker.backbones.insertnet import FEATURES, INPUT_SIZE, MANIFEST, WEIGHTS
from worker.backbones.insertnet.renders import Renders, digest, load


@dataclass(frozen=True)
class Settings:
    """All that decides which weights come out, apart from the code and the machine's arithmetic."""

    renders: int = 12_000
    held_out: int = 1_200
    epochs: int = 6
    batch: int = 32
    learning_rate: float = 2e-3
    seed: int = 1


def train(settings: Settings, cache: Path, weights: Path, manifest: Path, console: Console) -> dict[str, Any]:
    """Draw, learn, measure on renders that were held out, and write both files. Returns the manifest.

    The same settings on the same machine and library versions give the same bytes.
    """
    import keras
    import tensorflow as tf

    from producer.simulation.insert import COATINGS, SHAPES
    from worker.backbones.insertnet import architecture

    keras.utils.set_random_seed(settings.seed)
    tf.config.experimental.enable_op_determinism()
    learn_from = _renders(cache, settings.renders, settings.seed, console)
    backbone = architecture.build()
    model = architecture.with_training_heads(backbone, len(SHAPES), len(COATINGS))
    steps = settings.renders // settings.batch * settings.epochs
    warm_up = min(200, steps // 4)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(steps - warm_up, 1), warmup_target=settings.learning_rate, warmup_steps=warm_up
    )
    model.compile(
        keras.optimizers.AdamW(rate, weight_decay=1e-3),
        loss={
            "label": "sparse_categorical_crossentropy",
            "damage": "binary_crossentropy",
            "shape": "sparse_categorical_crossentropy",
            "coating": "sparse_categorical_crossentropy",
        },
        loss_weights={"label": 1.0, "damage": 3.0, "shape": 0.1, "coating": 0.1},
    )
    _learn(model, learn_from, settings, console)
    architecture.save_weights(backbone, weights)
    scores = _scores(architecture.build(weights), model, _renders(cache, settings.held_out, settings.seed + 1, console))
    written = {
        "name": architecture.NAME,
        "version": architecture.VERSION,
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
        "input_size": INPUT_SIZE,
        "preprocessing": "RGB byte / 127.5 - 1",
        "features": FEATURES,
        "settings": asdict(settings),
        "renders": digest(settings.renders, settings.seed),
        "libraries": {name: version(name) for name in ("tensorflow", "keras", "numpy", "pillow", "h5py")},
        "machine": f"{platform.system()} {platform.machine()}",
        "scores_on_held_out_renders": scores,
    }
    manifest.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    return written


def _renders(cache: Path, count: int, seed: int, console: Console) -> Renders:
    with progress_bars(console, transient=False) as progress:
        bar = progress.add_task(f"drawing {count} inserts", total=count)
        return load(cache, count, seed, lambda done: progress.update(bar, completed=done))


def _learn(model: Any, renders: Renders, settings: Settings, console: Console) -> None:
    rng = np.random.default_rng(settings.seed)
    per_epoch = settings.renders // settings.batch
    with progress_bars(console, transient=False) as progress:
        bar = progress.add_task("learning", total=settings.epochs * per_epoch)
        for epoch in range(settings.epochs):
            order = rng.permutation(settings.renders)[: per_epoch * settings.batch].reshape(per_epoch, -1)
            totals: Counter[str] = Counter()
            for rows in order:
                totals.update(model.train_on_batch(*_batch(renders, np.sort(rows), rng), return_dict=True))
                progress.advance(bar)
            losses = ", ".join(f"{name} {total / per_epoch:.4f}" for name, total in sorted(totals.items()))
            console.print(f"epoch {epoch + 1} of {settings.epochs}: {losses}")


def _batch(renders: Renders, rows: NDArray[np.int64], rng: np.random.Generator) -> tuple[Any, dict[str, Any]]:
    """Images in [-1, 1] and targets, flipped, shifted, and seen by cameras of different colour and contrast."""
    count = len(rows)
    pixels, damage = renders.images[rows], np.minimum(renders.damage[rows].astype(np.float32) / 255 * 3, 1)
    flipped = rng.random(count) < 0.5
    pixels[flipped], damage[flipped] = pixels[flipped, :, ::-1], damage[flipped, :, ::-1]
    down, across = rng.integers(0, 5, 2)  # shifted by up to two whole cells of the damage map, the border repeated
    pixels = np.pad(pixels, ((0, 0), (32, 32), (32, 32), (0, 0)), "edge")
    pixels = pixels[:, 16 * down : 16 * down + INPUT_SIZE, 16 * across : 16 * across + INPUT_SIZE]
    cells = damage.shape[1]
    damage = np.pad(damage, ((0, 0), (2, 2), (2, 2)))[:, down : down + cells, across : across + cells]
    gain = rng.uniform(0.7, 1.3, (count, 1, 1, 1)) * rng.normal(1, 0.1, (count, 1, 1, 3))
    shift = rng.normal(0, 0.12, (count, 1, 1, 1))
    images = pixels.astype(np.float32) / np.float32(127.5) - np.float32(1)
    grey = rng.random(count) < 0.15
    images[grey] = images[grey].mean(axis=-1, keepdims=True)
    images *= gain.astype(np.float32)
    images += shift.astype(np.float32)
    np.clip(images, -1, 1, out=images)
    truth = renders.truth[rows]
    targets = {"label": truth[:, 0], "damage": damage[..., None], "shape": truth[:, 1], "coating": truth[:, 2]}
    return images, targets


def _scores(backbone: Any, model: Any, renders: Renders) -> dict[str, float]:
    """What the features are worth on renders never seen: to a linear SVM as in a worker, and to the training head."""
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import train_test_split
    from sklearn.svm import SVC

    images = np.asarray(renders.images, np.float32) / 127.5 - 1
    features = backbone.predict(images, batch_size=64, verbose=0)
    label = renders.truth[:, 0]
    damaged = label > 0
    balanced = []
    for split in range(1, 11):
        fit, test = train_test_split(np.arange(len(label)), test_size=0.3, random_state=split, stratify=label)
        svm = SVC(kernel="linear", class_weight="balanced").fit(features[fit], damaged[fit])
        balanced.append(balanced_accuracy_score(damaged[test], svm.predict(features[test])))
    guess = model.predict(images, batch_size=64, verbose=0)["label"].argmax(axis=1)
    return {
        "svm_balanced_accuracy_mean": round(float(np.mean(balanced)), 4),
        "svm_balanced_accuracy_std": round(float(np.std(balanced)), 4),
        "head_accuracy_of_three": round(float(np.mean(guess == label)), 4),
        "head_balanced_accuracy_of_two": round(float(balanced_accuracy_score(damaged, guess > 0)), 4),
    }


def _main(
    weights: Annotated[Path, typer.Option(help="The weights file to write.")] = WEIGHTS,
    manifest: Annotated[Path, typer.Option(help="The manifest to write beside it.")] = MANIFEST,
    cache: Annotated[Path, typer.Option(help="Folder for drawn inserts, 150 kB each; safe to delete.")] = Path(
        "var/insertnet"
    ),
    renders: Annotated[int, typer.Option(min=32, help="How many inserts to draw and learn from.")] = Settings.renders,
    held_out: Annotated[int, typer.Option(min=40, help="How many more to measure on.")] = Settings.held_out,
    epochs: Annotated[int, typer.Option(min=1, help="How often to go through them.")] = Settings.epochs,
    seed: Annotated[int, typer.Option(help="Another seed gives other inserts and other weights.")] = Settings.seed,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads; more may change the last digits.")] = 1,
) -> None:
    """Train insertnet, the embedded backbone, on drawn inserts.

    Draws inserts (intact, worn, broken; the drawings are kept in the cache folder), trains the network on them, and
    writes its weights and a manifest with their digest and scores. The defaults are those of the weights that are
    shipped and take about a quarter of an hour on one core. The same settings on the same machine give the same file.

    To try it in a minute: python -m worker.backbones.insertnet.train --renders 320 --epochs 1 --weights w.h5 --manifest
    m.json
    """
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    written = train(Settings(renders, held_out, epochs, seed=seed), cache, weights, manifest, answers())
    say_json(written, indent=2)


if __name__ == "__main__":
    typer.run(_main)

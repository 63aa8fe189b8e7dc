"""The output of an experiment: the lab's plain results file, one Markdown report, and JSON for programs."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from producer.files.durable_files import write_file
from producer.terminal.output import visible
from worker.dataset.labelled_folder import LabelledFolder
from worker.lab.imagenet_error import SOURCE, top1_error
from worker.lab.recipe import BackboneResult, Recipe, RepeatedScores
from worker.lab.speed_comparison import count, duration, explain

UNDECODED: Final = "backslashreplace"
"""How bytes of a file's name are written that are not UTF-8."""

# What Markdown reads as its own; an underscore inside a word is none of it.
_MEANS_SOMETHING: Final = re.compile(r"[\\`*\[\]<>|~#&]|(?<!\w)_|_(?!\w)")

Table = Sequence[tuple[LabelledFolder, Sequence[BackboneResult]]]
"""The results by labelled set, both in the order that they were asked for."""


def results_json(table: Table) -> dict[str, Any]:
    """Return every split's scores, and the times in seconds, as `--json` prints them."""
    return {
        "datasets": [
            {
                "name": dataset.name,
                "classes": list(dataset.classes),
                "images": len(dataset.files),
                "skipped": len(dataset.skipped),
                "warnings": list(dataset.notes),
                "skipped_files": [{"file": str(file), "reason": reason} for file, reason in dataset.skipped],
                "backbones": [_backbone_json(result) for result in results],
            }
            for dataset, results in table
        ]
    }


def _backbone_json(result: BackboneResult) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "backbone": result.backbone,
        "feature_size": result.feature_size,
        "images": len(result.dataset.files),
        "skipped": len(result.dataset.skipped),
        "accuracy": result.scores.accuracy,
        "macro_recall": result.scores.macro_recall,
        "confusion": result.scores.confusion.tolist(),
        "calibrated": _scores_json(result.calibrated),
        "seconds_per_image": result.seconds_per_image,
        "seconds_reading_per_image": result.seconds_reading,
        "seconds_network_per_image": result.seconds_network,
        "seconds_gram": result.seconds_gram,
        "seconds_per_fit": result.seconds_per_fit,
        "seconds_evaluation": result.seconds_evaluation,
        "layers": result.layers,
        "parameters": result.parameters,
        "multiply_adds": result.multiply_adds,
        "imagenet_top1_error": top1_error(result.family),
        "model": result.model_id,
    }
    if result.dataset.group_column is not None:
        answer["grouped"] = {"column": result.dataset.group_column, "problem": result.grouped_problem}
        if result.grouped is not None:
            answer["grouped"] |= _scores_json(result.grouped) or {}
            answer["grouped"]["calibrated"] = _scores_json(result.grouped_calibrated)
    return answer


def _scores_json(scores: RepeatedScores | None) -> dict[str, Any] | None:
    if scores is None:
        return None
    return {
        "accuracy": scores.accuracy,
        "macro_recall": scores.macro_recall,
        "confusion": scores.confusion.tolist(),
    }


def results_text(result: BackboneResult, recipe: Recipe) -> str:
    """Return the lab's `results<dataset>.txt`: one line a figure."""
    dataset, scores = result.dataset, result.scores
    counts = np.bincount(dataset.labels, minlength=len(dataset.classes))
    lines = [
        f"Dataset: {dataset.name}",
        f"Classes: {', '.join(f'{i} = {name} ({n} images)' for i, (name, n) in _numbered(dataset.classes, counts))}",
        f"Images: {len(dataset.files)}",
        f"Skipped files: {len(dataset.skipped)}",
        *(f"  {file.relative_to(dataset.root).as_posix()}: {reason}" for file, reason in dataset.skipped),
        *(f"Note: {note}" for note in dataset.notes),
        f"Model: {result.backbone}{' (lab preprocessing)' if recipe.lab_preprocessing else ''}",
        f"Feature vector size: {result.feature_size}",
        f"Test share: {recipe.test_size} ({'stratified' if recipe.stratify else 'not stratified'})",
        "",
        *_split_lines("", scores),
    ]
    if result.calibrated is not None:
        lines += ["", *_split_lines("Calibrated cut: ", result.calibrated)]
    if result.grouped is not None:
        lines += ["", *_split_lines(f"Grouped by {dataset.group_column}: ", result.grouped)]
    if result.grouped_calibrated is not None:
        prefix = f"Grouped by {dataset.group_column}, calibrated cut: "
        lines += ["", *_split_lines(prefix, result.grouped_calibrated)]
    elif result.grouped_problem is not None:
        lines += ["", f"Grouped by {dataset.group_column}: no scores, {result.grouped_problem}"]
    lines += [
        "",
        f"Seconds per image: {result.seconds_per_image:.6f}",
        f"  of which reading: {result.seconds_reading:.6f}",
        f"  of which the network: {result.seconds_network:.6f}",
        f"Seconds for the Gram matrix: {result.seconds_gram:.6f}",
        f"Seconds per fit: {result.seconds_per_fit:.6f}",
        f"Seconds for all repeats with the Gram matrix: {result.seconds_evaluation:.6f}",
    ]
    return "\n".join(lines) + "\n"


def _numbered(classes: Sequence[str], counts: Any) -> Any:
    return enumerate(zip(classes, counts.tolist(), strict=True))


def _split_lines(prefix: str, scores: RepeatedScores) -> list[str]:
    lines = [
        f"{prefix}split {split.seed}: accuracy {split.accuracy:.6f}, macro recall {split.macro_recall:.6f}"
        for split in scores.splits
    ]
    for name, values in (("accuracy", scores.accuracy), ("macro recall", scores.macro_recall)):
        lines.append(f"{prefix}mean {name}: {np.mean(values):.6f}, standard deviation {np.std(values):.6f}")
    return [*lines, f"{prefix}confusion matrix, all splits added up (rows true): {scores.confusion.tolist()}"]


def markdown(table: Table, recipe: Recipe) -> str:
    """Return the report for people: a table of the backbones side by side for each labelled set, and what it means."""
    inputs = (
        "scaled to [-1, 1] for every family" if recipe.lab_preprocessing else "each family's own `preprocess_input`"
    )
    parts = [
        "# Experiment",
        (
            f'Linear SVM (`SVC(kernel="linear", class_weight="balanced")`, C = {recipe.C:g}, no scaler) on the '
            f"features of pretrained networks; inputs: {inputs}. {recipe.repeats} "
            f"{'stratified' if recipe.stratify else 'unstratified'} splits, seeds 1 … {recipe.repeats}, "
            f"{recipe.test_size:.0%} for testing. Scores are mean ± standard deviation over the splits (divided "
            "by their number). `model` in each folder is fitted on all images of the set, so the scores "
            "are those of the recipe, not of that very model. With the *calibrated cut* the same model decides where "
            "either class is equally likely, by the decision values of training images that it did not learn from, "
            "instead of at 0."
        ),
    ]
    for dataset, results in table:
        parts += _dataset_section(dataset, results)
    return "\n\n".join(parts) + "\n"


def _dataset_section(dataset: LabelledFolder, results: Sequence[BackboneResult]) -> list[str]:
    counts = np.bincount(dataset.labels, minlength=len(dataset.classes))
    sizes = ", ".join(f"{name} {n}" for _, (name, n) in _numbered(dataset.classes, counts))
    skipped = [f"- {_code(file.relative_to(dataset.root).as_posix())}: {_cell(why)}" for file, why in dataset.skipped]
    parts = [
        f"## {_cell(dataset.name)}",
        f"{len(dataset.files)} images: {_cell(sizes)}. Skipped files: {len(skipped)}.",
    ]
    if skipped:
        parts.append("\n".join(skipped))
    parts += [_cell(note) for note in dataset.notes]
    parts.append(_side_by_side(results))
    parts.append(
        "Layers, parameters and multiply-adds: of the part that is run. ImageNet error: of the whole published network "
        f"({SOURCE}). Per image: from file to features. All repeats: the Gram matrix and every plain split."
    )
    parts += [_confusion(dataset.classes, result) for result in results]
    parts += ["### Where and why one is faster", "\n".join(f"- {sentence}" for sentence in explain(results))]
    return parts


def _side_by_side(results: Sequence[BackboneResult]) -> str:
    rows = [
        ("", [f"`{r.backbone}`" for r in results]),
        ("---", ["---:"] * len(results)),
        ("layers (whole network)", [f"{r.layers} ({r.network.layers})" for r in results]),
        ("parameters (whole network)", [f"{r.parameters:,} ({r.network.parameters:,})" for r in results]),
        ("multiply-adds per image", [count(r.multiply_adds) for r in results]),
        ("input, pixels", [f"{r.input_size[1]} × {r.input_size[0]}" for r in results]),
        ("feature size", [f"{r.feature_size:,}" for r in results]),
        ("published ImageNet top-1 error", [_error(r.family) for r in results]),
        ("per image", [duration(r.seconds_per_image) for r in results]),
        ("… reading", [duration(r.seconds_reading) for r in results]),
        ("… network", [duration(r.seconds_network) for r in results]),
        ("Gram matrix", [duration(r.seconds_gram) for r in results]),
        ("per fit", [duration(r.seconds_per_fit) for r in results]),
        ("all repeats", [duration(r.seconds_evaluation) for r in results]),
        ("accuracy", [_spread(r.scores.accuracy) for r in results]),
        ("macro recall", [_spread(r.scores.macro_recall) for r in results]),
        *_at_calibrated_cut("", [r.calibrated for r in results]),
    ]
    column = results[0].dataset.group_column
    if column is not None:
        rows += [
            (f"accuracy, grouped by {column}", [_grouped(r, "accuracy") for r in results]),
            (f"macro recall, grouped by {column}", [_grouped(r, "macro_recall") for r in results]),
            *_at_calibrated_cut(f", grouped by {column}", [r.grouped_calibrated for r in results]),
        ]
    return "\n".join(f"| {_cell(head)} | {' | '.join(cells)} |" for head, cells in rows)


def _at_calibrated_cut(suffix: str, scores: Sequence[RepeatedScores | None]) -> list[tuple[str, list[str]]]:
    if all(one is None for one in scores):
        return []
    names = {"accuracy": "accuracy", "macro_recall": "macro recall"}
    return [
        (f"{name}{suffix}, calibrated cut", ["–" if one is None else _spread(getattr(one, score)) for one in scores])
        for score, name in names.items()
    ]


def _confusion(classes: Sequence[str], result: BackboneResult) -> str:
    rows = ["| true ↓ predicted → | " + " | ".join(map(_cell, classes)) + " |", "| --- |" + " ---: |" * len(classes)]
    for name, row in zip(classes, result.scores.confusion.tolist(), strict=True):
        rows.append(f"| {_cell(name)} | " + " | ".join(map(str, row)) + " |")
    return f"Confusion matrix of `{result.backbone}`, test images of all splits added up:\n\n" + "\n".join(rows)


def _grouped(result: BackboneResult, score: str) -> str:
    return _cell(result.grouped_problem or "–") if result.grouped is None else _spread(getattr(result.grouped, score))


def _error(family: str) -> str:
    error = top1_error(family)
    return "–" if error is None else f"{error:.1f} %"


def _spread(values: Sequence[float]) -> str:
    return f"{np.mean(values):.3f} ± {np.std(values):.3f}"


def _cell(text: str) -> str:
    """Arbitrary text, such as a folder's name, escaped for a Markdown table."""
    return _MEANS_SOMETHING.sub(r"\\\g<0>", visible(text.replace("\n", " ")))


def _code(text: str) -> str:
    """The same as inline code, with a fence of more backticks than the text has in a row."""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    inside = visible(text)
    return f"{fence} {inside} {fence}" if "`" in inside else f"{fence}{inside}{fence}"


def write_results(folder: Path, result: BackboneResult, recipe: Recipe) -> Path:
    """Write `results<dataset>.txt` into `folder` and return its path."""
    path = folder / f"results{result.dataset.name}.txt"
    write_file(path, results_text(result, recipe).encode("utf-8", UNDECODED))
    return path

"""How the system learns: ``insert-worker import``, ``learn``, ``beat``, ``extract``, ``evaluate``, ``train``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from producer.console import Console, line, messages, progress
from producer.terminal import say, say_json, say_model

if TYPE_CHECKING:
    from worker.learning import Progress as Told
    from worker.learning_evaluate import Decided
    from worker.settings import WorkerSettings

Data = Annotated[Path | None, typer.Option(help="Folder of the line's data (INSERTS_DATA).")]
Backbone = Annotated[str | None, typer.Option(help="Network and layer, like vgg16:fc1 (INSERTS_BACKBONE).")]
Weights = Annotated[str | None, typer.Option(help="imagenet, embedded, or a file (INSERTS_WEIGHTS).")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def import_folder(
    folder: Annotated[Path, typer.Argument(help="Labelled photographs, one sub-folder for each class.")],
    labels: Annotated[
        Path | None, typer.Option(help="CSV file with the columns file and a group; default FOLDER/labels.csv.")
    ] = None,
    group_column: Annotated[
        str | None,
        typer.Option(help="Its column that says which photographs show the same insert or head [group or insert]."),
    ] = None,
    meaning: Annotated[
        list[str] | None,
        typer.Option("--class", metavar="NAME=LABEL", help="What a class means, where its name is no label."),
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Take a folder of labelled photographs in, as captures with reviews.

    The labels are intact, worn, broken, damaged and unusable. Importing a folder again adds nothing; a photograph that
    has moved to another class gets a new review. Photographs of one group count as one insert when a model is
    evaluated; without groups each is taken for an insert of its own, and such scores flatter.

    Examples:

    - `insert-worker import photographs`
    - `insert-worker import photographs --class good=intact --class bad=damaged --group-column setup`
    """
    from datetime import UTC, datetime

    from db.session import Database
    from worker.cli import settings_with
    from worker.importing import import_photographs, photographs

    settings = settings_with(data=data)
    found = photographs(folder, meanings=_meanings(meaning or []), table=labels, group_column=group_column)
    database = Database(settings.url)
    database.check_schema()
    console = messages()
    with progress(console) as bar:
        task = bar.add_task("photographs", total=len(found))
        result = import_photographs(
            found,
            name=folder.resolve().name,
            images=settings.image_store(),
            database=database,
            at=datetime.now(UTC),
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    database.close()
    for path, reason in result.skipped:
        line(console, ("skipped", "yellow"), f" {path}: {reason}")
    if as_json:
        skipped = [{"file": str(path), "reason": reason} for path, reason in result.skipped]
        told = {"new": result.new, "changed": result.changed, "known": result.known, "skipped": skipped}
        say_json(told)
    else:
        say(
            f"{result.new} new, {result.changed} with another label than before, {result.known} known as they are, "
            f"{len(result.skipped)} skipped"
        )


def _meanings(given: list[str]) -> dict[str, str]:
    meanings = {}
    for text in given:
        name, separator, label = text.rpartition("=")
        if not separator or not name or not label:
            raise typer.BadParameter(f"write it like --class good=intact, not {text!r}")
        meanings[name] = label
    return meanings


def learn(data: Data = None, backbone: Backbone = None, weights: Weights = None) -> None:
    """Do the tasks of learning, when they are asked for, until SIGTERM or Ctrl-C.

    A process of its own, which leaves the machine to the line; as many as you like may run. `insert-worker beat` asks
    for the tasks: extract the features of what was reviewed, train when there are enough new labels
    (INSERTS_ENOUGH_NEW_LABELS), measure the candidate, and put it in charge if it is no worse than the champion.
    """
    from worker.cli import settings_with
    from worker.step_back import step_back

    settings = settings_with(data=data, backbone=backbone, weights=weights)
    step_back(settings.niceness)  # before anything else is imported
    from worker.learn_serve import serve_learning

    raise typer.Exit(serve_learning(settings))


def beat(data: Data = None) -> None:
    """Ask for the tasks of learning when they are due, until SIGTERM or Ctrl-C.

    How often is in INSERTS_REEXTRACT_EVERY, INSERTS_RETRAIN_EVERY and INSERTS_EVALUATE_EVERY, in seconds.
    """
    from worker.cli import settings_with
    from worker.learn_serve import run_beat

    run_beat(settings_with(data=data))


def extract(data: Data = None, backbone: Backbone = None, weights: Weights = None, as_json: Json = False) -> None:
    """Extract the features that reviewed captures lack; what is there already is not extracted again."""
    from worker.cli import settings_with
    from worker.step_back import step_back

    settings = settings_with(data=data, backbone=backbone, weights=weights)
    step_back(settings.niceness)  # before anything else is imported
    from worker.learn_serve import learning_with
    from worker.learning_extract import reextract

    console = messages()
    with learning_with(settings) as learning, _shown(console) as told:
        result = reextract(learning, progress=told)
    for capture, reason in result.unusable:
        line(console, ("skipped", "yellow"), f" {capture}: {reason}")
    if as_json:
        unusable = [{"capture": str(capture), "reason": reason} for capture, reason in result.unusable]
        say_json({"written": result.written, "elsewhere": result.elsewhere, "unusable": unusable})
    else:
        elsewhere = f", {result.elsewhere} under way in another process" if result.elsewhere else ""
        say(f"{result.written} extracted, {len(result.unusable)} skipped{elsewhere}")


def evaluate(
    model: Annotated[str | None, typer.Argument(help="A model that learned from reviews; default the newest.")] = None,
    again: Annotated[
        bool, typer.Option(help="Measure anew, also a model that was refused or rolled back; it may be promoted.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Measure a candidate and the champion on the same splits, and promote the candidate if it is no worse.

    What was measured and decided stays in DATA/evaluations/MODEL; without --again it is told from there.
    """
    from worker.cli import settings_with
    from worker.step_back import step_back

    settings = settings_with(data=data)
    step_back(settings.niceness)  # before anything else is imported
    from worker.learn_serve import learning_with
    from worker.learning_evaluate import evaluate as measure

    console = messages()
    with learning_with(settings) as learning, _shown(console) as told:
        try:
            decided = measure(learning, model, again=again, by="insert-worker evaluate", progress=told)
        except LookupError as error:
            raise ValueError(str(error)) from error
    if decided is None:
        raise ValueError("there is no model that learned from reviews, or another process is measuring it now")
    _tell(decided, settings, as_json)


def train_on_reviews(settings: WorkerSettings, as_json: bool) -> None:
    """Learn from the reviews as they are now: extract, train, measure, and promote if it is no worse."""
    from worker.step_back import step_back

    step_back(settings.niceness)  # before anything else is imported
    from worker.learn_serve import learning_with
    from worker.learning_evaluate import evaluate as measure
    from worker.learning_retrain import retrain

    console = messages()
    with learning_with(settings) as learning, _shown(console) as told:
        trained = retrain(learning, force=True, progress=told)
        if trained.model is None:
            raise ValueError(trained.told)
        decided = measure(learning, trained.model.model_id, by="insert-worker train", progress=told)
    if trained.unusable:
        line(console, ("skipped", "yellow"), f" {trained.unusable} captures without a readable image")
    if not as_json:
        say(trained.told)
    if decided is None:
        raise ValueError("another process is measuring a candidate now; insert-worker evaluate tells the result")
    _tell(decided, settings, as_json)


def _tell(decided: Decided, settings: WorkerSettings, as_json: bool) -> None:
    if as_json:
        say_model(decided)
        return
    say(f"{decided.model} is {'promoted' if decided.promote else 'not promoted'}:")
    for sentence in decided.reasons:
        say(f"  {'✗' if sentence in decided.against else '✓'} {sentence}")
    say(f"its evaluation: {settings.evaluations_path() / decided.model}")


@contextmanager
def _shown(console: Console) -> Iterator[Told]:
    """Progress as bars: one for each step."""
    with progress(console) as bars:
        tasks = {}

        def told(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=None)
            bars.update(tasks[step], completed=done, total=total or None)

        yield told

"""The commands of learning: `insert-worker import`, `learn`, `beat`, `extract`, `evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from db.terminal.person import who
from producer.terminal.console import messages
from producer.terminal.options import Data, Json
from producer.terminal.output import say, say_json, say_model
from producer.terminal.programs import copyable
from worker.commands.options import Backbone, Weights
from worker.runtime.notices import shown, tell_skipped

if TYPE_CHECKING:
    from worker.learning.evaluate import DatedDecision
    from worker.settings import WorkerSettings

Labels = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A CSV file with the columns file and group (or insert). [default: FOLDER/labels.csv]",
    ),
]
GroupColumn = Annotated[
    str | None,
    typer.Option(
        help="The column of labels.csv that says which photographs show the same insert or head. "
        "[default: group, or insert]"
    ),
]
Meaning = Annotated[
    list[str] | None,
    typer.Option("--class", metavar="NAME=LABEL", help="The label of a class whose name does not say it."),
]


def import_folder(
    folder: Annotated[Path, typer.Argument(help="Labelled photographs, with a sub-folder for each class.")],
    labels: Labels = None,
    group_column: GroupColumn = None,
    meaning: Meaning = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Import a folder of labelled photographs, as captures with reviews.

    The labels are intact, worn, broken, damaged and unusable.

    - Importing a folder again adds nothing. A photograph that has moved to another class gets a new review. One whose
      group has changed is stored again, and the model learns from it once.
    - Photographs of one group count as one insert in an evaluation. Without groups each photograph counts as an insert
      of its own, and the scores flatter.
    - A photograph that is in two classes is left out of both. A photograph that is there twice counts once.

    Examples:

    - `insert-worker import photographs`
    - `insert-worker import photographs --class fine=intact --class used=worn --group-column setup`
    """
    from db.engine.database import Database
    from worker.commands.labelled_folder import take_in, tell_folder
    from worker.commands.options import settings_with
    from worker.dataset.class_names import meanings

    settings = settings_with(data=data)
    labels_said = stated_meanings(meaning or [])
    database = Database(settings.url)
    console = messages()
    try:
        database.check_schema()
        with shown(console) as progress:
            taken = take_in(
                folder,
                lambda classes: meanings(classes, labels_said),
                table=labels,
                group_column=group_column,
                images=settings.image_store(),
                database=database,
                progress=progress,
            )
    finally:
        database.close()
    tell_folder(taken.photographs, console)
    if as_json:
        say_json(taken.as_json())
    else:
        say(taken.sentence())


def stated_meanings(texts: list[str]) -> dict[str, str]:
    """Return the labels that `--class NAME=LABEL` gives, by class name."""
    meanings = {}
    for text in texts:
        name, separator, label = text.rpartition("=")
        if not separator or not name or not label:
            raise typer.BadParameter(f"write it like --class good=intact, not {text!r}")
        meanings[name] = label
    return meanings


def learn(data: Data = None, backbone: Backbone = None, weights: Weights = None) -> None:
    """Run the queued tasks of learning until SIGTERM or Ctrl-C.

    The process has a low priority, so that it does not slow the line; any number of them may run. `insert-worker beat`
    queues the tasks: extract the features of reviewed captures, train when there are enough new labels
    (INSERTS_ENOUGH_NEW_LABELS), measure the candidate, and promote it if it is not worse than the champion.

    Exit codes: 0: stopped on request. 2: it could not start. 75: stopped, and the task in hand did not finish within
    INSERTS_GRACE seconds.

    Example: `insert-worker learn --data /var/lib/inserts`
    """
    from worker.commands.options import settings_with
    from worker.runtime.process import lower_priority

    settings = settings_with(data=data, backbone=backbone, weights=weights)
    lower_priority(settings.niceness)  # before anything else is imported
    from worker.learning.serve import serve_learning

    raise typer.Exit(serve_learning(settings))


def beat(data: Data = None) -> None:
    """Queue the tasks of learning when they are due, until SIGTERM or Ctrl-C.

    INSERTS_REEXTRACT_EVERY, INSERTS_RETRAIN_EVERY, INSERTS_EVALUATE_EVERY, INSERTS_DRIFT_EVERY and INSERTS_LIVES_EVERY
    say how often, in seconds.

    Example: `insert-worker beat --data /var/lib/inserts`
    """
    from worker.commands.options import settings_with
    from worker.learning.beat import run_beat

    run_beat(settings_with(data=data))


def extract(data: Data = None, backbone: Backbone = None, weights: Weights = None, as_json: Json = False) -> None:
    """Extract the missing features of reviewed captures. Existing features stay as they are.

    Examples:

    - `insert-worker extract`
    - `insert-worker extract --backbone vgg16:fc1+int8`
    """
    from worker.commands.options import settings_with
    from worker.runtime.process import lower_priority

    settings = settings_with(data=data, backbone=backbone, weights=weights)
    lower_priority(settings.niceness)  # before anything else is imported
    from worker.learning.extract import reextract
    from worker.learning.serve import learning_with

    console = messages()
    with learning_with(settings) as learning, shown(console) as show:
        result = reextract(learning, progress=show)
    tell_skipped(result.unusable, console)
    if as_json:
        unusable = [{"capture": str(capture), "reason": reason} for capture, reason in result.unusable]
        say_json({"written": result.written, "elsewhere": result.elsewhere, "unusable": unusable})
    else:
        elsewhere = f", {result.elsewhere} under way in another process" if result.elsewhere else ""
        say(f"{result.written} extracted, {len(result.unusable)} skipped{elsewhere}")


def evaluate(
    model: Annotated[
        str | None, typer.Argument(help="A model that learned from reviews. [default: the newest]")
    ] = None,
    again: Annotated[
        bool, typer.Option(help="Measure again, also a model that was refused or rolled back; it may be promoted.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Measure a candidate and the champion on the same splits, and promote the candidate if it is not worse.

    The scores and the decision are kept in DATA/evaluations/MODEL. Without `--again` they are read from there.

    Examples:

    - `insert-worker evaluate`
    - `insert-worker evaluate efficientnet_lite0-876f3f6e923c --again`
    """
    from worker.commands.options import settings_with
    from worker.runtime.process import lower_priority

    settings = settings_with(data=data)
    lower_priority(settings.niceness)  # before anything else is imported
    from worker.learning.evaluate import evaluate as measure
    from worker.learning.serve import learning_with

    console = messages()
    with learning_with(settings) as learning, shown(console) as show:
        try:
            by = "insert-worker evaluate"
            decided = measure(learning, model, again=again, by=by, signed=who(), progress=show)
        except LookupError as error:
            raise ValueError(str(error)) from error
    if decided is None:
        raise ValueError("there is no model that learned from reviews, or another process is measuring it now")
    tell(decided, settings, as_json)


def tell(decided: DatedDecision, settings: WorkerSettings, as_json: bool) -> None:
    """Print what was decided about a model."""
    if as_json:
        say_model(decided)
        return
    say(f"{decided.model} is {'promoted' if decided.promote else 'not promoted'}:")
    for sentence in decided.reasons:
        say(f"  {'✗' if sentence in decided.against else '✓'} {copyable(sentence)}")
    say(f"its evaluation: {settings.evaluations_path() / decided.model}")

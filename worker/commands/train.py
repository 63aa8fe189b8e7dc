"""`insert-worker train`: learns from all labels, after importing a folder of labelled photographs if one is named."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from db.terminal.person import who
from producer.terminal.console import TerminalConsole, messages, print_table, waiting
from producer.terminal.options import Data, Json
from producer.terminal.output import say, say_json
from worker.commands.learning import GroupColumn, Labels, Meaning, stated_meanings, tell
from worker.commands.options import Backbone, Weights
from worker.runtime.notices import shown, tell_notes, tell_skipped

if TYPE_CHECKING:
    from worker.commands.labelled_folder import TakenInFolder
    from worker.learning.evaluate import DatedDecision
    from worker.learning.retrain import Retrained
    from worker.settings import WorkerSettings

BY: Final = "insert-worker train"


def train(
    folder: Annotated[
        Path | None,
        typer.Argument(
            help="Labelled photographs to import first, with a sub-folder for each class. [default: import nothing]",
            show_default=False,
        ),
    ] = None,
    intact_class: Annotated[
        str | None,
        typer.Option(
            help="With a folder: the class of intact inserts. [default: one that is called intact, good, ok, …]"
        ),
    ] = None,
    meaning: Meaning = None,
    labels: Labels = None,
    group_column: GroupColumn = None,
    promote: Annotated[
        bool, typer.Option("--promote", help="Put the model in charge whatever its scores are.")
    ] = False,
    data: Data = None,
    backbone: Backbone = None,
    weights: Weights = None,
    as_json: Json = False,
) -> None:
    """Learn from all labels of the line: those of reviews, and those of a folder, which is imported first.

    A folder's photographs become captures with reviews, as by `insert-worker import`. A class whose name is no known
    word counts as damaged.

    From all labels it trains a candidate with calibrated probabilities and an unsure band, measures it on repeated
    splits, and promotes it if it is better than guessing and not worse than the model in charge. Running workers use it
    within seconds. The same labels and backbone give the same model again.

    If most inserts of the folder were cut out on black, it first compares looking along their lower contour, the edge,
    with looking at whole photographs, and learns along the edge if that is better beyond chance.

    It needs five images of each side, intact and damaged. With fewer than thirty, the scores say little.

    Examples:

    - `insert-worker train photographs`
    - `insert-worker train photographs --intact-class fine --class chipped=broken --group-column setup`
    - `insert-worker train --promote`
    """
    from worker.commands.options import settings_with
    from worker.runtime.process import lower_priority

    if folder is None and (intact_class or meaning or labels or group_column):
        raise typer.BadParameter("these options say how to read a folder: name one", param_hint="FOLDER")
    stated = stated_meanings(meaning or [])
    settings = settings_with(data=data, backbone=backbone, weights=weights)
    lower_priority(settings.niceness)  # before anything else is imported
    console = messages()
    with waiting(console, "loading what it learns with"):
        from worker.commands.labelled_folder import take_in
        from worker.dataset.class_names import meanings_to_train
        from worker.learning.found_edge import choose
        from worker.learning.on_request import learn_now, settle
        from worker.learning.serve import learning_with

    with learning_with(settings) as learning:
        taken = None
        with shown(console) as progress:
            if folder is not None:
                taken = take_in(
                    folder,
                    lambda classes: meanings_to_train(classes, stated, intact_class),
                    table=labels,
                    group_column=group_column,
                    images=learning.images,
                    database=learning.database,
                    progress=progress,
                )
        _tell_taken(taken, console, as_json)
        with shown(console) as progress:
            choice = None if taken is None else choose(taken.photographs, settings, learning.database, progress)
    if choice is not None:
        tell_notes([choice.reason], console)
        settings = settings.model_copy(update={"backbone": choice.backbone})
    with learning_with(settings) as learning:
        with shown(console) as progress:
            trained, decided = learn_now(learning, by=BY, signed=who(), progress=progress)
        in_charge = settle(learning, decided, by=BY, promote=promote, signed=who())
    _tell_trained(trained, decided, settings, console, taken, in_charge, as_json)


def _tell_taken(taken: TakenInFolder | None, console: TerminalConsole, as_json: bool) -> None:
    from worker.commands.labelled_folder import tell_folder

    if taken is not None:
        tell_folder(taken.photographs, console)
        if not as_json:
            say(f"photographs of the folder: {taken.sentence()}")


def _tell_trained(
    trained: Retrained,
    decided: DatedDecision,
    settings: WorkerSettings,
    console: TerminalConsole,
    taken: TakenInFolder | None,
    in_charge: bool,
    as_json: bool,
) -> None:
    from producer.settings import REDIS_URL_FILE
    from worker.commands.training_summary import next_steps, scores, table, warnings
    from worker.models.calibration_check import CalibrationCheck
    from worker.models.error_bound import ErrorBound

    evaluation: dict[str, Any] = json.loads(
        (settings.evaluations_path() / decided.model / "evaluation.json").read_text("utf-8")
    )
    error_bound = None if trained.model is None else ErrorBound.of(trained.model.metrics)
    check = None if trained.model is None else CalibrationCheck.of(trained.model.metrics)
    tell_skipped(trained.unusable, console)
    tell_notes(warnings(evaluation), console)
    if as_json:
        values = {
            "trained_on": evaluation["images"],
            "in_charge": in_charge,
            "scores": scores(evaluation),
            "promise": None if error_bound is None else asdict(error_bound),
            "calibration_check": None if check is None else asdict(check),
            "warnings": warnings(evaluation),
            "folder": taken.as_json() if taken else None,
        }
        say_json(decided.model_dump(mode="json") | values)
        return
    say(trained.summary)
    print_table(table(evaluation))
    if error_bound is not None:
        say("the table counts images, of models that learned from a part of them; of all of them, counted by insert:")
        say(error_bound.sentence())
    if check is not None:
        say(check.sentence())
    tell(decided, settings, False)
    if in_charge is not decided.promote:
        say(f"{decided.model} is {'' if in_charge else 'not '}in charge{' all the same' if in_charge else ''}")
    say("next")
    line = settings.redis_url is not None or (settings.data / REDIS_URL_FILE).exists()
    steps = next_steps(decided.model, settings.data, in_charge=in_charge, champion=decided.champion, line=line)
    width = max(len(command) for command, _ in steps)
    for command, purpose in steps:
        say(f"  {command:<{width}}  {purpose}")

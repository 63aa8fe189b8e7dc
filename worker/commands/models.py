"""`insert-worker models`: lists the models, says which is in charge and why, and changes that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from db.terminal.person import By, login, who
from producer.terminal.options import Data, Json, Limit
from producer.terminal.output import say, say_json
from producer.terminal.programs import copyable
from worker.commands import model_words

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from db.engine.database import Database
    from db.learning.model_registry import Model, Promotion
    from worker.settings import WorkerSettings

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="List the models, show which is in charge and since when, and change that.",
)

OrChampion = Annotated[
    str | None,
    typer.Argument(metavar="[MODEL]", help="The model's name, as in the list. [default: the model in charge]"),
]
Name = Annotated[str, typer.Argument(metavar="MODEL", help="The model's name, as in the list.")]
Why = Annotated[str, typer.Option(help="The reason, which is kept in the history.")]


@app.command("list")
def list_models(
    limit: Limit = 20,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List the models, newest first: ★ is in charge, ○ judges in shadow.

    Example: `insert-worker models list`
    """
    from db.learning import model_registry
    from db.queries.plain_values import plain
    from db.terminal import tables
    from producer.terminal.console import print_table

    with _database(data, reads_only=True) as (_, database), database.reading() as session:
        rows = model_registry.recent(session, limit)
        promotions = model_registry.promotions(session, 1000)
        champion, shadow = model_registry.champion(session), model_registry.shadow(session)
    if as_json:
        in_charge, in_shadow = champion and champion.model_id, shadow and shadow.model_id
        say_json({"models": plain(rows), "champion": in_charge, "shadow": in_shadow, "promotions": plain(promotions)})
    elif not rows:
        say(copyable("no model yet: review captures (`insert-db review`), or `insert-worker train FOLDER`"))
    else:
        print_table(tables.model_table(rows, promotions, champion, shadow))


@app.command()
def show(model: OrChampion = None, data: Data = None, as_json: Json = False) -> None:
    """Show one model: training set, network, unsure band, calibration, promotions, and where its scores are.

    Examples:

    - `insert-worker models show`
    - `insert-worker models show efficientnet_lite0-876f3f6e923c`
    """
    from db.queries.plain_values import plain
    from worker.learning.evaluate import decided
    from worker.models import store
    from worker.models.calibration_check import CalibrationCheck
    from worker.models.error_bound import ErrorBound
    from worker.models.prior import Prior

    with _database(data, reads_only=True) as (settings, database), database.reading() as session:
        model = model or _in_charge(session)
        registered = _known(session, model)
        roles = [role for role in _promotions(session) if role.model_id == model]
    manifest = store.read_manifest(settings.models_path() / registered.artefact)
    decision = decided(settings.evaluations_path(), model)
    values = {
        "model": plain(registered),
        "manifest": manifest.model_dump(mode="json"),
        "promotions": plain(roles),
        "decision": decision.model_dump(mode="json") if decision else None,
    }
    if as_json:
        say_json(values)
        return
    labelled = f"snapshot {registered.snapshot_id}" if registered.snapshot_id else "a folder"
    say(f"{model}, of {registered.trained_on} images from {labelled}, made {_local(registered.created_at)}")
    say(f"  features     {registered.backbone}, fingerprint {registered.fingerprint[:12]}")
    say(f"  looks at     {model_words.looks_at(registered.backbone)}")
    say(f"  network      {(registered.network_digest or 'none: no worker can judge by it')[:64]}")
    if manifest.C is not None:
        say(f"  C            {manifest.C:.4g}{', standardised' if manifest.standardised else ''}")
    if manifest.calibration is not None:
        slope, offset = manifest.calibration.slope, manifest.calibration.offset
        say(f"  calibration  P(damaged) = 1 / (1 + exp(-({slope:.4g} · decision + {offset:.4g})))")
    if (prior := Prior.of(manifest.metrics)) is not None:
        say(f"  prior        {prior.sentence()}")
    if manifest.band is not None:
        say(f"  band         {model_words.band(manifest.band, manifest.costs)}")
    if (error_bound := ErrorBound.of(manifest.metrics)) is not None:
        say(f"  promise      {error_bound.sentence()}")
    if (check := CalibrationCheck.of(manifest.metrics)) is not None:
        say(f"  checked      {check.sentence()}")
    if manifest.kind_classes is not None:
        say(f"  damage       separated into {' or '.join(manifest.kind_classes)}")
    say(f"  novelty      {model_words.novelty(manifest)}")
    say(f"  heads        {model_words.heads(registered)}")
    for name, value in manifest.metrics.items():
        if name == "labelled_set":
            say(f"  learned from {model_words.learned_from(value)}")
        elif name not in ("prior", "promise", "calibration_check"):
            say(f"  {name:<12} {value}")
    for role in reversed(roles):
        say(f"  {role.action} as {role.role} {_local(role.at)} by {role.by}: {role.reason}")
    if decision is not None:
        beside = f"beside {decision.champion}" if decision.champion else "with no model in charge"
        say(f"  measured {_local(decision.at)} {beside}, {'' if decision.promote else 'not '}to be promoted:")
        for sentence in decision.reasons:
            say(f"    {'✗' if sentence in decision.against else '✓'} {copyable(sentence)}")
        say(f"  more in {settings.evaluations_path() / model}")


def _in_charge(session: Session) -> str:
    from db.learning import model_registry

    champion = model_registry.champion(session)
    if champion is None:
        raise ValueError("no model is in charge; `insert-worker models list` shows those there are")
    return champion.model_id


@app.command()
def promote(model: Name, why: Why, by: By = None, data: Data = None, as_json: Json = False) -> None:
    """Put a model in charge, whatever its scores are. Running workers use it within seconds.

    Example: `insert-worker models promote efficientnet_lite0-876f3f6e923c --why "finds chipped corners on H12"`
    """

    def work(session: Session, settings: WorkerSettings) -> Promotion:
        from db.learning import model_registry

        _check_files(session, settings, model)
        now = datetime.now(UTC)
        return model_registry.promote(session, model, by=by or login(), reason=why, at=now, signed=who())

    _change(data, as_json, work)


@app.command()
def rollback(why: Why, by: By = None, data: Data = None, as_json: Json = False) -> None:
    """Put the previous champion in charge again. Each further rollback goes one champion further back.

    Example: `insert-worker models rollback --why "misses chipped corners on H12"`
    """

    def work(session: Session, _: WorkerSettings) -> Promotion:
        from db.learning import model_registry
        from worker.models.registry import check_network

        now = datetime.now(UTC)
        promotion = model_registry.rollback(session, by=by or login(), reason=why, at=now, signed=who())
        check_network(_known(session, str(promotion.model_id)))
        return promotion

    _change(data, as_json, work)


@app.command()
def shadow(model: Name, why: Why, by: By = None, data: Data = None, as_json: Json = False) -> None:
    """Let a model judge in shadow, beside the champion. Its verdicts are stored apart, and never reach the line.

    Example: `insert-worker models shadow efficientnet_lite0-876f3f6e923c --why "a week beside the line"`
    """

    def work(session: Session, settings: WorkerSettings) -> Promotion:
        from db.learning import model_registry

        _check_files(session, settings, model)
        now = datetime.now(UTC)
        return model_registry.start_shadow(session, model, by=by or login(), reason=why, at=now, signed=who())

    _change(data, as_json, work)


@app.command("end-shadow")
def end_shadow(why: Why, by: By = None, data: Data = None, as_json: Json = False) -> None:
    """End the shadow: only the champion judges from now on.

    Example: `insert-worker models end-shadow --why "seen enough"`
    """

    def work(session: Session, _: WorkerSettings) -> Promotion | None:
        from db.learning import model_registry

        now = datetime.now(UTC)
        return model_registry.end_shadow(session, by=by or login(), reason=why, at=now, signed=who())

    _change(data, as_json, work)


def _change(data: Path | None, as_json: bool, work: Callable[[Session, WorkerSettings], Promotion | None]) -> None:
    """Change a role, and print what it is now."""
    from db.queries.plain_values import plain

    with _database(data) as (settings, database), database.transaction() as session:
        try:
            promotion = work(session, settings)
        except LookupError as error:
            raise ValueError(f"{error}; `insert-worker models list` shows them") from error
    if as_json:
        say_json(plain(promotion))
    elif promotion is None:
        say("no model was in shadow")
    elif promotion.model_id is None:
        say("no model is in shadow any more")
    else:
        role = "in charge" if promotion.role == "champion" else "in shadow"
        say(f"{promotion.model_id} is {role} since {_local(promotion.at)}, says {promotion.by}: {promotion.reason}")


def _check_files(session: Session, settings: WorkerSettings, model: str) -> None:
    """Make sure that a worker can judge by the model: its files and its network's are in order."""
    from worker.models.registry import load_for_line
    from worker.networks.store import NetworkStore

    load_for_line(_known(session, model), settings.models_path(), NetworkStore(settings.networks_root()))


def _known(session: Session, model: str) -> Model:
    from db.learning import model_registry

    registered = model_registry.find(session, model)
    if registered is None:
        raise ValueError(f"there is no model {model!r}; `insert-worker models list` shows them")
    return registered


def _promotions(session: Session) -> list[Promotion]:
    from db.learning import model_registry

    return model_registry.promotions(session, 1000)


@contextmanager
def _database(data: Path | None, *, reads_only: bool = False) -> Iterator[tuple[WorkerSettings, Database]]:
    from db.engine.database import Database
    from worker.commands.options import settings_with

    settings = settings_with(data=data)
    database = Database(settings.url, reads_only=reads_only)
    try:
        database.check_schema()
        yield settings, database
    finally:
        database.close()


def _local(moment: datetime) -> str:
    from db.engine.times import local

    return local(moment)

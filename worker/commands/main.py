"""The worker's command, `insert-worker`."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Annotated

import typer

from producer.terminal.entry_point import run as run_command
from producer.terminal.error_text import in_words
from producer.terminal.logs import configure_logs
from producer.terminal.option_places import AnyPlace
from producer.terminal.options import Data
from worker.commands import features, learning, models, networks
from worker.commands import weights as cli_weights
from worker.commands.compare import compare
from worker.commands.demo import demo
from worker.commands.experiment import experiment
from worker.commands.explain import explain
from worker.commands.health import health
from worker.commands.options import settings_with
from worker.commands.plan import plan
from worker.commands.standalone import standalone
from worker.commands.train import train
from worker.images.pillow_warnings import quiet_decoders

app = typer.Typer(
    cls=AnyPlace,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="markdown",
    help="""Judges captures, learns from reviews, and runs a whole line on one machine.

- See it work: `insert-worker demo`
- Run the lab's recipe: `insert-worker experiment FOLDER --backbone mobilenet:conv1_relu`
- Run a small shop on one machine: `insert-worker standalone`, then review with `insert-db review`; it learns by itself

Every command but `experiment` and `plan` takes `--data FOLDER`, the folder of the line's data, before or after the
command's name. [env: INSERTS_DATA] [default: var/line]

Settings come from options, or else from the environment:

- the line: `INSERTS_DATA`, `INSERTS_REDIS_URL`, `INSERTS_DATABASE_URL`, `INSERTS_IMAGES`
- passwords: `INSERTS_REDIS_PASSWORD` or `INSERTS_REDIS_PASSWORD_FILE`, `INSERTS_DATABASE_PASSWORD` or
  `INSERTS_DATABASE_PASSWORD_FILE`
- TLS: `INSERTS_REDIS_CA_FILE`, `INSERTS_REDIS_CERT_FILE`, `INSERTS_REDIS_KEY_FILE`; for PostgreSQL,
  `?sslmode=verify-full&sslrootcert=FILE` in its URL
- networks and models: `INSERTS_BACKBONE`, `INSERTS_WEIGHTS`, `INSERTS_WEIGHTS_FOLDER`, `INSERTS_NETWORKS`,
  `INSERTS_MODELS`
- processes: `INSERTS_PROCESSES`, `INSERTS_JUDGE_TIMEOUT`, `INSERTS_GRACE`, `INSERTS_HEARTBEAT`, `INSERTS_NICENESS`,
  `INSERTS_METRICS_PORT`, `INSERTS_METRICS_ADDRESS`
- costs: `INSERTS_MISSED_DAMAGED`, `INSERTS_NEEDLESS_CHANGE`, `INSERTS_LOOK`
- when to learn: `INSERTS_ENOUGH_NEW_LABELS`, `INSERTS_REEXTRACT_EVERY`, `INSERTS_RETRAIN_EVERY`,
  `INSERTS_EVALUATE_EVERY`, `INSERTS_DRIFT_EVERY`, `INSERTS_LIVES_EVERY`
""",
)


app.command()(demo)
app.command()(standalone)
app.command()(experiment)
app.command()(compare)
app.command()(explain)
app.command()(health)
app.command()(plan)
app.command("import")(learning.import_folder)
app.command()(train)
app.command()(learning.learn)
app.command()(learning.beat)
app.command()(learning.extract)
app.command()(learning.evaluate)
app.add_typer(models.app, name="models")
app.add_typer(features.app, name="features")
app.add_typer(cli_weights.app, name="weights")
app.add_typer(networks.app, name="networks")


def main() -> None:
    """Run `insert-worker`; what a person can put right ends with its message, not with a traceback."""
    # Quiet before TensorFlow is loaded: its C++ side writes to standard error from the import on.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    configure_logs(logging.INFO)
    quiet_decoders()
    run_command(app, explained=explained, program="insert-worker")


def explained(error: Exception) -> str | None:
    """An error in words for the person at the terminal; None for one that is a fault of the program."""
    # ValueError covers wrong settings (pydantic) and this project's own errors about what was given.
    from db.engine.database import DatabaseUnavailable, SchemaOutdated
    from worker.embedded.redis_server import NoRedisServer
    from worker.embedded.system import StartFailed
    from worker.features.store import FeaturesMissing
    from worker.models.store import ModelError
    from worker.runtime.extras import how_to_install

    if isinstance(error, ModuleNotFoundError):
        return how_to_install(error)
    written = (ValueError, OSError, DatabaseUnavailable, SchemaOutdated, StartFailed, ModelError, NoRedisServer)
    return in_words(error) if isinstance(error, (*written, FeaturesMissing)) else None


@app.command()
def run(
    data: Data = None,
    ready_file: Annotated[Path | None, typer.Option(help="Write this file once the worker can take messages.")] = None,
) -> None:
    """Judge captures from the queue until SIGTERM or Ctrl-C.

    The worker checks the database, the promoted model and its network before it takes the first message. Without a
    promoted model every insert is `unsure`, and a person decides.

    Exit codes: 0: stopped on request. 2: it could not start. 75: stopped, and captures in hand did not finish within
    INSERTS_GRACE seconds.

    Example: `insert-worker run --data /var/lib/inserts`
    """
    from worker.runtime.process import compute_in_one_thread

    compute_in_one_thread()
    from worker.line.serve import serve

    raise typer.Exit(serve(settings_with(data=data), ready_file))


if __name__ == "__main__":
    main()

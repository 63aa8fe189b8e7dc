"""The options that the commands of `insert-worker` share, and the settings that come of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from worker.settings import WorkerSettings

Backbone = Annotated[str | None, typer.Option(help="What to learn on, like vgg16:fc1+int8 (INSERTS_BACKBONE).")]
Weights = Annotated[str | None, typer.Option(help="imagenet, or a file, to build its network from (INSERTS_WEIGHTS).")]


def settings_with(**options: Any) -> WorkerSettings:
    """The settings of the environment, with the options that were given in their place."""
    from worker.settings import WorkerSettings

    return WorkerSettings(**{name: value for name, value in options.items() if value is not None})

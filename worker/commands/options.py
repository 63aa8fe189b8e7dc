"""The options that the commands of `insert-worker` share, and the settings that come of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from worker.settings import WorkerSettings

Backbone = Annotated[
    str | None, typer.Option(help="The network to learn on, such as vgg16:fc1+int8. [env: INSERTS_BACKBONE]")
]
Weights = Annotated[
    str | None,
    typer.Option(help="The weights of that network: imagenet, or a file. [env: INSERTS_WEIGHTS]"),
]
WeightsOfEach = Annotated[
    list[str] | None,
    typer.Option(
        help="imagenet, a file, or a name from `weights list`: once for all backbones, or once for each in their "
        "order. [default: each backbone's own]",
    ),
]


def weights_for(backbones: Sequence[str], weights: Sequence[str]) -> list[str | None]:
    """Return the weights of each backbone: one value is for all of them, none means each backbone's own.

    Raises:
        BadParameter: a backbone is named twice, or the number of weights fits neither.
        BackboneError: a name is not a backbone's.
    """
    from worker.networks.names import parse_network_name

    if len({parse_network_name(name) for name in backbones}) < len(backbones):
        raise typer.BadParameter("a backbone is named twice", param_hint="--backbone")
    if len(weights) <= 1:
        return [weights[0] if weights else None] * len(backbones)
    if len(weights) != len(backbones):
        raise typer.BadParameter(
            f"give it once for all {len(backbones)} backbones or once for each, not {len(weights)} times",
            param_hint="--weights",
        )
    return list(weights)


def settings_with(**options: Any) -> WorkerSettings:
    """The settings of the environment, with the options that were given in their place."""
    from worker.settings import WorkerSettings

    return WorkerSettings(**{name: value for name, value in options.items() if value is not None})

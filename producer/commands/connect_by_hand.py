"""What a person does with single events, systems and heads: commands of `insert-station connect`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from producer.commands.options import settings_of
from producer.terminal.counts import counted
from producer.terminal.output import say

if TYPE_CHECKING:
    from producer.connect.deliveries.delivery_log import DeliveryLog

SinkName = Annotated[str, typer.Argument(metavar="SYSTEM", help="A system's name in the connector's file.")]
Events = Annotated[list[str], typer.Argument(metavar="EVENT…", help="Ids, as `deliveries` lists them.")]


def replay(
    context: typer.Context,
    sink: SinkName,
    events: Events,
) -> None:
    """Tell a system some events once more, under the same ids.

    Example: `insert-station connect replay mes 3f0c…`
    """
    import time

    _changed(
        context, sink, lambda log: log.by_hand.replay(sink, events, time.time()), "is sent again", "are sent again"
    )


def give_up(
    context: typer.Context,
    sink: SinkName,
    events: Events,
) -> None:
    """Try waiting events no more, so that those of the same head behind them go on.

    Example: `insert-station connect give-up mes 3f0c…`
    """
    import time

    _changed(context, sink, lambda log: log.by_hand.give_up(sink, events, time.time()), "is given up", "are given up")


def put_away(
    context: typer.Context,
    sink: SinkName,
    events: Events,
) -> None:
    """Settle events that were given up: `status` and the alert count them no more; `replay` can still send them.

    Example: `insert-station connect put-away mes 3f0c…`
    """
    _changed(context, sink, lambda log: log.by_hand.put_away(sink, events), "is put away", "are put away")


def forget(
    context: typer.Context,
    machine: Annotated[str, typer.Argument(help="The machine, by its name on the line.")],
    head: Annotated[str, typer.Argument(help="The head that is there no more, or whose state nobody can believe.")],
) -> None:
    """Forget a head: the next start removes what a broker, a PLC or Home Assistant still shows of it.

    For a head that was renamed or is gone, or after a check by mistake of more pockets than it has. `connect run` must
    be ended for it. What waits for a system is told all the same.

    Example: `insert-station --data var/line connect forget mill-1 H12`
    """
    from producer.station.folder_lock import is_taken

    log = existing_log(context)
    try:
        if is_taken(log.path.parent):
            raise ValueError("a `connect run` runs on this data folder, and knows the head: end it first")
        log.by_hand.forget_head(machine, head)
    finally:
        log.close()
    say(f"nothing is known of {machine} {head} any more: `connect run` takes away what is shown of it")


def enable(context: typer.Context, sink: SinkName) -> None:
    """Tell a system again that said that it wanted no more (a webhook that answered 410).

    Example: `insert-station connect enable mes`
    """
    log = existing_log(context)
    try:
        check_system(log, sink)
        log.disable(sink, False)
    finally:
        log.close()
    say(f"{sink} is told again")


def _changed(context: typer.Context, sink: str, change: Callable[[DeliveryLog], int], one: str, several: str) -> None:
    log = existing_log(context)
    try:
        check_system(log, sink)
        count = change(log)
    finally:
        log.close()
    say(f"{counted(count, 'event')} {one if count == 1 else several}")


def check_system(log: DeliveryLog, name: str) -> None:
    """Refuse a system that is neither in the connector's file nor has anything in the log."""
    known = [state.name for state in log.sinks()]
    if name not in known and not log.latest(name, None, 1):
        raise ValueError(f"there is no system {name}: there are {', '.join(known) or 'none'}")


def existing_log(context: typer.Context) -> DeliveryLog:
    """The delivery log, which is there."""
    settings = settings_of(context)
    if not settings.delivery_log_path().exists():
        raise ValueError(
            f"nothing was told from {settings.data} yet: `insert-station connect run` begins (is it the right folder? "
            "--data, INSERTS_DATA)"
        )
    return settings.open_delivery_log()

"""Commands of `insert-station connect` with which a person changes single events, systems and heads."""

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
    """Send events to a system again, with the same ids.

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
    """Stop trying to send waiting events, so that later events of the same head are sent.

    Example: `insert-station connect give-up mes 3f0c…`
    """
    import time

    _changed(context, sink, lambda log: log.by_hand.give_up(sink, events, time.time()), "is given up", "are given up")


def put_away(
    context: typer.Context,
    sink: SinkName,
    events: Events,
) -> None:
    """Settle events that were given up: `status` and the alert no longer count them. `replay` can still send them.

    Example: `insert-station connect put-away mes 3f0c…`
    """
    _changed(context, sink, lambda log: log.by_hand.put_away(sink, events), "is put away", "are put away")


def forget(
    context: typer.Context,
    machine: Annotated[str, typer.Argument(help="The machine's name on the line.")],
    head: Annotated[str, typer.Argument(help="The head that is gone, or whose shown state is wrong.")],
) -> None:
    """Forget a head: the next start of `connect run` removes it from brokers, PLCs and Home Assistant.

    Use it for a head that was renamed or removed, or after a mistaken check of more pockets than the head has. End
    `connect run` first. Events that wait for a system are still sent.

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
    say(f"{machine} {head} is forgotten: the next start of `connect run` removes it from the other systems")


def enable(context: typer.Context, sink: SinkName) -> None:
    """Send to a system again that refused all further events (a webhook that answered 410).

    Example: `insert-station connect enable mes`
    """
    log = existing_log(context)
    try:
        check_system(log, sink)
        log.disable(sink, False)
    finally:
        log.close()
    say(f"{sink} is enabled: its events are sent again")


def _changed(context: typer.Context, sink: str, change: Callable[[DeliveryLog], int], one: str, several: str) -> None:
    log = existing_log(context)
    try:
        check_system(log, sink)
        count = change(log)
    finally:
        log.close()
    say(f"{counted(count, 'event')} {one if count == 1 else several}")


def check_system(log: DeliveryLog, name: str) -> None:
    """Refuse a system that is neither in the connector's file nor in the log."""
    known = [state.name for state in log.sinks()]
    if name not in known and not log.latest(name, None, 1):
        raise ValueError(f"there is no system {name}: there are {', '.join(known) or 'none'}")


def existing_log(context: typer.Context) -> DeliveryLog:
    """The delivery log; refused if there is none."""
    settings = settings_of(context)
    if not settings.delivery_log_path().exists():
        raise ValueError(
            f"nothing was sent from {settings.data} yet: `insert-station connect run` does that (is it the right "
            "folder? --data, INSERTS_DATA)"
        )
    return settings.open_delivery_log()

"""``insert-worker health``: is the worker of this folder alive? The heartbeat file alone answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def health(
    data: Annotated[
        Path | None, typer.Option(help="Folder of the line's data (INSERTS_DATA); default var/line.")
    ] = None,
    max_age: Annotated[float, typer.Option(min=0.0, help="Oldest heartbeat that is still a life sign, seconds.")] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="Print the heartbeat as JSON.")] = False,
) -> None:
    """Whether the worker is alive: exit code 0 or 1, within a second.

    Asks nobody, only looks at the worker's heartbeat file (`INSERTS_HEARTBEAT`), so a Redis or a database that is
    away does not make its workers look dead. A worker that waits for them is alive.

    As a container's health check: `insert-worker health --max-age 30`
    """
    from worker.heartbeat import NoHeartbeat, age, read
    from worker.settings import WorkerSettings

    settings = WorkerSettings(data=data) if data is not None else WorkerSettings()
    answer: dict[str, object] = {"healthy": False}
    try:
        beat = read(settings.heartbeat_path())
    except NoHeartbeat as problem:
        said = str(problem)
    else:
        seconds = age(beat)
        answer = {"healthy": seconds <= max_age, "age_seconds": round(seconds, 1), **beat.model_dump(mode="json")}
        said = (
            f"{beat.state}, {beat.backbone}, process {beat.pid}, {seconds:.1f} s ago: {beat.finished} captures "
            f"finished, {beat.in_hand} in hand, {'with' if beat.redis else 'without'} Redis"
        )
        if seconds > max_age:
            said = f"the last heartbeat is older than {max_age:g} s: {said}"
    typer.echo(json.dumps(answer | ({} if answer["healthy"] else {"problem": said})) if as_json else said)
    raise typer.Exit(0 if answer["healthy"] else 1)

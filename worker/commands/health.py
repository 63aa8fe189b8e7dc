"""`insert-worker health`: whether a process of this folder is alive, by its heartbeat file alone."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from producer.terminal.counts import counted
from producer.terminal.exit_codes import NO
from producer.terminal.options import Data, Json
from producer.terminal.output import say, say_json
from producer.terminal.programs import copyable
from worker.commands.options import settings_with

if TYPE_CHECKING:
    from worker.monitoring.heartbeat import LifeSign


class Process(StrEnum):
    """The processes that have a heartbeat: the `worker.monitoring.heartbeat.ProcessRole`s."""

    worker = "worker"
    learn = "learn"
    beat = "beat"


def health(
    role: Annotated[Process, typer.Argument(help="The process: `worker` (started by `run`), `learn` or `beat`.")] = (
        Process.worker
    ),
    data: Data = None,
    max_age: Annotated[
        float | None,
        typer.Option(
            min=0.0, metavar="SECONDS", help="The greatest age of a heartbeat that counts as alive. [default: 30]"
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say within a second whether a worker, a learner or a beat is alive.

    It reads only the process's heartbeat file (`INSERTS_HEARTBEAT`), so a Redis or a database that is away does not
    make the process look dead. A process that waits for them is alive, and so is one that trains for hours. The answer
    says what the process does, and for how long; of a worker also how many photographs of the last hour could not be
    used and name no head that is known, so that they may be of any.

    Use it as a container's health check.

    Exit codes: 0: alive. 1: not alive.

    Examples:

    - `insert-worker health`
    - `insert-worker health learn --max-age 60`
    """
    from worker.monitoring.heartbeat import (
        GREATEST_AGE,
        Heartbeat,
        LearnHeartbeat,
        NoHeartbeat,
        SchedulerHeartbeat,
        age,
        read,
    )

    greatest = GREATEST_AGE if max_age is None else max_age
    settings = settings_with(data=data)
    kinds: dict[Process, type[LifeSign]] = {
        Process.worker: Heartbeat,
        Process.learn: LearnHeartbeat,
        Process.beat: SchedulerHeartbeat,
    }
    answer: dict[str, object] = {"healthy": False}
    try:
        beat = read(settings.heartbeat_path(role.value), kinds[role])
    except NoHeartbeat as problem:
        sentence = str(problem)
    else:
        seconds = age(beat)
        answer = {"healthy": seconds <= greatest, "age_seconds": round(seconds, 1), **beat.model_dump(mode="json")}
        sentence = f"process {beat.pid}, {seconds:.1f} s ago: {described(beat)}"
        if seconds > greatest:
            sentence = f"the last heartbeat is older than {greatest:g} s: {sentence}"
    if as_json:
        say_json(answer if answer["healthy"] else answer | {"problem": sentence})
    else:
        say(sentence)
    raise typer.Exit(0 if answer["healthy"] else NO)


def described(beat: LifeSign) -> str:
    """A heartbeat in words."""
    from worker.monitoring.heartbeat import Heartbeat, LearnHeartbeat, SchedulerHeartbeat

    if isinstance(beat, SchedulerHeartbeat):
        last = "" if beat.last_tick_seconds is None else f", the last {beat.last_tick_seconds:.0f} s before"
        return f"{counted(beat.ticks, 'tick')}{last}" + (", waits for Redis" if beat.waits_for_redis else "")
    if isinstance(beat, LearnHeartbeat):
        doing = "nothing to do" if beat.job is None else f"{beat.job} for {beat.job_seconds:.0f} s"
        done = f"{beat.backbone}, {doing}, {counted(beat.finished, 'job')} finished"
    elif isinstance(beat, Heartbeat):
        by = "no model yet" if beat.model is None else f"model {beat.model}"
        hand = f"{beat.in_hand} in hand"
        if beat.in_hand_seconds is not None:
            hand += f" for {beat.in_hand_seconds:.0f} s"
        processes = counted(beat.processes, "process", "processes")
        done = f"{by}, {processes}, {counted(beat.finished, 'capture')} finished, {hand}"
    else:
        return "alive"
    return f"{beat.state}, {done}, {'with' if beat.redis else 'without'} Redis{_unknown(beat)}"


def _unknown(beat: LifeSign) -> str:
    count = getattr(beat, "of_no_known_head", 0)
    if not count:
        return ""
    some = counted(count, "photograph")
    return copyable(f"; in the last hour {some} of no known head could not be used: `insert-db faults list`")

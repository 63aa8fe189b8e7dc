"""The way out: how many answers a second a connector carries to each kind of system, and how long one takes.

Real Redis, real mosquitto, a real receiver of webhooks and a real client of OPC UA that has subscribed to the events,
all on this machine, and `insert-station connect run` as a process.
`connect_<sink>_per_s`: from the first of many answers to the last that was acknowledged. `connect_<sink>_p95_ms`: from
before the notifier's call to the moment when the other side has the event, one after another on an idle line.
`connect_line_us`: what the plant's stream costs the line, whoever reads it.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Final, Literal

from benchmarks.measure import Benchmark
from benchmarks.percentiles import percentile
from producer.connect.sinks.signature import new_secret
from tests.integration.opcua import Plant
from tests.integration.plant import ConnectProcess, Listener, Mosquitto, Receiver, connecting, verdict
from tests.support import RedisProcess, wait_until
from worker.line.notifier import Notifier

ANSWERS: Final = {"mqtt": 5_000, "webhook": 2_000, "opcua": 2_000}
"""Answers of one sample of the rate."""

SINGLES: Final = 100
"""Answers of one sample of the latency, one after another."""

_PAUSE: Final = 0.02

Sink = Literal["mqtt", "webhook", "opcua"]


@contextmanager
def told(sink: Sink) -> Iterator[tuple[Notifier, ConnectProcess, Callable[[], int]]]:
    """A line that speaks, a connector that tells one system, and how many events that system has."""
    with tempfile.TemporaryDirectory(prefix="bench-connect-") as name:
        folder = Path(name)
        redis = RedisProcess(folder)
        redis.start()
        notifier = Notifier(redis.url)
        site = 'site = "plant-1"\n'
        try:
            if sink == "mqtt":
                broker = Mosquitto(folder)
                broker.start()
                file = f'{site}[mqtt.out]\nurl = "mqtt://127.0.0.1:{broker.port}"\n'
                with connecting(folder, redis.url, file) as connector:
                    listener = Listener(broker.port)
                    yield notifier, connector, lambda: sum(topic.endswith("/event") for topic, *_ in listener.heard)
                    listener.close()
                broker.kill()
            elif sink == "opcua":
                plant = Plant(folder, "out")
                with connecting(folder, redis.url, plant.file()) as connector:
                    wait_until(lambda: connector.status()["out"]["up"], 120)
                    with plant.session() as client:
                        client.subscribe()
                        yield notifier, connector, lambda: len(client.heard)
            else:
                (folder / "secret").write_text(new_secret(), encoding="utf-8")
                receiver = Receiver()
                file = (
                    f'{site}[webhook.out]\nurl = "http://127.0.0.1:{receiver.port}/"\n'
                    f'secret_files = ["{folder / "secret"}"]\nallow = ["127.0.0.0/8"]\n'
                )
                with connecting(folder, redis.url, file) as connector:
                    yield notifier, connector, lambda: len(receiver.taken)
                receiver.close()
        finally:
            notifier.close()
            redis.kill()


def per_second(sink: Sink, samples: int) -> Sequence[float]:
    """Answers a second from the stream to the system's acknowledgement."""
    rates = []
    with told(sink) as (notifier, connector, _):
        for number in range(1, samples + 1):
            answers = [("station-1", verdict(1 + pocket % 30)) for pocket in range(ANSWERS[sink])]
            start = time.perf_counter()
            for first in range(0, len(answers), 30):
                notifier.send(answers[first : first + 30])
            delivered = number * ANSWERS[sink]
            wait_until(lambda count=delivered: connector.status()["out"]["delivered"] >= count, 300)  # type: ignore[misc]
            rates.append(ANSWERS[sink] / (time.perf_counter() - start))
    return rates


def p95_ms(sink: Sink, samples: int) -> Sequence[float]:
    """The 95th percentile of the milliseconds from the notifier to the system."""
    figures = []
    with told(sink) as (notifier, _, received):
        for _ in range(samples):
            taken = []
            for _ in range(SINGLES):
                before = received()
                start = time.perf_counter()
                notifier.send([("station-1", verdict(1))])
                while received() == before:
                    time.sleep(0.0005)
                taken.append(1000 * (time.perf_counter() - start))
                time.sleep(_PAUSE)
            figures.append(percentile(taken, 0.95))
    return figures


def line_us(samples: int) -> Sequence[float]:
    """Microseconds for an answer that telling eight at once takes longer with the plant's stream than without it.

    Each of many calls with it comes right after one without.
    """
    with tempfile.TemporaryDirectory(prefix="bench-connect-") as folder, ExitStack() as parts:
        redis = RedisProcess(Path(folder))
        redis.start()
        parts.callback(redis.kill)
        ways = [Notifier(redis.url, plant_length=0), Notifier(redis.url)]
        for notifier in ways:
            parts.callback(notifier.close)
        answers = [("station-1", verdict(pocket)) for pocket in range(1, 9)]

        def median_of(calls: int) -> list[float]:
            taken: list[list[float]] = [[], []]
            for _ in range(calls):
                for notifier, own in zip(ways, taken, strict=True):
                    start = time.perf_counter()
                    notifier.send(answers)
                    own.append(time.perf_counter() - start)
            return [statistics.median(own) for own in taken]

        median_of(100)
        without_and_with = [median_of(1_000) for _ in range(samples)]
    return [1e6 * (told - untold) / len(answers) for untold, told in without_and_with]


BENCHMARKS = [
    Benchmark(
        "connect_line_us",
        "what the plant's stream costs the line for an answer, in calls of eight",
        "µs",
        100.0,
        False,
        line_us,
    ),
    *(
        Benchmark(
            f"connect_{sink}_per_s",
            f"answers a second that a connector carries to one {sink} system on this machine",
            "answers/s",
            target,
            True,
            partial(per_second, sink),
            samples=3,
        )
        for sink, target in (("mqtt", 500.0), ("webhook", 100.0), ("opcua", 200.0))
    ),
    *(
        Benchmark(
            f"connect_{sink}_p95_ms",
            f"an answer's way from the worker's notifier to one {sink} system, the 95th percentile",
            "ms",
            100.0,
            False,
            partial(p95_ms, sink),
            samples=3,
        )
        for sink in ("mqtt", "webhook", "opcua")
    ),
]

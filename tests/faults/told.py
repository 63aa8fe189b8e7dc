"""A broker that is told everything while it, and the connector that tells it, are killed; then who was told what."""

from __future__ import annotations

import random
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from producer.contract.answers import VerdictAnswer
from producer.contract.plant_event import PLANT_EVENTS, PLANT_STREAM
from producer.contract.plant_news import PLANT_ANSWERS
from tests.integration.plant import ConnectProcess, Listener, Mosquitto, come_back, go_down
from tests.support import RedisProcess


@dataclass(frozen=True)
class Told:
    """What a listener at the broker has heard of the verdicts.

    Attributes:
        verdicts: captures whose verdict it heard.
        lost: captures that were judged, and that it heard nothing of.
        duplicates: verdicts that it heard under more than one id.
        again: events that came once more under their id, which is harmless.
        wiped: captures whose answers an emptied Redis took before the connector had read them; not among the lost.
    """

    verdicts: int
    lost: int
    duplicates: int
    again: int
    wiped: int


class ToldBroker:
    """A real mosquitto, a listener and a real connector."""

    def __init__(self, folder: Path, server: RedisProcess):
        self._server = server
        self._broker = Mosquitto(folder)
        self._broker.start()
        file = f'site = "plant-1"\n[mqtt.broker]\nurl = "mqtt://127.0.0.1:{self._broker.port}"\n'
        self._connector = ConnectProcess(folder, server.url, file)
        self._connector.start()
        self._listener = Listener(self._broker.port)
        self._wiped: set[UUID] = set()

    def kill_broker(self, chance: random.Random) -> None:
        """`kill -9` the broker when its listener has what it took, which would die with it; and start it, empty."""
        go_down(self._broker, self._listener, self._connector)
        time.sleep(chance.uniform(0.0, 2.0))
        come_back(self._broker, self._listener, self._connector)

    def kill_connector(self, chance: random.Random) -> None:
        """`kill -9` the connector, and start it again."""
        self._connector.kill()
        time.sleep(chance.uniform(0.0, 1.0))
        self._connector.start()

    def wipe(self) -> None:
        """Empty Redis, and note which answers went with it unread: the connector promises nothing of those."""
        with self._server.client() as client, client.pipeline(transaction=True) as pipe:
            pipe.xrange(PLANT_STREAM)
            pipe.flushall()
            entries, _ = pipe.execute()
        position = _order(self._connector.position())
        unread = [fields["answer"] for entry_id, fields in entries if _order(entry_id) > position]
        answers = map(PLANT_ANSWERS.validate_json, unread)
        self._wiped |= {answer.capture_id for answer in answers if isinstance(answer, VerdictAnswer)}

    def account(self, judged: Collection[UUID], seconds: float) -> Told:
        """Wait until everything that was said is told, at most for so long, and count."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self._has_told_all():
            time.sleep(0.1)
        self._listener.hear_all()
        events = [PLANT_EVENTS.validate_python(event) for event in self._listener.events()]
        verdicts = {event.id: event.data for event in events if isinstance(event.data, VerdictAnswer)}
        heard = {verdict.capture_id for verdict in verdicts.values()}
        missing = set(judged) - heard
        return Told(
            verdicts=len(heard),
            lost=len(missing - self._wiped),
            duplicates=len(verdicts) - len(heard),
            again=len(events) - len({event.id for event in events}),
            wiped=len(missing & self._wiped),
        )

    def close(self) -> None:
        """End all of it."""
        self._listener.close()
        self._connector.kill()
        self._broker.kill()

    def _has_told_all(self) -> bool:
        with self._server.client() as client:
            newest = client.xrevrange(PLANT_STREAM, count=1)
        has_read = not newest or self._connector.position() == newest[0][0]  # type: ignore[index]
        return has_read and self._connector.status()["broker"]["waiting"] == 0


def _order(entry_id: str) -> tuple[int, int]:
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number or 0)

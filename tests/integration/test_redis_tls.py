"""TLS to Redis with real certificates, for each client that talks to it, and for the whole line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import kombu.pools
import pytest
import redis
from kombu.exceptions import OperationalError
from kombu.utils.functional import retry_over_time

from producer.contract.event import INSPECT_QUEUE, CaptureEvent, new_id
from producer.delivery.outbox import Outbox
from producer.delivery.redis_client import AnswerReader, EventSender
from producer.settings import StationSettings
from producer.simulation.head import labelled_images
from producer.station.station import Station
from producer.storage.folder import FolderStore
from tests.forked_commands import start_command
from tests.integration.plant_redis import PlantRedis
from tests.integration.tls import Certificates, terminator
from tests.support import message, wait_until
from worker.learning.app import make_learn_app
from worker.line.notifier import Notifier
from worker.settings import WorkerSettings

NAME = "localhost"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients try again without a pause, and twice where it is up to a hundred times: what is refused stays so."""

    def twice(*arguments: Any, **more: Any) -> Any:
        before, after = arguments[:5], arguments[6:]
        return retry_over_time(*before, 2, *after, **more)

    monkeypatch.setattr("kombu.connection.retry_over_time", twice)
    monkeypatch.setattr("kombu.utils.functional.sleep", lambda _: None)
    monkeypatch.setattr("redis.backoff.ExponentialBackoff.compute", lambda *_: 0.0)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.made(tmp_path_factory.mktemp("certificates"), NAME)


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """By an authority that nobody here trusts."""
    return Certificates.made(tmp_path_factory.mktemp("strangers"), NAME)


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlantRedis]:
    with PlantRedis(tmp_path_factory.mktemp("plant"), ["station-1"]).running() as plant:
        yield plant


@pytest.fixture(scope="module")
def port(plant: PlantRedis, certificates: Certificates) -> Iterator[int]:
    with terminator(plant.port, certificates) as port:
        yield port


def url(plant: PlantRedis, user: str, port: int, ca: Path, *, host: str = NAME, **more: Any) -> str:
    return StationSettings(
        redis_url=f"rediss://{user}@{host}:{port}/0",
        redis_password_file=plant.password_file(user),
        redis_ca_file=ca,
        **more,
    ).broker_url()


def send(url: str) -> None:
    sender = EventSender(url)
    try:
        sender.send(CaptureEvent.from_message(message()))
    finally:
        sender.close()
        kombu.pools.reset()  # they take connections that differ only in whom they trust for the same


def read(url: str) -> None:
    reader = AnswerReader(url, "station-1", "0-0", frozenset)
    try:
        reader.read()
    finally:
        reader.close()


def tell(url: str) -> None:
    notifier = Notifier(url)
    try:
        notifier.send([])
        notifier._redis.llen(INSPECT_QUEUE)
    finally:
        notifier.close()


def consume(url: str) -> None:
    """What the workers' and beat's application connects by."""
    with make_learn_app(WorkerSettings(redis_url=url)).connection_for_read() as connection:
        connection.default_channel.client.llen(INSPECT_QUEUE)


CLIENTS: list[tuple[str, Callable[[str], None]]] = [
    ("station-1", send),
    ("station-1", read),
    ("worker", tell),
    ("worker", consume),
]
each_client = pytest.mark.parametrize(("user", "client"), CLIENTS, ids=[each.__name__ for _, each in CLIENTS])
REFUSALS = (redis.ConnectionError, OperationalError)


@each_client
def test_with_the_right_authority_it_works(
    plant: PlantRedis, port: int, certificates: Certificates, user: str, client: Callable[[str], None]
) -> None:
    client(url(plant, user, port, certificates.ca))


@each_client
def test_a_server_of_another_authority_is_refused(
    plant: PlantRedis, port: int, strangers: Certificates, user: str, client: Callable[[str], None]
) -> None:
    with pytest.raises(REFUSALS, match="certificate verify failed"):
        client(url(plant, user, port, strangers.ca))


@each_client
def test_a_server_that_nobody_vouches_for_is_refused(
    plant: PlantRedis, port: int, user: str, client: Callable[[str], None]
) -> None:
    """Without a CA file the system's authorities count, not nobody."""
    plain = f"rediss://{user}:password-of-{user}@{NAME}:{port}/0"
    with pytest.raises(REFUSALS, match="certificate verify failed"):
        client(plain)


@each_client
def test_a_server_of_another_name_is_refused(
    plant: PlantRedis, port: int, certificates: Certificates, user: str, client: Callable[[str], None]
) -> None:
    with pytest.raises(REFUSALS, match=r"certificate is not valid for '127\.0\.0\.1'"):
        client(url(plant, user, port, certificates.ca, host="127.0.0.1"))


@each_client
def test_a_server_that_asks_for_a_certificate_gets_it(
    plant: PlantRedis, certificates: Certificates, user: str, client: Callable[[str], None]
) -> None:
    own = {"redis_cert_file": certificates.client_cert, "redis_key_file": certificates.client_key}
    with terminator(plant.port, certificates, ask_clients=True) as port:
        client(url(plant, user, port, certificates.ca, **own))
        with pytest.raises(REFUSALS):
            client(url(plant, user, port, certificates.ca))


def line_works(plant: PlantRedis, port: int, ca: Path, folder: Path, database_url: str) -> None:
    """A station, a worker process and a verdict, all over TLS."""
    environment = os.environ | {
        "INSERTS_REDIS_URL": f"rediss://worker@{NAME}:{port}/0",
        "INSERTS_REDIS_PASSWORD_FILE": str(plant.password_file("worker")),
        "INSERTS_REDIS_CA_FILE": str(ca),
        "INSERTS_DATA": str(folder),
        "INSERTS_DATABASE_URL": database_url,
        "INSERTS_PROCESSES": "2",
    }
    log = folder / "worker.log"
    worker = start_command("insert-worker", "run", environment=environment, log=log)
    outbox = Outbox(folder / "outbox.db")
    try:
        photograph = next(image for image, _ in labelled_images(1, seed=3, size=256))
        images = FolderStore(folder / "images")
        with Station("station-1", images, outbox, url(plant, "station-1", port, ca)) as station:
            event = station.submit(
                photograph, machine="m", head="h", pocket=1, operation="o", check_id=new_id(), check_size=1
            )
            assert station.wait_for([event.capture_id], 120), log.read_text()
            wait_until(lambda: len(outbox) == 0, what="an empty outbox")
    finally:
        worker.kill()
        worker.wait()
        outbox.close()
    assert "insecure" not in log.read_text()


def test_the_whole_line_speaks_tls(
    plant: PlantRedis, port: int, certificates: Certificates, tmp_path: Path, sqlite_url: str
) -> None:
    with plant.client("admin") as admin:
        admin.flushall()
    line_works(plant, port, certificates.ca, tmp_path, sqlite_url)


def test_redis_itself_speaks_tls_where_it_is_given_a_certificate(
    certificates: Certificates, tmp_path: Path, sqlite_url: str
) -> None:
    """`users.sh` with a certificate among its secrets."""
    plant = PlantRedis(tmp_path / "plant", ["station-1"])
    for name, file in (("cert", certificates.cert), ("key", certificates.key)):
        (plant.secrets / f"redis_tls_{name}").write_bytes(file.read_bytes())
    settings = {"ssl": True, "ssl_ca_certs": str(certificates.ca), "host": NAME}
    try:
        running = plant.running(tls=settings)
        with running:
            with pytest.raises(redis.ConnectionError):
                redis.Redis(port=plant.port, protocol=2).ping()
            line_works(plant, plant.port, certificates.ca, tmp_path, sqlite_url)
    except RuntimeError as error:
        if "Bad directive" in str(error):
            pytest.skip("this Redis was built without TLS; redis-server of Debian has it")
        raise

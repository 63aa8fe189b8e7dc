"""Who may do what at the plant's Redis: the whole line works with its users, and a captured station can do no more."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, ResponseError
from redis.retry import Retry

from db.engine.database import Database
from db.line import verdicts
from producer.connect.sinks.signature import new_secret
from producer.contract.event import INSPECT_QUEUE, new_id
from producer.contract.names import safe_name
from producer.contract.news_look import LOOKED
from producer.delivery.outbox import Outbox
from producer.delivery.redis_client import EventSender
from producer.settings import StationSettings
from producer.simulation.head import labelled_images
from producer.station.station import Station
from producer.storage.folder import FolderStore
from tests.integration.plant import Receiver, connecting, verdict
from tests.integration.plant_redis import PlantRedis, server_version
from tests.support import start_workers, stored_event, wait_until
from worker.line.notifier import Notifier

STATIONS = ("station-1", "station-2")
ODD = "Prüfplatz 1"
"""A station whose user, password file and stream have its name's safe form."""
APART = server_version() >= (7, 0)
"""Whether this Redis grants a key for reading or for writing; 6.2 knows no difference."""


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlantRedis]:
    with PlantRedis(tmp_path_factory.mktemp("plant"), (*STATIONS, safe_name(ODD))).running() as plant:
        yield plant


@pytest.fixture
def admin(plant: PlantRedis) -> Iterator[redis.Redis]:
    """For looking on; every test begins with an empty Redis."""
    with plant.client("admin") as client:
        client.flushall()
        client.acl_log_reset()
        yield client


def url_of(plant: PlantRedis, user: str) -> str:
    return StationSettings(redis_url=plant.url(user), redis_password_file=plant.password_file(user)).broker_url()


def test_the_whole_line_works_with_its_users_and_nobody_is_refused_anything(
    plant: PlantRedis, admin: redis.Redis, tmp_path: Path, sqlite_url: str
) -> None:
    """Stations, an inspect worker, a learn worker and beat; also what they do when something went wrong."""
    images = FolderStore(tmp_path / "images")
    photographs = [image for image, _ in labelled_images(3, seed=3, size=256)]
    sender = EventSender(url_of(plant, "station-1"))
    # What a worker that is dead had in hand: other workers find it there.
    left_in_hand = stored_event(images, photographs[0])
    sender.send(left_in_hand)
    message = admin.rpop(INSPECT_QUEUE)
    admin.hset("unacked", "a-tag", json.dumps([json.loads(message), "", INSPECT_QUEUE]))  # type: ignore[arg-type]
    admin.zadd("unacked_index", {"a-tag": 1.0})
    # One whose image is late: the worker hands it back to the queue, to be looked at again.
    late = stored_event(images, photographs[1])
    (tmp_path / "images" / late.image).rename(tmp_path / "late.jpg")
    sender.send(late)

    environment = os.environ | {
        "INSERTS_REDIS_URL": plant.url("worker"),
        "INSERTS_REDIS_PASSWORD_FILE": str(plant.password_file("worker")),
        "INSERTS_DATA": str(tmp_path),
        "INSERTS_DATABASE_URL": sqlite_url,
        "INSERTS_PROCESSES": "2",
        "INSERTS_RETRAIN_EVERY": "1",
    }
    processes, logs = start_workers(tmp_path, environment)
    database = Database(sqlite_url)

    def told() -> str:
        return "\n".join(log.read_text() for log in logs.values())

    def judged() -> set[Any]:
        with database.reading() as session:
            return {row.capture_id for row in verdicts.export(session)}

    try:
        for name in (*STATIONS, ODD):
            outbox = Outbox(tmp_path / f"{name}.db")
            with Station(name, images, outbox, url_of(plant, safe_name(name))) as station:
                check = new_id()
                captures = [
                    station.submit(
                        photograph, machine="m", head="h", pocket=pocket, operation="o", check_id=check, check_size=3
                    ).capture_id
                    for pocket, photograph in enumerate(photographs, 1)
                ]
                assert len(station.wait_for([*captures, check], 90)) == 4, told()
                wait_until(lambda box=outbox: len(box) == 0, what="an empty outbox")  # type: ignore[misc]
            outbox.close()
        wait_until(lambda: any('"retries": 1' in each for each in admin.hvals("unacked")), 30, "a second look")
        (tmp_path / "late.jpg").rename(tmp_path / "images" / late.image)
        wanted = {left_in_hand.capture_id, late.capture_id}
        wait_until(lambda: wanted <= judged(), 60, f"the two special ones: {told()}")
        wait_until(lambda: "no reviews to learn from" in logs["learn"].read_text(), 120, "a task of learning")
        # Beat ends first, so that it asks for nothing more while the learner ends.
        processes[-1].send_signal(signal.SIGTERM)
        processes[-1].wait(60)
        # Nor has the learner anything in hand that it has not begun: it hands that back to the queue as it ends.
        wait_until(lambda: not admin.exists("learn", "unacked"), 60, "a learner that has begun all that beat asked for")
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        ends = [process.wait(120) for process in processes]
        database.close()
        sender.close()
    assert ends == [0, 0, 0], told()
    assert admin.acl_log() == []
    assert not {"inspect", "learn", "unacked"} & set(admin.keys())


Attempt = Callable[[redis.Redis], object]

FORBIDDEN: dict[str, Attempt] = {
    "read the queue": lambda station: station.lrange(INSPECT_QUEUE, 0, -1),
    "take from the queue": lambda station: station.brpop([INSPECT_QUEUE], timeout=1),
    "count the queue": lambda station: station.llen(INSPECT_QUEUE),
    "empty the queue": lambda station: station.delete(INSPECT_QUEUE),
    "make a set of the queue's name": lambda station: station.sadd(INSPECT_QUEUE, "x"),
    "bind another queue": lambda station: station.sadd("_kombu.binding.inspect", "x"),
    "take what is in hand": lambda station: station.hgetall("unacked"),
    "read another station's answers": lambda station: station.xread({"verdicts:station-2": "0"}),
    "read them backwards": lambda station: station.xrevrange("verdicts:station-2"),
    "read them beside its own": lambda station: station.xread({"verdicts:station-1": "0", "verdicts:station-2": "0"}),
    "answer itself": lambda station: station.xadd("verdicts:station-1", {"answer": "{}"}),
    "answer another one": lambda station: station.xadd("verdicts:station-2", {"answer": "{}"}),
    "spoil another's stream": lambda station: station.lpush("verdicts:station-2", "x"),
    "spoil the stream of none yet": lambda station: station.lpush("verdicts:station-10", "x"),
    "cut its stream": lambda station: station.xtrim("verdicts:station-1", maxlen=0),
    "drop its stream": lambda station: station.delete("verdicts:station-1"),
    "ask for learning": lambda station: station.lpush("learn", "x"),
    "push with a priority": lambda station: station.lpush("inspect\x06\x163", "x"),
    "keep what it likes": lambda station: station.set("anything", "x"),
    "look around": lambda station: station.keys(),
    "look around slowly": lambda station: station.scan(),
    "empty Redis": lambda station: station.flushall(),
    "empty the database": lambda station: station.flushdb(),
    "read the configuration": lambda station: station.config_get("*"),
    "change the configuration": lambda station: station.config_set("dir", "/tmp"),  # noqa: S108
    "run a script": lambda station: station.eval("return redis.call('KEYS', '*')", 0),
    "load a script": lambda station: station.script_load("return 1"),
    "publish": lambda station: station.publish("anything", "x"),
    "listen to everything": lambda station: station.execute_command("PSUBSCRIBE", "*"),
    "watch all commands": lambda station: station.execute_command("MONITOR"),
    "see the others": lambda station: station.client_list(),
    "cut the others off": lambda station: station.execute_command("CLIENT", "KILL", "TYPE", "normal"),
    "see the users": lambda station: station.acl_list(),
    "raise itself": lambda station: station.acl_setuser("station-1", enabled=True, commands=["+@all"]),
    "stop Redis": lambda station: station.execute_command("SHUTDOWN", "NOSAVE"),
    "hold Redis up": lambda station: station.execute_command("DEBUG", "SLEEP", "10"),
    "make it a copy of its own": lambda station: station.replicaof("127.0.0.1", "1"),
    "write files": lambda station: station.bgsave(),
    "load code": lambda station: station.execute_command("MODULE", "LOAD", "x.so"),
    "move a key": lambda station: station.execute_command("COPY", INSPECT_QUEUE, "verdicts:station-1"),
    "another database": lambda station: station.execute_command("SELECT", "1"),
}


def everything(admin: redis.Redis) -> dict[str, Any]:
    return {key: admin.dump(key) for key in admin.scan_iter()}


@pytest.mark.parametrize("attempt", FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_a_captured_station_cannot(plant: PlantRedis, admin: redis.Redis, attempt: Attempt) -> None:
    admin.lpush(INSPECT_QUEUE, "another station's capture")
    for name in STATIONS:
        admin.xadd(f"verdicts:{name}", {"answer": name})
    before = everything(admin)
    # DEBUG and MODULE are closed to everybody from Redis 7 on, before anybody's rights are looked at.
    with (
        plant.client("station-1") as station,
        pytest.raises(ResponseError, match=r"no permissions|not allowed") as refused,
    ):
        attempt(station)
    assert everything(admin) == before
    if isinstance(refused.value, NoPermissionError):
        assert [entry["username"] for entry in admin.acl_log()] == ["station-1"]


@pytest.mark.skipif(not APART, reason="Redis 6.2 grants a key for everything or not at all; 7.0 and later can")
def test_nor_can_it_write_to_its_own_stream_or_read_the_queue_as_one(plant: PlantRedis, admin: redis.Redis) -> None:
    with plant.client("station-1") as station:
        with pytest.raises(NoPermissionError):
            station.lpush("verdicts:station-1", "x")
        with pytest.raises(NoPermissionError):
            station.xread({INSPECT_QUEUE: "0"})
    assert admin.keys() == []


def test_on_any_redis_what_it_pushes_to_is_the_queue_and_what_it_reads_is_no_queue(
    plant: PlantRedis, admin: redis.Redis
) -> None:
    admin.lpush(INSPECT_QUEUE, "another station's capture")
    with (
        plant.client("station-1") as station,
        pytest.raises(ResponseError, match=r"no permissions|WRONGTYPE|wrong kind"),
    ):
        station.xread({INSPECT_QUEUE: "0"})


def test_nobody_gets_in_without_a_user_or_with_another_ones_password(plant: PlantRedis) -> None:
    at_once: Any = {"port": plant.port, "protocol": 2, "retry": Retry(NoBackoff(), 0)}
    for user in ({}, {"username": "station-1", "password": "password-of-station-2"}):
        with redis.Redis(**at_once, **user) as stranger, pytest.raises(AuthenticationError):
            stranger.ping()


def test_what_was_written_in_a_transaction_is_there_after_a_restart(tmp_path: Path) -> None:
    """As kombu notes what is in hand; Redis reads its AOF again by the rules of the user `default`."""
    plant = PlantRedis(tmp_path / "plant", STATIONS)
    with plant.running() as before, before.client("worker") as worker:
        with worker.pipeline(transaction=True) as pipe:
            pipe.zadd("unacked_index", {"a-tag": 1.0}).hset("unacked", "a-tag", "a message")
            pipe.execute()
        wait_until(lambda: any(b"unacked" in file.read_bytes() for file in plant.data.rglob("*.aof")), what="an AOF")
    with plant.running() as after, after.client("admin") as admin:
        assert admin.hgetall("unacked") == {"a-tag": "a message"}


def test_a_message_above_a_megabyte_is_not_taken(plant: PlantRedis, admin: redis.Redis) -> None:
    with plant.client("station-1") as station:
        station.lpush(INSPECT_QUEUE, b"x" * 1_000_000)
        with pytest.raises((ResponseError, redis.ConnectionError)):
            station.lpush(INSPECT_QUEUE, b"x" * 1_100_000)
    assert admin.llen(INSPECT_QUEUE) == 1


def test_metrics_and_the_scaler_read_lengths_and_nothing_else(plant: PlantRedis, admin: redis.Redis) -> None:
    admin.lpush(INSPECT_QUEUE, "x", "y")
    admin.xadd("verdicts:station-1", {"answer": "{}"})
    with plant.client("metrics") as metrics:
        assert (metrics.llen(INSPECT_QUEUE), metrics.xlen("verdicts:station-1")) == (2, 1)
        assert (metrics.hlen("unacked"), metrics.zcard("unacked_index"), metrics.llen("learn")) == (0, 0, 0)
        assert "used_memory" in metrics.info("memory")  # type: ignore[operator]
        for attempt in (lambda: metrics.lrange(INSPECT_QUEUE, 0, -1), lambda: metrics.lpush(INSPECT_QUEUE, "z")):
            with pytest.raises(NoPermissionError):
                attempt()
    with plant.client("worker") as worker:  # for its own metrics
        assert (worker.llen(INSPECT_QUEUE), worker.lrange(INSPECT_QUEUE, -1, -1), worker.hlen("unacked")) == (
            2,
            ["x"],
            0,
        )
    with plant.client("scaler") as scaler:
        # As KEDA asks for the length of a list.
        script = "local kind = redis.call('type', KEYS[1]).ok; return redis.call('llen', KEYS[1])"
        assert scaler.eval(script, 1, INSPECT_QUEUE) == 2
        with pytest.raises(ResponseError):
            scaler.eval("return redis.call('lrange', KEYS[1], 0, -1)", 1, INSPECT_QUEUE)


def test_the_connector_reads_what_the_plant_is_told_tells_of_insert_changes_and_nothing_else(
    plant: PlantRedis, admin: redis.Redis
) -> None:
    admin.xadd("answers", {"answer": "{}"})
    admin.xadd("verdicts:station-1", {"answer": "{}"})
    with plant.client("connect") as connector:
        assert connector.xread({"answers": "0"})
        assert connector.xrevrange("answers", count=1)
        assert connector.xrange("answers", count=1)
        assert connector.info("replication")["master_replid"]  # type: ignore[index]
        assert connector.hset("insert-changes", "an-id", "{}")
        assert connector.set("connector:an-id", "{}", ex=60)
        assert connector.hset("connectors", "an-id", "")
        assert connector.exists(LOOKED) == 0
        for attempt in (
            lambda: connector.xread({"verdicts:station-1": "0"}),
            lambda: connector.xadd("answers", {"answer": "{}"}),
            lambda: connector.hgetall("insert-changes"),
            lambda: connector.set("verdicts:station-1", "{}"),
            lambda: connector.lrange(INSPECT_QUEUE, 0, -1),
            lambda: connector.delete("answers"),
            lambda: connector.exists("inspect"),
            lambda: connector.info("server"),
            connector.info,
        ):
            with pytest.raises(NoPermissionError):
                attempt()


def test_a_connector_tells_a_system_with_its_user_and_is_refused_nothing(
    plant: PlantRedis, admin: redis.Redis, tmp_path: Path
) -> None:
    receiver, secret = Receiver(), tmp_path / "secret"
    secret.write_text(new_secret())
    file = f'site = "p"\n[webhook.mes]\nurl = "http://127.0.0.1:{receiver.port}"\nallow = ["127.0.0.1"]\n'
    line = Notifier(url_of(plant, "worker"))
    with connecting(tmp_path, url_of(plant, "connect"), f'{file}secret_files = ["{secret}"]\n') as connector:
        line.send([("station-1", verdict(1))])
        wait_until(lambda: len(receiver.taken) == 1)
        wait_until(lambda: connector.status()["mes"]["delivered"] == 1)
        wait_until(lambda: admin.hlen("connectors") == 1, what="its report")
    line.close()
    receiver.close()
    assert admin.acl_log() == []


def test_a_station_with_another_ones_user_is_told_why_it_hears_nothing(
    plant: PlantRedis, admin: redis.Redis, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    with Station("station-2", FolderStore(tmp_path), outbox, url_of(plant, "station-1")):
        wait_until(lambda: "answers cannot be read" in capsys.readouterr().out, what="a warning")
    outbox.close()


# The script itself.


@pytest.mark.parametrize(
    ("user", "password", "problem"),
    [
        ("worker", None, "redis_worker_password is missing"),
        ("worker", "", "has 0 characters"),
        ("station-1", "short", "has 5 characters: take 12 or more"),
        ("station-1", "change-me-station-1", "the example"),
        ("metrics", "two words in it", "white space"),
    ],
)
def test_it_does_not_start_with_such_a_password(tmp_path: Path, user: str, password: str | None, problem: str) -> None:
    plant = PlantRedis(tmp_path / "plant", STATIONS)
    plant.password_file(user).unlink()
    if password is not None:
        plant.password_file(user).write_text(password + "\n")
    ended = subprocess.run(
        plant.command(), env=plant.environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 78
    assert problem in ended.stderr
    assert f"redis_{user}_password" in ended.stderr
    assert not (plant.data / "users.acl").exists()


@pytest.mark.parametrize("name", ["worker", "a:b", "*", "../x", "default"])
def test_it_does_not_start_with_such_a_station(tmp_path: Path, name: str) -> None:
    plant = PlantRedis(tmp_path / "plant", STATIONS)
    environment = plant.environment | {"INSERTS_STATIONS": f"station-1 {name}"}
    ended = subprocess.run(plant.command(), env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 78
    assert "INSERTS_STATIONS" in ended.stderr


def test_no_password_stands_in_the_file_of_users(plant: PlantRedis) -> None:
    file = plant.data / "users.acl"
    text = file.read_text()
    assert file.stat().st_mode & 0o077 == 0
    assert [line.split()[1] for line in text.splitlines()] == [
        "default", "worker", *STATIONS, safe_name(ODD), "connect", "metrics", "scaler", "admin"
    ]  # fmt: skip
    assert "password-of" not in text

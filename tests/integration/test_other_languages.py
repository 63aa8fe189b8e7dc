"""A gateway in another language: what docs/integration.md shows, run as it stands there against a real worker."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest

from producer.contract.answers import ANSWERS
from producer.contract.event import new_id
from producer.contract.names import safe_name
from tests.support import RedisProcess, message, photograph, wait_until
from worker.embedded.redis_server import find_redis_server

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "integration.md").read_text(encoding="utf-8")


def examples(name: str) -> list[str]:
    """The examples of that name in the document."""
    return re.findall(rf"<!-- example: {name} -->\n```\w+\n(.*?)\n```", DOCUMENT, re.DOTALL)


def gateway_script() -> str:
    (script,) = re.findall(r"```bash\n(# example: gateway\.sh.*?)```", DOCUMENT, re.DOTALL)
    return str(script)


def schema(name: str) -> dict[str, Any]:
    text = (ROOT / "producer" / "contract" / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def test_the_examples_keep_to_the_schemas_and_to_each_other() -> None:
    (event,) = examples("event")
    jsonschema.validate(json.loads(event), schema("capture"))
    jsonschema.validate([json.loads(event)] * 2, schema("message"))
    (message,) = examples("message")
    assert base64.b64decode(json.loads(message)["body"]).decode() == f"[[{event}],{{}},{{}}]"
    (wire,) = examples("wire")
    assert wire.splitlines() == ["*3", "$5", "LPUSH", "$7", "inspect", f"${len(message.encode())}", message]
    answers = [json.loads(answer) for answer in examples("answer")]
    assert [answer["kind"] for answer in answers] == ["verdict", "check", "check", "fault"]
    assert f"<!-- example: safe -->`{safe_name('Prüfplatz 1')}`" in DOCUMENT
    for answer in answers:
        jsonschema.validate(answer, schema("answer"))
        assert ANSWERS.validate_python(answer).schema_version == answer["schema_version"]


@pytest.mark.parametrize(
    "name",
    ["gateway-1", "Prüfplatz 1", "加工機--3", "-a", "a.b_c-d", "a" * 64, "Ärger (alt) " * 5, "мельница", "7"],
)
def test_the_script_s_safe_form_of_a_name_is_the_product_s(name: str) -> None:
    (function,) = re.findall(r"(?ms)^safe_name\(\) \{.*?^\}", gateway_script())
    for locale in ("C", "C.UTF-8"):
        command = ["bash", "-euc", f'{function}\nsafe_name "$1"', "bash", name]
        told = subprocess.run(command, env=os.environ | {"LC_ALL": locale}, capture_output=True, check=True)
        assert told.stdout.decode() == f"{safe_name(name)}\n"


@pytest.fixture
def tools(tmp_path: Path) -> str:
    """A search path with `redis-cli`: the one that belongs to the Redis server of the tests."""
    server = find_redis_server()
    client = server.with_name(server.name.replace("-server", "-cli"))
    assert client.is_file(), f"{client} belongs to {server}, and the document's example needs it"
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "redis-cli").symlink_to(client)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def malformed_messages(good: dict[str, Any]) -> list[dict[str, Any]]:
    """Messages whose form is wrong below what a capture event's schema covers."""
    body = base64.b64encode(json.dumps([[{}], {}]).encode()).decode()
    without_id = {name: value for name, value in good["headers"].items() if name != "id"}
    return [{**good, "body": body}, {**good, "headers": without_id}]


def verdicts(redis: Any, station: str = "gateway-1") -> list[dict[str, Any]]:
    entries: Any = redis.xread({f"verdicts:{safe_name(station)}": "0-0"})
    answers = [json.loads(fields["answer"]) for _, entries in entries for _, fields in entries]
    return [answer for answer in answers if answer["kind"] == "verdict"]


def test_a_gateway_in_another_language(
    worker_data: Path, redis_server: RedisProcess, tools: str, tmp_path: Path
) -> None:
    """The script gets its verdict; one sent by hand twice gets the same twice; malformed ones before it do no harm."""
    for station in ("Prüfplatz 1", "gateway-1"):
        answer = told_by_the_script(station, worker_data, redis_server, tools, tmp_path)
        assert (answer["kind"], answer["outcome"], answer["pocket"]) == ("verdict", "unsure", 7), "no model yet"
        assert (answer["schema_version"], answer["machine"], answer["head"]) == (2, "Fräse 3", "Kopf Größe 2")

    redis = redis_server.client()
    (event,) = examples("event")
    (message,) = examples("message")
    image = worker_data / "images" / json.loads(event)["image"]
    image.parent.mkdir(parents=True, exist_ok=True)
    image.write_bytes(b"test")  # its digest is the one in the document; as an image it cannot be judged
    for malformed in malformed_messages(json.loads(message)):
        redis.lpush("inspect", json.dumps(malformed))
    for answers in (2, 3):  # one after the other: of copies in hand at one time only one is answered
        redis.lpush("inspect", message)
        wait_until(lambda wanted=answers: len(verdicts(redis)) == wanted, 30, "one more answer")  # type: ignore[misc]
    mine, first, second = verdicts(redis)
    assert mine == answer
    assert first == second
    assert first["outcome"] == "unusable"


def test_a_gateway_of_version_1_is_answered_in_version_1(worker_data: Path, redis_server: RedisProcess) -> None:
    """The message as the first version of the document had it, byte for byte but for its ids and its image."""
    image = photograph(size=256)
    (worker_data / "images").mkdir()
    (worker_data / "images" / "old.jpg").write_bytes(image)
    event = message(station="old-gateway", image="old.jpg", image_sha256=hashlib.sha256(image).hexdigest())
    event["check_size"] = 1
    jsonschema.validate(event, schema("capture.v1"))
    redis = redis_server.client()
    for body in ([[event], {}, {}], [[{**event, "machine": "Fräse 3", "capture_id": str(new_id())}], {}, {}]):
        (text,) = examples("message")
        sent = json.loads(text) | {"body": base64.b64encode(json.dumps(body).encode()).decode()}
        redis.lpush("inspect", json.dumps(sent))

    def told() -> list[dict[str, Any]]:
        return [json.loads(fields["answer"]) for _, fields in redis.xrange("verdicts:old-gateway")]  # type: ignore[union-attr]

    # The check may be answered twice: once with the fault, and once more with the verdict.
    wait_until(lambda: {answer["kind"] for answer in told()} == {"check", "fault", "verdict"}, 60, "answers")
    answers = told()
    for answer in answers:
        jsonschema.validate(answer, schema("answer.v1"))
    (fault,) = (answer for answer in answers if answer["kind"] == "fault")
    assert "machine: in schema_version 1 a name has letters A to Z" in fault["reason"]


def told_by_the_script(
    station: str, worker_data: Path, redis_server: RedisProcess, tools: str, tmp_path: Path
) -> dict[str, Any]:
    """What the document's script prints when it hands in a photograph."""
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(photograph(size=256))
    place = urlsplit(redis_server.url)
    environment = {
        "PATH": tools,
        "REDIS_HOST": str(place.hostname),
        "REDIS_PORT": str(place.port),
        "REDISCLI_AUTH": str(place.password),
        "IMAGES": str(worker_data / "images"),
        "OUTBOX": str(tmp_path / "gateway"),
        "STATION": station,
    }
    command = ["bash", "-c", gateway_script(), "gateway.sh", str(photo)]
    ended = subprocess.run(
        command, env=os.environ | environment, capture_output=True, encoding="utf-8", timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stderr
    answer, checked = map(json.loads, ended.stdout.splitlines())
    jsonschema.validate(answer, schema("answer"))
    assert (checked["kind"], checked["check_id"], checked["state"]) == ("check", answer["check_id"], "review")
    assert [path.name for path in (tmp_path / "gateway").iterdir()] == [".answers"]
    return dict(answer)

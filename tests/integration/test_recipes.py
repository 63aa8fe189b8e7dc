"""The recipes for the plant's systems, run as they stand in docs/integration.md: they are told by a real connector."""

from __future__ import annotations

import getpass
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from producer.connect.sinks.signature import new_secret
from tests.integration.plant import Mosquitto, check, connecting, needs_mosquitto
from tests.support import RedisProcess, wait_until
from worker.embedded.redis_server import free_port
from worker.line.notifier import Notifier

DOCUMENT = (Path(__file__).parents[2] / "docs" / "integration.md").read_text(encoding="utf-8")


@contextmanager
def recipe(folder: Path, name: str, *arguments: object) -> Iterator[Path]:
    """The program of that name, running; what it prints is in the file."""
    (text,) = re.findall(rf"```python\n(# example: {re.escape(name)}.*?)```", DOCUMENT, re.DOTALL)
    program, printed = folder / name, folder / f"{name}.out"
    program.write_text(text, encoding="utf-8")
    with printed.open("wb") as output:
        process = subprocess.Popen([sys.executable, program, *map(str, arguments)], stdout=output)
    try:
        yield printed
    finally:
        process.kill()
        process.wait()


def last_line(printed: Path) -> str:
    return printed.read_text().splitlines()[-1] if printed.stat().st_size else ""


def refuses(url: str) -> bool:
    try:
        urllib.request.urlopen(urllib.request.Request(url, data=b"{}"), timeout=10)  # noqa: S310 - our own
    except urllib.error.HTTPError as error:
        return error.code == 401
    except OSError:  # it does not listen yet
        return False
    return False


@needs_mosquitto
def test_a_plc_by_mqtt_releases_the_head_at_go_alone_and_not_while_nobody_tells(
    tmp_path: Path, redis_server: RedisProcess
) -> None:
    maker = shutil.which("mosquitto_passwd")
    if maker is None:
        pytest.skip("there is no mosquitto_passwd here (Debian: mosquitto)")
    passwords = {"inserts": "ours", "plc-1": "theirs"}
    known, rules = tmp_path / "passwords", tmp_path / "acl"
    known.write_text("".join(f"{user}:{password}\n" for user, password in passwords.items()))
    known.chmod(0o600)
    subprocess.run([maker, "-U", known], check=True)
    (text,) = re.findall(r"<!-- example: mosquitto acl -->\n```text\n(.*?)```", DOCUMENT, re.DOTALL)
    rules.write_text(text)
    rules.chmod(0o600)
    lines = ["allow_anonymous false", f"password_file {known}", f"acl_file {rules}", f"user {getpass.getuser()}"]
    broker = Mosquitto(tmp_path, lines)
    broker.start()
    own = tmp_path / "ours"
    own.write_text(passwords["inserts"])
    file = (
        f'site = "plant-1"\n[mqtt.broker]\nurl = "mqtt://127.0.0.1:{broker.port}"\nuser = "inserts"\n'
        f'password_file = "{own}"\nhome_assistant = true\ncommands = true\n'
    )
    line = Notifier(redis_server.url)
    try:
        with (
            connecting(tmp_path, redis_server.url, file) as connector,
            recipe(tmp_path, "plc_gateway.py", broker.port, passwords["plc-1"], "op-1") as printed,
        ):
            for replace, does in (((), "release []"), ((2,), "hold [2]"), ((), "release []")):
                line.send([("station-1", check("replace" if replace else "go", replace))])
                wait_until(lambda does=does: last_line(printed) == does, 30, f"that it does {does}")
            connector.kill()
            wait_until(lambda: last_line(printed) == "hold []", 30, "that it holds a head of which nobody tells")
    finally:
        line.close()
        broker.kill()


def test_an_mes_by_webhook_takes_each_event_once_and_nothing_from_others(
    tmp_path: Path, redis_server: RedisProcess
) -> None:
    port, secret = free_port(), tmp_path / "secret"
    secret.write_text(new_secret())
    url = f"http://127.0.0.1:{port}/"
    file = f'site = "plant-1"\n[webhook.mes]\nurl = "{url}"\nallow = ["127.0.0.0/8"]\nsecret_files = ["{secret}"]\n'
    line = Notifier(redis_server.url)
    with (
        recipe(tmp_path, "mes_receiver.py", port, secret) as printed,
        connecting(tmp_path, redis_server.url, file) as connector,
    ):
        wait_until(lambda: refuses(url), 60, "a receiver that refuses what is not signed")
        line.send([("station-1", check("replace", [2]))])
        wait_until(lambda: connector.status()["mes"]["delivered"] == 1, 60)
        (event_id,) = (row.split()[0] for row in connector.command("deliveries").stdout.splitlines())
        assert connector.command("replay", "mes", event_id).returncode == 0
        wait_until(lambda: connector.status()["mes"]["delivered"] == 2, 60)
        assert printed.read_text() == "inserts.check mill-1/H12 replace\n"
    line.close()

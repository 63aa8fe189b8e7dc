"""The recipes for the plant's systems, run as they stand in docs/integration.md: they are told by a real connector."""

from __future__ import annotations

import getpass
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from producer.connect.sinks.signature import new_secret
from tests.integration.plant import Mosquitto, check, connecting, needs_mosquitto
from tests.support import RedisProcess, wait_until
from worker.embedded.redis_server import free_port
from worker.line.notifier import Notifier

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "integration.md").read_text(encoding="utf-8")
METRICS = ROOT / "deploy" / "metrics"
PROMETHEUS = shutil.which("prometheus")


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
def test_a_plc_by_mqtt_releases_the_head_at_go_of_its_run_alone_while_it_is_told(
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
        of_before, of_this_run = check("go"), check("go")
        with connecting(tmp_path, redis_server.url, file) as connector:
            line.send([("station-1", of_before)])
            wait_until(lambda: connector.status()["broker"]["delivered"] == 1, 30, "a retained go of the run before")
            with recipe(tmp_path, "plc_gateway.py", broker.port, passwords["plc-1"], of_this_run.check_id) as printed:
                wait_until(lambda: printed.read_text().count("\n") == 2, 30, "that it hears what is retained")
                for replace, does in (((), "release []"), ((2,), "hold [2]"), ((), "release []")):
                    said = {"state": "replace" if replace else "go", "replace": list(replace)}
                    line.send([("station-1", of_this_run.model_copy(update=said))])
                    wait_until(lambda does=does: last_line(printed) == does, 30, f"that it does {does}")
                connector.kill()
                wait_until(lambda: last_line(printed) == "hold []", 30, "that it holds a head of which nobody tells")
                connector.start()
                wait_until(lambda: last_line(printed) == "release []", 30, "that it is told of its run again")
                broker.kill()
                wait_until(lambda: last_line(printed) == "hold []", 30, "that it holds a head without a broker")
                lines = printed.read_text().splitlines()
                assert lines[:2] == ["hold []", "hold []"], "the run before releases nothing"
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


class Prometheus:
    """A real Prometheus that scrapes one port every half second, with the rules of the plant."""

    def __init__(self, folder: Path, scraped: int):
        self.port = free_port()
        scrape = {"job_name": "connect", "static_configs": [{"targets": [f"127.0.0.1:{scraped}"]}]}
        configuration = {
            "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"},
            "rule_files": [str(METRICS / "alerts.yml")],
            "scrape_configs": [scrape],
        }
        file = folder / "prometheus.yml"
        file.write_text(yaml.safe_dump(configuration), encoding="utf-8")
        listen = f"--web.listen-address=127.0.0.1:{self.port}"
        options = [f"--config.file={file}", f"--storage.tsdb.path={folder / 'tsdb'}", listen, "--log.level=error"]
        self._process = subprocess.Popen([PROMETHEUS, *options])

    def value(self, query: str) -> dict[str, float] | None:
        """What a query comes to, by the label `sink`; None where it does not answer yet."""
        url = f"http://127.0.0.1:{self.port}/api/v1/query?" + urllib.parse.urlencode({"query": query})
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                result: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        except OSError:
            return None
        return {row["metric"].get("sink", ""): float(row["value"][1]) for row in result}

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.mark.skipif(PROMETHEUS is None, reason="there is no prometheus here (Debian: prometheus)")
def test_the_dashboard_shows_which_system_is_not_told(
    tmp_path: Path, redis_server: RedisProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last row of the dashboard, and the alert, asked of a real Prometheus that scrapes a real connector."""
    board = json.loads((METRICS / "grafana" / "dashboards" / "line.json").read_text(encoding="utf-8"))
    titles = [panel["title"] for panel in board["panels"]]
    (up, waiting, lag) = (
        panel["targets"][0]["expr"] for panel in board["panels"][titles.index("The plant's other systems") + 1 :]
    )
    port, secret = free_port(), tmp_path / "secret"
    secret.write_text(new_secret())
    monkeypatch.setenv("INSERTS_METRICS_PORT", str(port))
    url = f'url = "http://127.0.0.1:{free_port()}/"\nallow = ["127.0.0.0/8"]\nsecret_files = ["{secret}"]\n'
    file = f'site = "plant-1"\n[webhook.mes]\n{url}[webhook.quiet]\n{url}kinds = ["fault"]\n'
    line = Notifier(redis_server.url)
    prometheus = Prometheus(tmp_path, port)
    try:
        with connecting(tmp_path, redis_server.url, file):
            line.send([("station-1", check("go")), ("station-1", check("replace", [2]))])
            wait_until(lambda: prometheus.value(up) == {"mes": 0.0, "quiet": 1.0}, 60, "what is up")
            wait_until(lambda: prometheus.value(waiting) == {"mes": 2.0, "quiet": 0.0}, 30, "what waits")
            ages = prometheus.value(lag)
            assert ages is not None
            assert ages["mes"] > 0 == ages["quiet"]
        wait_until(lambda: prometheus.value("up") == {"": 0.0}, 30, "a connector that is gone")
    finally:
        prometheus.end()
        line.close()


class HomeAssistant:
    """A real Home Assistant with the recipe's automation; whom it notifies, and what its sensors show, is in a file."""

    def __init__(self, folder: Path, broker: int):
        self.heard = folder / "heard"
        self._log = folder / "home-assistant.log"
        (text,) = re.findall(r"<!-- example: home assistant -->\n```yaml\n(.*?)```", DOCUMENT, re.DOTALL)
        changed = "{{ trigger.event.data.new_state.name }} {{ trigger.event.data.new_state.state }}"
        automation = {
            "alias": "What sensors show",
            "triggers": [{"trigger": "event", "event_type": "state_changed"}],
            "conditions": "{{ trigger.event.data.entity_id.startswith('sensor.') }}",
            "mode": "queued",
            "actions": [{"action": "notify.notify", "data": {"message": changed}}],
        }
        configuration = {
            "homeassistant": {"name": "plant", "time_zone": "UTC"},
            "http": {"server_host": "127.0.0.1", "server_port": free_port()},
            "command_line": [{"notify": {"name": "notify", "command": f"(cat; echo) >> {self.heard}"}}],
            "automation": [*yaml.safe_load(text)["automation"], automation],
        }
        (folder / "configuration.yaml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
        entry = {
            "entry_id": "0" * 32,
            "domain": "mqtt",
            "title": "broker",
            "version": 1,
            "minor_version": 2,
            "data": {"broker": "127.0.0.1", "port": broker},
            "options": {},
            "source": "user",
            "unique_id": None,
            "disabled_by": None,
            "pref_disable_new_entities": False,
            "pref_disable_polling": False,
            "created_at": "2026-11-28T10:00:00+00:00",
            "modified_at": "2026-11-28T10:00:00+00:00",
            "discovery_keys": {},
        }
        stored = {"version": 1, "minor_version": 4, "key": "core.config_entries", "data": {"entries": [entry]}}
        (folder / ".storage").mkdir()
        (folder / ".storage" / "core.config_entries").write_text(json.dumps(stored), encoding="utf-8")
        with self._log.open("wb") as log:
            command = [os.environ["INSERTS_TEST_HOME_ASSISTANT"], "-c", str(folder)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)

    def lines(self) -> list[str]:
        """What it has said or shown, the newest last."""
        assert self._process.poll() is None, self._log.read_text()
        return self.heard.read_text(encoding="utf-8").split("\n")[:-1] if self.heard.exists() else []

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


@needs_mosquitto
@pytest.mark.skipif(
    "INSERTS_TEST_HOME_ASSISTANT" not in os.environ,
    reason="INSERTS_TEST_HOME_ASSISTANT names no program `hass` of Home Assistant 2024.10 or later",
)
def test_home_assistant_finds_the_head_asks_for_somebody_and_sees_us_go(
    tmp_path: Path, redis_server: RedisProcess
) -> None:
    broker, line = Mosquitto(tmp_path), Notifier(redis_server.url)
    broker.start()
    file = f'site = "plant-1"\n[mqtt.broker]\nurl = "mqtt://127.0.0.1:{broker.port}"\nhome_assistant = true\n'
    (tmp_path / "home").mkdir()
    home = HomeAssistant(tmp_path / "home", broker.port)
    try:
        with connecting(tmp_path, redis_server.url, file):
            line.send([("station-1", check("go"))])
            wait_until(lambda: "mill-1 H12 go" in home.lines(), 200, "a sensor that shows go")
            line.send([("station-1", check("replace", [2, 3]))])
            wait_until(lambda: "mill-1 H12: replace 2, 3" in home.lines(), 60, "that it asks for somebody")
            wait_until(lambda: "mill-1 H12 replace" in home.lines())
        wait_until(lambda: home.lines()[-1:] == ["mill-1 H12 unavailable"], 60, "that it misses us")
    finally:
        home.end()
        broker.kill()
        line.close()

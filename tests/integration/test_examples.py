"""What lies in examples/, run as it stands there against a real Redis and a real worker."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from producer.contract.answers import ANSWERS, CheckAnswer, VerdictAnswer
from producer.contract.names import safe_name
from producer.settings import StationSettings
from tests.support import RedisProcess, photograph, program, wait_until
from worker.embedded.redis_server import free_port

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
INSTALLED = "/opt/inserts/.venv/bin/insert-station"


def photographs(folder: Path, count: int) -> list[str]:
    paths = [folder / f"{number}.jpg" for number in range(1, count + 1)]
    for seed, path in enumerate(paths):
        path.write_bytes(photograph(seed=seed, size=256))
    return [str(path) for path in paths]


def test_every_example_is_in_the_readme() -> None:
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    names = {file.name for file in EXAMPLES.iterdir() if file.is_file()} - {"README.md"}
    assert {name for name in names if f"[{name}]({name})" in readme} == names


def test_the_stations_in_python(
    worker_data: Path, redis_server: RedisProcess, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    environment = os.environ | {"INSERTS_DATA": str(worker_data), "INSERTS_REDIS_URL": redis_server.url}
    command = [sys.executable, "examples/station.py", "--machine", "Fräse 3", "--head", "H12", "--operation", "op-1"]
    ended = subprocess.run(
        [*command, *reversed(photographs(tmp_path, 2))],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert ended.returncode == 2, ended.stderr
    *verdicts, answer = ended.stdout.splitlines()
    assert sorted(verdicts) == ["pocket 1: unsure", "pocket 2: unsure"], "no model yet"
    assert answer == "review: replace [], look at [1, 2]"
    pasted = run_as_pasted(worker_data, redis_server.url, tmp_path_factory.mktemp("clone"))
    assert "outcome='unsure'" in pasted, "no model yet"


def run_as_pasted(line: Path, redis_url: str, clone: Path) -> str:
    """What the README's station prints in a clone whose `var/demo` is the folder of that line."""
    (snippet,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (clone / "var").mkdir()
    (clone / "var" / "demo").symlink_to(line)
    (line / "head").mkdir()
    (line / "head" / "7.jpg").write_bytes(photograph(seed=7, size=256))
    (line / "redis.url").write_text(redis_url, encoding="utf-8")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("INSERTS_")}
    ended = subprocess.run(
        [sys.executable, "-c", snippet],
        cwd=clone,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("7.jpg", None, "7.jpg"),
        ("IMG_1.jpg", None, "IMG_1.jpg is not named by its pocket"),
        ("1.jpg", "lien", "there is no line in lien"),
    ],
)
def test_the_station_in_python_that_cannot_check_never_says_replace(
    tmp_path: Path, name: str, data: str | None, said: str
) -> None:
    photographs(tmp_path, 1)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("INSERTS_")}
    if data is not None:
        environment["INSERTS_DATA"] = data
    command = [sys.executable, str(EXAMPLES / "station.py"), "--machine", "m", "--head", "h", "--operation", "o", name]
    ended = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith("the head was not checked: ")
    assert said in line


@pytest.fixture
def node() -> str:
    path = shutil.which("node")
    if path is None:
        pytest.skip("there is no Node here to run the gateway in JavaScript; the one in shell runs anywhere")
    return path


def gateway(node: str, redis_url: str, data: Path, *arguments: str) -> list[str]:
    places = {"REDIS_URL": redis_url, "IMAGES": str(data / "images"), "OUTBOX": str(data / "gateway")}
    named = [f"{name}={value}" for name, value in (places | {"STATION": "Prüfplatz 1"}).items()]
    return ["env", *named, node, str(EXAMPLES / "gateway.mjs"), *arguments]


def answers(output: str) -> list[Any]:
    return [ANSWERS.validate_json(line) for line in output.splitlines()]


PLACE = ["--machine", "Fräse 3", "--head", "Kopf Größe 2", "--operation", "op-1", "--pocket", "7", "--of", "30"]


def test_the_gateway_in_javascript(worker_data: Path, redis_server: RedisProcess, node: str, tmp_path: Path) -> None:
    """It keeps what no Redis takes, and sends it at its next start, with the photograph that it is given then."""
    first, second = photographs(tmp_path, 2)
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    with (tmp_path / "gateway.err").open("w") as errors:
        command = gateway(node, nowhere, worker_data, *PLACE, first)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
    wait_until(lambda: "Redis is away" in (tmp_path / "gateway.err").read_text(), what="a word on Redis")
    process.kill()
    process.wait()
    (waiting,) = (worker_data / "gateway").iterdir()
    command = gateway(node, redis_server.url, worker_data, *PLACE[:-1], "1", second)
    ended = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    printed = answers(ended.stdout)
    (check,) = [answer for answer in printed if isinstance(answer, CheckAnswer)]
    verdicts = [answer for answer in printed if answer is not check]
    assert len(verdicts) == 2
    assert (check.state, check.size) == ("review", 1), "the other check still lacks photographs"
    assert waiting.name in {str(answer.capture_id) for answer in verdicts}
    for answer in verdicts:
        assert isinstance(answer, VerdictAnswer)
        assert (answer.machine, answer.head, answer.pocket, answer.outcome) == ("Fräse 3", "Kopf Größe 2", 7, "unsure")
    assert list((worker_data / "gateway").iterdir()) == []
    images = sorted((worker_data / "images").rglob("*.jpg"))
    assert [image.read_bytes() for image in images] == [photograph(seed=seed, size=256) for seed in (0, 1)]


@pytest.mark.parametrize(
    "name", ["gateway-1", "加工機--3", "a.b_c-d", "a" * 64, "Ärger (alt) " * 5, "A\u0308rger", "7"]
)
def test_the_gateway_s_safe_form_of_a_name_is_the_product_s(node: str, name: str) -> None:
    source = (EXAMPLES / "gateway.mjs").read_text(encoding="utf-8")
    (digest,) = re.findall(r"(?m)^const sha256 = .*$", source)
    (function,) = re.findall(r"(?ms)^function safeName\(.*?^\}", source)
    script = (
        f'import {{ createHash }} from "node:crypto";\n{digest}\n{function}\nconsole.log(safeName(process.argv[1]))'
    )
    command = [node, "--input-type=module", "--eval", script, name]
    assert subprocess.run(command, capture_output=True, check=True, encoding="utf-8").stdout == f"{safe_name(name)}\n"


def variables() -> dict[str, str]:
    """What the service's file of variables sets."""
    lines = (EXAMPLES / "folder-camera.env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_the_folder_camera_s_unit_is_one_of_systemd_s(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd here to verify the folder camera's unit")
    text = (EXAMPLES / "folder-camera.service").read_text(encoding="utf-8")
    assert INSTALLED in text
    unit = tmp_path / "folder-camera.service"
    unit.write_text(text.replace(INSTALLED, program("insert-station")), encoding="utf-8")
    verified = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, encoding="utf-8", check=False)
    mine = [line for line in verified.stderr.splitlines() if unit.name in line]  # others are of the machine's own units
    assert (verified.returncode, mine) == (0, []), verified.stderr


def test_the_folder_camera_s_variables_are_known() -> None:
    known = {f"INSERTS_{name}".upper() for name in StationSettings.model_fields}
    assert variables().keys() - known == {"FOLDER", "CHECK_SIZE"}


def test_the_folder_camera_s_command(worker_data: Path, redis_server: RedisProcess, tmp_path: Path) -> None:
    folder = tmp_path / "camera"
    operation = folder / "mill-3" / "H12" / "op-1"
    operation.mkdir(parents=True)
    here = {
        "FOLDER": str(folder),
        "CHECK_SIZE": "1",
        "INSERTS_DATA": str(worker_data),
        "INSERTS_IMAGES": str(worker_data / "images"),
        "INSERTS_REDIS_URL": redis_server.url,
    }
    environment = variables() | here
    del environment["INSERTS_REDIS_PASSWORD_FILE"]  # the password of the test's Redis is in its URL
    unit = (EXAMPLES / "folder-camera.service").read_text(encoding="utf-8")
    (line,) = re.findall(r"(?m)^ExecStart=(.*)$", unit)
    # As systemd does: words first, then a variable in each, which stays one word.
    words = [re.sub(r"\$\{(\w+)\}", lambda name: environment[name[1]], word) for word in shlex.split(line)]
    assert words[0] == INSTALLED
    out, err = tmp_path / "camera.out", tmp_path / "camera.err"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        command = [program("insert-station"), *words[1:]]
        process = subprocess.Popen(command, env=os.environ | environment, stdout=stdout, stderr=stderr)
    try:
        photographs(operation, 1)

        def kinds() -> set[str]:
            whole = [text for text in out.read_text().splitlines(keepends=True) if text.endswith("\n")]
            return {json.loads(text)["kind"] for text in whole}

        wait_until(lambda: kinds() == {"verdict", "check"} or process.poll() is not None, 60, "answers")
        assert process.poll() is None, err.read_text()
        assert (folder / "submitted" / "mill-3" / "H12" / "op-1" / "1.jpg").is_file()
    finally:
        process.terminate()
        assert process.wait(30) == 0

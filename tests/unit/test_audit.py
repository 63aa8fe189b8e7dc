from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests import audit
from tests.audit import LOCKS, NotAudited, accepted_in, locked, open_advisories, read

SKIPPED = {"name": "absl-py", "skip_reason": "Dependency not found on PyPI and could not be audited: absl-py (2.5.1)"}
SAFE = {"name": "celery", "version": "5.7.0", "vulns": []}
KNOWN = {
    "name": "pillow",
    "version": "11.0.0",
    "vulns": [
        {"id": "PYSEC-2026-1", "fix_versions": ["11.0.1"], "aliases": ["CVE-2026-1"], "description": "…"},
        {"id": "GHSA-aaaa", "fix_versions": [], "aliases": [], "description": "…"},
    ],
}


def report(*packages: dict[str, Any]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def test_advisories_are_named_with_their_package_and_what_to_do() -> None:
    found = read(report(SKIPPED, SAFE, KNOWN))
    assert (found.audited, found.skipped) == (2, 1)
    assert [str(each) for each in found.advisories] == [
        "pillow 11.0.0: PYSEC-2026-1, CVE-2026-1 (fixed in 11.0.1)",
        "pillow 11.0.0: GHSA-aaaa (no version without it yet)",
    ]


@pytest.mark.parametrize("text", [report(SKIPPED, SKIPPED), report(), "", "no JSON", "[]"])
def test_where_nothing_was_audited_it_says_so(text: str) -> None:
    with pytest.raises(NotAudited):
        read(text)


def test_one_is_accepted_by_any_of_its_names() -> None:
    found = read(report(KNOWN))
    assert open_advisories(found, {}) == list(found.advisories)
    assert [each.names for each in open_advisories(found, {"CVE-2026-1": "why"})] == [("GHSA-aaaa",)]


def test_what_is_accepted_needs_a_reason(tmp_path: Path) -> None:
    file = tmp_path / "advisories.toml"
    file.write_text('GHSA-aaaa = "never called here"\n')
    assert accepted_in(file) == {"GHSA-aaaa": "never called here"}
    file.write_text('GHSA-aaaa = " "\n')
    with pytest.raises(ValueError, match="GHSA-aaaa is accepted without a reason"):
        accepted_in(file)
    assert accepted_in(LOCKS / "advisories.toml") == {}


def test_every_pin_of_every_lock_is_asked_for() -> None:
    locks = sorted(LOCKS.glob("*.lock"))
    pins = locked(locks)
    assert {lock.stem for lock in locks} == {
        "build",
        "connect",
        "console",
        "db",
        "dev",
        "learn",
        "s3",
        "station",
        "worker",
    }
    assert any(pin.startswith("celery==5.7") for pin in pins)
    assert any(pin.startswith("tensorflow==") for pin in pins)
    lines = [line.split(" ")[0] for lock in locks for line in lock.read_text().splitlines() if "==" in line]
    assert {line for line in lines if line and line[0].isalnum()} == set(pins)


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        (NotAudited("no answer within 60 s"), 0, "NOTHING WAS AUDITED"),
        (read(report(SAFE, SKIPPED)), 0, "1 packages audited, 1 unknown to the index, 0 open"),
        (read(report(KNOWN)), 1, "pillow 11.0.0: PYSEC-2026-1"),
    ],
)
def test_only_an_open_advisory_fails(
    answer: object, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def audited(pins: list[str]) -> object:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(audit, "audited", audited)
    assert audit.main() == code
    assert said in capsys.readouterr().out

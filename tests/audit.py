"""`python -m tests.audit`: known advisories against what is locked, as far as this machine can ask for them.

Fails on an advisory that is not accepted in `locks/advisories.toml`. Where there is no connection, or the package
index serves no advisories (an air-gapped mirror), one line says that nothing was audited, and it does not fail.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LOCKS: Final = Path(__file__).parents[1] / "locks"

LIMIT: Final = 60.0
"""Seconds for all of it; pip-audit asks for one package after the other."""


class NotAudited(Exception):
    """Nothing is known; the message says why."""


@dataclass(frozen=True)
class Advisory:
    """What is known against one package."""

    package: str
    version: str
    names: tuple[str, ...]
    fixed_in: tuple[str, ...]

    def __str__(self) -> str:
        fixed = f"fixed in {', '.join(self.fixed_in)}" if self.fixed_in else "no version without it yet"
        return f"{self.package} {self.version}: {', '.join(self.names)} ({fixed})"


@dataclass(frozen=True)
class Report:
    """What pip-audit found out, and of how many packages."""

    audited: int
    skipped: int
    advisories: tuple[Advisory, ...]


def read(text: str) -> Report:
    """pip-audit's JSON as a report.

    Raises:
        NotAudited: it is none, or no package in it was audited.
    """
    try:
        packages = json.loads(text)["dependencies"]
    except (ValueError, KeyError, TypeError):
        raise NotAudited("pip-audit gave no report") from None
    audited = [package for package in packages if "skip_reason" not in package]
    if not audited:
        raise NotAudited(packages[0]["skip_reason"] if packages else "there is nothing to audit")
    advisories = tuple(
        Advisory(package["name"], package["version"], (each["id"], *each["aliases"]), tuple(each["fix_versions"]))
        for package in audited
        for each in package["vulns"]
    )
    return Report(len(audited), len(packages) - len(audited), advisories)


def open_advisories(report: Report, accepted: Mapping[str, str]) -> list[Advisory]:
    """The advisories that nobody has accepted, under any of their names."""
    return [each for each in report.advisories if not accepted.keys() & set(each.names)]


def accepted_in(file: Path) -> dict[str, str]:
    """The accepted advisories and why they are.

    Raises:
        ValueError: one has no reason.
    """
    accepted = tomllib.loads(file.read_text(encoding="utf-8"))
    for name, reason in accepted.items():
        if not isinstance(reason, str) or not reason.strip():
            raise ValueError(f"{file}: {name} is accepted without a reason")
    return accepted


def locked(locks: Iterable[Path]) -> list[str]:
    """What the lock files pin, each `NAME==VERSION` once; of a version for some Pythons only, that too."""
    return sorted(
        {pin for lock in locks for pin in re.findall(r"^([\w.-]+==[\w.!+-]+)", lock.read_text(), re.MULTILINE)}
    )


def audited(pins: list[str]) -> Report:
    """Ask for what is known against these.

    Raises:
        NotAudited: it cannot be known here.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requirements.txt"
        file.write_text("\n".join(pins) + "\n", encoding="utf-8")
        command = ["-m", "pip_audit", "--requirement", str(file), "--no-deps", "--disable-pip", "--format", "json"]
        quick = ["--progress-spinner", "off", "--timeout", "5"]
        try:
            done = subprocess.run(
                [sys.executable, *command, *quick], capture_output=True, text=True, timeout=LIMIT, check=False
            )
        except subprocess.TimeoutExpired:
            raise NotAudited(f"no answer within {LIMIT:.0f} s") from None
    try:
        return read(done.stdout)
    except NotAudited as error:
        raise NotAudited(
            done.stderr.strip().splitlines()[-1] if not done.stdout and done.stderr.strip() else error
        ) from None


def main() -> int:
    """Audit the locks; the exit code."""
    pins = locked(sorted(LOCKS.glob("*.lock")))
    try:
        accepted = accepted_in(LOCKS / "advisories.toml")
        audited(pins[:1])  # so that a machine without advisories knows it at once
        report = audited(pins)
    except NotAudited as error:
        print(f"audit: NOTHING WAS AUDITED, no advisories can be had here: {error}")
        return 0
    found = open_advisories(report, accepted)
    for advisory in found:
        print(f"audit: {advisory}")
    left = f", {report.skipped} unknown to the index" if report.skipped else ""
    print(f"audit: {report.audited} packages audited{left}, {len(found)} open advisories, {len(accepted)} accepted")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

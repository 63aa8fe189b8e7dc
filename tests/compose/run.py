"""`python -m tests.compose.run`: the containers, really run; prints a table and writes var/compose-test.json.

Builds the images, brings the stack up with three inspect workers and two simulated stations, kills its parts in turn
(whole workers, and one worker's processes one by one), scales it, upgrades its schema with data in it, and ends with
the checker of the fault tests. Everything has a project name of its own and is taken away afterwards; only the images
stay, for the next run. Exit code 0 only if nothing was lost, judged twice or left under way; also where no container
engine answers, which it says.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.compose.scenario import PROCESSES, Day, Say, confined, memory_mib, refusals
from tests.compose.stack import LINE, ROOT, TAG, Stack, StackError, compose_program, docker

RESULTS = ROOT / "var" / "compose-test.json"
LARGEST_WORKER = 600
"""Megabytes of the image that judges, at most."""

SETTINGS = {
    "REDIS_LISTEN": "127.0.0.1:",  # whatever port is free
    "INSPECT_WORKERS": "3",
    "INSERTS_PROCESSES": str(PROCESSES),
    "SIMULATED_POCKETS": "12",
    "SIMULATED_EVERY": "4",
    "SIMULATED_TIMEOUT": "10",
}


def main() -> int:
    """Run it and return the exit code."""
    parser = argparse.ArgumentParser(description="Bring the containers up, kill, scale and upgrade them, and count.")
    parser.add_argument("--no-build", action="store_true", help="Take the images of the last run.")
    parser.add_argument("--keep", action="store_true", help="Leave everything running, to look at it.")
    options = parser.parse_args()
    program = compose_program()
    if program is None:
        print("skipped: no container engine answers (`docker version`), or there is no compose for it")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that a run that is cut off is cleaned up too
    table: dict[str, object] = {}

    def say(what: str, value: object) -> None:
        table[what] = value
        print(f"{time.strftime('%H:%M:%S')}  {what}: {value}", flush=True)

    project = f"inserts-test-{secrets.token_hex(3)}"
    folder = ROOT / "var" / project
    folder.mkdir(parents=True)
    subprocess.run(
        [str(ROOT / "deploy" / "secrets.sh"), str(folder / "secrets")], check=True, stdout=subprocess.DEVNULL
    )
    settings = SETTINGS | ({"BUILD_NETWORK": os.environ["BUILD_NETWORK"]} if "BUILD_NETWORK" in os.environ else {})
    stack = Stack(program, project, folder, settings)
    say("compose", stack.compose("version", "--short").strip())
    try:
        if not options.no_build:
            started = time.monotonic()
            stack.compose("build")
            say("images built in", f"{time.monotonic() - started:.0f} s")
        for role in ("station", "db", "worker", "learn"):
            size = int(docker("image", "inspect", "-f", "{{.Size}}", f"insert-inspection-{role}:{TAG}")) / 1e6
            say(f"image insert-inspection-{role}", f"{size:.0f} MB")
            if role == "worker" and size > LARGEST_WORKER:
                raise StackError(f"the image that judges has more than {LARGEST_WORKER} MB")
        started = time.monotonic()
        kept = run(stack, folder, say)
        say("seconds, without the build", round(time.monotonic() - started))
    except (StackError, subprocess.SubprocessError, OSError) as error:
        print(f"failed: {error}", file=sys.stderr)
        for service in LINE:
            print(stack.compose("logs", "--no-color", "--tail", "15", service, check=False), file=sys.stderr)
        kept = False
    finally:
        if options.keep:
            print(f"left running: project {project}, {folder}")
        else:
            stack.compose("down", "--volumes", "--remove-orphans", check=False)
            shutil.rmtree(folder)
    print()
    width = max(map(len, table))
    for what, value in table.items():
        print(f"{what:<{width}}  {value}")
    print("kept" if kept else "NOT KEPT")
    write_results(RESULTS, table | {"kept": kept})
    return 0 if kept else 1


def run(stack: Stack, folder: Path, say: Say) -> bool:
    """The day and its count; whether everything was kept."""
    refusals(stack, folder, say)
    stack.up(3)
    say("all healthy, three workers and two stations, after", f"{stack.wait_until_healthy(3):.0f} s")
    say("containers without root, capabilities or a writable root", confined(stack))
    day = Day(stack, say)
    day.first_model()
    say("memory of the whole stack", f"{memory_mib(stack.project):.0f} MiB")
    day.kill_a_worker()
    day.crash_a_worker()
    day.kill_children()
    day.kill_service("redis")
    day.kill_service("postgres")
    day.scale(1)
    day.scale(3)
    day.upgrade()
    say("memory of the whole stack at the end", f"{memory_mib(stack.project):.0f} MiB")
    found = day.end()
    denied = day.denied()
    say("refused by Redis's users, to our own programs", ", ".join(denied) or "nothing")
    for name in ("submitted", "judged", "faults", "lost", "duplicates"):
        say(name, getattr(found, name))
    say("left under way", found.left or "nothing")
    return found.lost == found.duplicates == 0 and not found.left and not denied


def write_results(file: Path, table: dict[str, object]) -> None:
    """The table as JSON."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(table, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())

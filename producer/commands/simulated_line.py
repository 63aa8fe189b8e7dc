"""The checks that `insert-station simulate` runs: rendered inserts, or photographs from a list."""

from __future__ import annotations

import csv
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any

from producer.contract.event import CaptureEvent
from producer.files.file_kinds import no_file
from producer.station.head_check import CheckResult, Photograph, run_check
from producer.station.station import Received, Station
from producer.storage.store import ImageStore
from producer.terminal.output import say, say_json

TRUTH_SUFFIX = ".truth.json"
"""What a simulated image's key ends with where its truth is kept, beside the image."""


@dataclass(frozen=True)
class SimulatedCheck:
    """One head after one operation: its photographs and, for each pocket, what the insert really is.

    `change` takes the pockets that the answer says to replace, and returns those whose insert is changed then.
    """

    operation: str
    photographs: list[Photograph]
    truth: Mapping[int, str]
    change: Callable[[Iterable[int]], list[int]] | None = None


def rendered(pockets: int, seed: int) -> Iterator[SimulatedCheck]:
    """Checks of one simulated head without end, an operation before each; its inserts are changed as they are told."""
    from producer.simulation.head import SimulatedHead
    from producer.simulation.insert_changes import SimulatedChanges

    head = SimulatedHead(pockets=pockets, seed=seed)
    changes = SimulatedChanges(head, seed)
    for number in count(1):
        head.operate()
        shown, truth = [], {}
        for pocket in range(1, pockets + 1):
            image, truth[pocket] = head.photograph(pocket)
            shown.append(Photograph(pocket, image, head.operations_on_edge(pocket)))
        yield SimulatedCheck(f"op-{number:04d}", shown, truth, changes.hear)


def from_list(file: Path, pockets: int) -> Iterator[SimulatedCheck]:
    """The photographs that a CSV file lists, `pockets` to a check (fewer in the last one).

    Raises:
        ValueError: the file has no columns `file` and `truth`, or names what is no file.
    """
    with file.open(newline="", encoding="utf-8") as rows:
        reader = csv.DictReader(rows)
        if not {"file", "truth"} <= set(reader.fieldnames or ()):
            raise ValueError(f"{file} must be a CSV file with the columns file and truth")
        for number in count(1):
            part = list(islice(reader, pockets))
            if not part:
                return
            for row in part:
                if (kind := no_file(Path(row["file"]).stat().st_mode)) is not None:
                    raise ValueError(f"{file}: {row['file']} is {kind} and no photograph's file")
            shown = [Photograph(pocket, Path(row["file"]).read_bytes()) for pocket, row in enumerate(part, 1)]
            truth = {pocket: row["truth"] for pocket, row in enumerate(part, 1)}
            yield SimulatedCheck(f"op-{number:04d}", shown, truth)


class Simulation:
    """Runs checks one after the other and reports what happens, to a person or to a program."""

    def __init__(self, settings: Any, machine: str, head: str, timeout: float, as_json: bool):
        self._settings = settings
        self._machine = machine
        self._head = head
        self._timeout = timeout
        self._as_json = as_json
        self._speaking = threading.Lock()

    def run(self, checks: Iterator[SimulatedCheck], every: float) -> bool:
        """Run them all, one each `every` seconds at most; True if every one of them finished."""
        from producer.commands.opening import open_station

        finished = True
        with open_station(self._settings, on_answer=self._hear, measured=True) as (station, _):
            for check in checks:
                started = time.monotonic()
                finished &= self._check(station, check)
                time.sleep(max(0.0, every - (time.monotonic() - started)))
        return finished

    def _check(self, station: Station, check: SimulatedCheck) -> bool:
        images = self._settings.image_store()
        self._say("check", operation=check.operation, size=len(check.photographs))
        result = run_check(
            station,
            check.photographs,
            machine=self._machine,
            head=self._head,
            operation=check.operation,
            check_size=len(check.photographs),
            timeout=self._timeout,
            on_submit=self._keep_truth(images, check),
        )
        answer = result.answer
        self._say(
            "checked",
            operation=check.operation,
            check_id=str(result.check_id),
            state=answer.state if answer else "pending",
            replace=answer.replace if answer else [],
            review=answer.review if answer else [],
            seconds=latencies(result),
        )
        if answer is not None and check.change is not None and (changed := check.change(answer.replace)):
            self._say("changed", operation=check.operation, pockets=changed)
        return answer is not None

    def _keep_truth(self, images: ImageStore, check: SimulatedCheck) -> Callable[[CaptureEvent], None]:
        def keep(event: CaptureEvent) -> None:
            truth = check.truth[event.pocket]
            images.put(event.image + TRUTH_SUFFIX, json.dumps({"truth": truth}).encode())
            capture_id = str(event.capture_id)
            self._say("submitted", operation=event.operation, capture_id=capture_id, pocket=event.pocket, truth=truth)

        return keep

    def _hear(self, received: Received) -> None:
        answer = received.answer
        if answer.kind != "check":
            self._say("answer", **answer.model_dump(mode="json", exclude_none=True))

    def _say(self, event: str, **values: Any) -> None:
        with self._speaking:
            if self._as_json:
                say_json({"event": event, **values})
            elif event == "checked":
                replace = f", replace {values['replace']}" if values["replace"] else ""
                review = f", look at {values['review']}" if values["review"] else ""
                say(f"{values['operation']}: {values['state']}{replace}{review}")
            elif event == "changed":
                say(f"{values['operation']}: new inserts in {values['pockets']}")


def latencies(result: CheckResult) -> dict[str, float]:
    """Seconds from just before the submit to the answer seen by the station, for each answered capture."""
    return {
        str(event.capture_id): round(result.answers[event.capture_id].at - started, 6)
        for event, started in result.submitted
        if event.capture_id in result.answers
    }

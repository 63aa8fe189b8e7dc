"""A station in Python: the photographs of a head go in, and what to do with each insert comes back.

    python examples/station.py --machine mill-3 --head H12 --operation op-0815 1.jpg 2.jpg 3.jpg

Where Redis and the images are, and what the station is called, say the `INSERTS_…` variables, as for `insert-station`
(docs/operations.md). Exit code 0: go. 1: replace inserts. 2: a person must look, or the answer is not here yet.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from producer import Photograph, Received, StationSettings, VerdictAnswer, open_station, run_check


def main() -> int:
    """Check a head, or say in a sentence why it cannot be checked."""
    parser = argparse.ArgumentParser(description="Check the inserts of a head.")
    parser.add_argument("--machine", required=True)
    parser.add_argument("--head", required=True)
    parser.add_argument("--operation", required=True)
    parser.add_argument("--timeout", type=float, default=120.0, help="seconds to wait for the answer")
    parser.add_argument("photographs", type=Path, nargs="+", help="one for each pocket, named by it: 1.jpg, 2.jpg")
    options = parser.parse_args()
    try:
        return check(options)
    except Exception as error:  # noqa: BLE001  a traceback ends with exit code 1, and that says: replace inserts
        print(f"the head was not checked: {error}", file=sys.stderr)
        return 2


def check(options: argparse.Namespace) -> int:
    """Hand in a head's photographs, and print what the line says of each and of the head."""
    photographs = [photograph(path) for path in options.photographs]
    with open_station(StationSettings(), on_answer=show) as (station, outbox):
        result = run_check(
            station,
            photographs,
            machine=options.machine,
            head=options.head,
            operation=options.operation,
            # How many pockets the head has: nobody says so here, and the line may know of more.
            check_size=max(photograph.pocket for photograph in photographs),
            check_size_counted=True,
            timeout=options.timeout,
        )
        waiting = len(outbox)
    reason = result.answer.reason if result.answer is not None else None  # what contradicts itself, if anything
    print(f"{result.state}: replace {result.replace}, look at {result.review}" + (f": {reason}" if reason else ""))
    if waiting:
        print(f"{waiting} photographs are not answered yet; the next start sends them again", file=sys.stderr)
    return result.exit_code


def photograph(path: Path) -> Photograph:
    """The photograph of the pocket that the file is named by: a shell puts 10.jpg before 2.jpg."""
    if not path.stem.isdecimal():
        raise ValueError(f"{path} is not named by its pocket, like 7.jpg")
    return Photograph(int(path.stem), path.read_bytes())


def show(received: Received) -> None:
    """Print a verdict as it comes; called from a thread of the station's."""
    answer = received.answer
    if isinstance(answer, VerdictAnswer):
        print(f"pocket {answer.pocket}: {answer.outcome}", flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""`insert-station simulate`: a simulated station, which shows rendered inserts or photographs from a list."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from producer.commands.options import seconds, settings_of
from producer.contract.vocabulary import SIMULATED_MACHINE
from producer.terminal.counts import counted
from producer.terminal.exit_codes import FAILED
from producer.terminal.options import LARGEST, Json
from producer.terminal.output import say


def simulate(
    context: typer.Context,
    checks: Annotated[int, typer.Option(min=0, max=LARGEST, help="How many operations to check; 0: until Ctrl-C.")] = 3,
    pockets: Annotated[int, typer.Option(min=1, max=999, help="Inserts in the head.")] = 30,
    seed: Annotated[int, typer.Option(min=0, max=LARGEST, help="The same seed gives the same inserts.")] = 1,
    every: Annotated[float, seconds("Seconds from the start of a check to the next start, at least.")] = 0.0,
    machine: Annotated[
        str,
        typer.Option(
            help="The simulated machine's name. Under any other name, other systems take its checks for real."
        ),
    ] = SIMULATED_MACHINE,
    head: Annotated[str, typer.Option(help="The simulated head's name.")] = "sim-head",
    photographs: Annotated[
        Path | None, typer.Option(help="Show these photographs instead: a CSV file with the columns file, truth.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option(help="Only render a labelled set into this folder, with a sub-folder for each class.")
    ] = None,
    images: Annotated[int, typer.Option(min=1, max=LARGEST, help="With --to: the number of images.")] = 300,
    timeout: Annotated[float, seconds("Seconds to wait for each check.")] = 120.0,
    as_json: Json = False,
) -> None:
    """Simulate a station: rendered inserts of one head that wear and break from operation to operation.

    Shapes, coatings, light, wear lands, chipping, broken corners, dirt and noise vary. The image store keeps the truth
    beside each image, under the image's key with `.truth.json` appended. With `--json` each event is a line. When an
    answer says "replace", most inserts are changed at once, some an operation later, and some only when the head is
    serviced.

    Exit codes: 0: every check finished. 2: a check did not finish.

    Examples:

    - `insert-station simulate --pockets 12`
    - `insert-station simulate --to labelled --images 240`
    """
    if to is not None:
        from producer.simulation.head import write_labelled_folder

        write_labelled_folder(to, images, seed, head=seed)
        say(f"{counted(images, 'image')} in {to}")
        return
    from producer.commands.simulated_line import Simulation, from_list, rendered

    shown = from_list(photographs, pockets) if photographs else rendered(pockets, seed)
    finished = Simulation(settings_of(context), machine, head, timeout, as_json).run(
        islice(shown, checks) if checks else shown, every
    )
    raise typer.Exit(0 if finished else FAILED)

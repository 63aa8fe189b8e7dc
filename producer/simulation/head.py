"""Simulated milling heads: their inserts wear and break from operation to operation, and are photographed.

Everything is seeded: the same arguments give the same heads, the same wear and the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from producer.simulation.insert import TRUE_LABELS, WORN_FLANK_MM, Condition, Insert, TrueLabel
from producer.simulation.rendering import render
from producer.simulation.view import View

# Between light wear and a tool-life criterion lies a range that no two people label alike. Wear that enters it has
# left the steady stage of its life and crosses within one operation, as it does on the shop floor.
DOUBTFUL_MM = (0.2, 0.38)


@dataclass(frozen=True)
class SimulatedEdge:
    """The cutting edge that a pocket works with."""

    insert: Insert
    condition: Condition
    wear_rate: float  # relative to its neighbours: runout makes some teeth cut more than others
    operations: int = 0


class SimulatedHead:
    """A milling head under one inspection station: `box` is what its inserts are like, `station` the camera's view."""

    def __init__(
        self,
        pockets: int = 30,
        seed: int = 0,
        wear_per_operation: float = 0.055,
        break_probability: float = 0.01,
        size: int = 512,
    ) -> None:
        """New inserts in every pocket, numbered from 1.

        Args:
            pockets: how many there are.
            seed: the same one gives the same head, wear and photographs.
            wear_per_operation: the mean flank wear in mm that an operation adds in the steady stage.
            break_probability: the chance that an operation breaks an insert of middling wear.
            size: width and height of the photographs, in pixels.

        Raises:
            ValueError: there is no pocket.
        """
        if pockets < 1:
            raise ValueError(f"a head has at least one pocket, not {pockets}")
        self._rng = np.random.default_rng([seed, 11])
        self.box = Insert.random(self._rng)
        self.station = _set_up(self._rng)
        self._wear_per_operation = wear_per_operation
        self._break_probability = break_probability
        self._size = size
        self._edges = {pocket: self._new() for pocket in range(1, pockets + 1)}

    def _new(self) -> SimulatedEdge:
        condition = Condition(pattern=int(self._rng.integers(2**31)))
        return SimulatedEdge(self.box.twin(self._rng), condition, float(self._rng.lognormal(0, 0.4)))

    @property
    def pockets(self) -> tuple[int, ...]:
        """The numbers of the pockets."""
        return tuple(self._edges)

    def edge(self, pocket: int) -> SimulatedEdge:
        """The edge that a pocket works with.

        Raises:
            KeyError: the head has no such pocket.
        """
        return self._edges[pocket]

    def truth(self, pocket: int) -> TrueLabel:
        """The ground truth of the edge in a pocket, whatever a photograph shows."""
        return self._edges[pocket].condition.label

    def operations_on_edge(self, pocket: int) -> int:
        """How many operations the edge in a pocket has done.

        Raises:
            KeyError: the head has no such pocket.
        """
        return self._edges[pocket].operations

    def operate(self) -> None:
        """One machining operation: every insert wears, and some chip or break."""
        for pocket, edge in self._edges.items():
            self._edges[pocket] = replace(edge, condition=self._worn(edge), operations=edge.operations + 1)

    def _worn(self, edge: SimulatedEdge) -> Condition:
        rng, was = self._rng, edge.condition
        low, high = DOUBTFUL_MM
        pace = 2.0 if was.flank_wear >= WORN_FLANK_MM else 1.0  # a worn edge cuts hot and wears faster
        grown = was.flank_wear + pace * self._wear_per_operation * edge.wear_rate * float(rng.gamma(4, 0.25))
        if low < grown < high:
            grown = high + (grown - low) / 2
        chipping = was.chipping + float(rng.uniform(0, 0.03))
        if rng.random() < self._break_probability:
            chipping = max(chipping, float(rng.uniform(0.6, 1.0)))
        size = was.break_size
        if size == 0 and rng.random() < self._break_probability * (0.5 + 6 * was.flank_wear):
            size = float(rng.uniform(0.9, 2.8))
        return Condition(min(grown, 1.6), chipping if chipping >= 0.6 else min(chipping, 0.15), size, was.pattern)

    def replace(self, pocket: int) -> None:
        """Put a new insert into a pocket.

        Raises:
            KeyError: the head has no such pocket.
        """
        self.edge(pocket)
        self._edges[pocket] = self._new()

    def photograph(self, pocket: int) -> tuple[bytes, TrueLabel]:
        """A photograph of a pocket as it is now, as a JPEG, and its ground truth.

        Raises:
            KeyError: the head has no such pocket.
        """
        edge = self.edge(pocket)
        picture = render(edge.insert, edge.condition, self.station.again(self._rng), self._size)
        return _jpeg(picture), edge.condition.label


def _set_up(rng: np.random.Generator) -> View:
    """A carefully set up station: near enough, sharp, well lit, and the flank in view."""
    return replace(
        View.random(rng),
        field=float(rng.uniform(4, 8)),
        yaw=float(rng.choice([-1, 1]) * rng.uniform(10, 45)),
        tilt=float(rng.uniform(10, 35)),
        exposure=float(rng.uniform(0.25, 0.55)),
        blur=float(rng.uniform(0.0005, 0.002)),
        noise=float(rng.uniform(0.004, 0.015)),
    )


def labelled_images(
    count: int, seed: int, size: int = 512, head: int | None = None
) -> Iterator[tuple[bytes, TrueLabel]]:
    """JPEGs with their truth, in turn intact, worn, intact and broken: half of them damaged.

    With `head`, they are of the inserts and the station of `SimulatedHead(seed=head)`, as a first day's labelled
    photographs of that line would be; without, each is of any insert at any station.
    """
    rng = np.random.default_rng([seed, 13])
    line = None if head is None else SimulatedHead(1, head)
    for number in range(count):
        label = TRUE_LABELS[(0, 1, 0, 2)[number % 4]]
        if line is None:
            insert, view = Insert.random(rng), View.random(rng)
        else:
            insert, view = line.box.twin(rng), line.station.again(rng)
        yield _jpeg(render(insert, Condition.random(rng, label), view, size)), label


def write_labelled_folder(folder: Path, count: int, seed: int, size: int = 512, head: int | None = None) -> None:
    """`labelled_images` as files, folder/intact, folder/worn and folder/broken, to train a first model on."""
    for label in TRUE_LABELS:
        (folder / label).mkdir(parents=True, exist_ok=True)
    for number, (image, label) in enumerate(labelled_images(count, seed, size, head)):
        (folder / label / f"{label}-{number:05d}.jpg").write_bytes(image)


def _jpeg(picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=92)
    return file.getvalue()

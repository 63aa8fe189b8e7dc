"""What an indexable insert is before anybody photographs it: its outline, its coating and its wear.

The simulated line draws these; nothing here knows about cameras. Lengths are millimetres.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

import numpy as np

from producer.contract.vocabulary import DamageKind
from producer.runtime.arrays import Float64Array

TrueLabel = Literal["intact", DamageKind]
"""What a simulated insert is; no label beside these says something else of one that is known."""

TRUE_LABELS: Final[tuple[TrueLabel, ...]] = get_args(TrueLabel)
"""All that a simulated insert can be."""

# Tool-life criteria of ISO 8688-1 (face milling) and ISO 8688-2 (end milling): a flank wear land of 0.3 mm averaged
# along the edge, or 0.5 mm anywhere on it; a chip out of the edge counts as such localized wear.
WORN_FLANK_MM = 0.3
WORN_LOCAL_MM = 0.5

# ISO 1832 shape letter: the included angles of the corners, in turn round the inserted circle. R has no corner.
SHAPES: dict[str, tuple[float, ...]] = {
    "S": (90, 90, 90, 90),
    "C": (80, 100, 80, 100),
    "D": (55, 125, 55, 125),
    "T": (60, 60, 60),
    "W": (80, 160, 80, 160, 80, 160),
    "H": (120, 120, 120, 120, 120, 120),
    "O": (135, 135, 135, 135, 135, 135, 135, 135),
    "R": (),
}

# What the camera sees of each surface: linear red, green and blue reflectance.
COATINGS: dict[str, tuple[float, float, float]] = {
    "TiN": (0.66, 0.46, 0.15),
    "TiCN": (0.29, 0.28, 0.31),
    "TiAlN": (0.19, 0.175, 0.215),
    "AlTiN": (0.34, 0.23, 0.14),
    "AlCrN": (0.27, 0.29, 0.31),
    "Al2O3": (0.07, 0.07, 0.08),
    "TiB2": (0.58, 0.58, 0.60),
    "uncoated": (0.42, 0.43, 0.45),
}

CHIP_BREAKERS = ("flat", "land", "groove")


@dataclass(frozen=True)
class Insert:
    """What one insert looks like, apart from its wear."""

    shape: str  # a key of SHAPES
    coating: str  # a key of COATINGS
    chip_breaker: str  # one of CHIP_BREAKERS
    inscribed_circle: float  # diameter
    corner_radius: float
    thickness: float
    clearance: float  # of the flank, degrees; 0 for a double-sided insert
    hole: float  # diameter; 0 for an insert held by a clamp
    texture: int  # seed of grinding lines, grain and tint: what tells it from its twin

    @staticmethod
    def random(rng: np.random.Generator) -> Insert:
        """Any insert out of the catalogue."""
        circle = float(rng.choice([9.525, 12.0, 12.7]))
        shape = str(rng.choice(list(SHAPES)))
        return Insert(
            shape=shape,
            coating=str(rng.choice(list(COATINGS))),
            chip_breaker=str(rng.choice(CHIP_BREAKERS)),
            inscribed_circle=circle,
            corner_radius=circle / 2 if shape == "R" else float(rng.choice([0.4, 0.8, 1.2])),
            thickness=float(rng.choice([3.18, 3.97, 4.76])),
            clearance=float(rng.choice([0.0, 7.0, 11.0])),
            hole=float(rng.choice([0.0, 0.4, 0.45])) * circle,
            texture=int(rng.integers(2**31)),
        )

    def twin(self, rng: np.random.Generator) -> Insert:
        """Another insert out of the same box."""
        return replace(self, texture=int(rng.integers(2**31)))


@dataclass(frozen=True)
class Condition:
    """How far one cutting edge has gone."""

    flank_wear: float = 0.0  # mean width of the wear land, VB
    chipping: float = 0.0  # depth of the deepest chip out of the edge
    break_size: float = 0.0  # how much of the corner is gone; 0 while it is there
    pattern: int = 0  # seed of where the edge gives way: the same edge wears on in the same places

    @property
    def label(self) -> TrueLabel:
        """The truth about this edge, by the tool-life criteria of ISO 8688."""
        if self.break_size > 0:
            return "broken"
        worn = self.flank_wear >= WORN_FLANK_MM or self.chipping >= WORN_LOCAL_MM
        return "worn" if worn else "intact"

    @staticmethod
    def random(rng: np.random.Generator, label: TrueLabel) -> Condition:
        """An edge of the wanted label, clear of the thresholds by about a third, so that the label means something."""
        pattern = int(rng.integers(2**31))
        used = Condition(0.18 * float(rng.random()) ** 1.5, float(rng.uniform(0, 0.15)), 0.0, pattern)
        if label == "intact":
            return used
        land = float(np.clip(rng.gamma(3.0, 0.18) + 0.38, 0.38, 1.6))
        chipping = float(rng.uniform(0.0, 0.3))
        if label == "worn":
            if rng.random() < 0.2:  # a chipped edge with little wear
                return replace(used, chipping=float(rng.uniform(0.6, 1.1)))
            return replace(used, flank_wear=land, chipping=chipping)
        size = float(rng.uniform(0.9, 3.2))
        return replace(used, break_size=size, flank_wear=land if rng.random() < 0.5 else used.flank_wear)


@dataclass(frozen=True)
class Outline:
    """The cutting edge seen from above, anticlockwise, the active corner at the bottom (towards the camera)."""

    x: Float64Array
    y: Float64Array
    arc: Float64Array  # signed length along the edge, 0 at the active corner
    normal: Float64Array  # direction of the outward normal, radians


def outline(insert: Insert, yaw: float) -> Outline:
    """The rounded polygon of an insert turned by `yaw` radians, as points along its edge.

    Every shape of ISO 1832 drawn here is tangential: a corner of angle a lies r / sin(a/2) from the centre, and
    rounding it by e leaves the same polygon about a circle of radius r - e, widened by e.
    """
    radius = insert.inscribed_circle / 2
    rounding = min(insert.corner_radius, radius)
    angles = np.radians(SHAPES[insert.shape])
    if not len(angles):
        normal = np.linspace(-np.pi, np.pi, 361)
        centre_x = centre_y = np.zeros_like(normal)
        rounding = radius
    else:
        # From corner to corner the normal turns by half of each corner's exterior angle and the direction of the
        # corner itself lies midway between the normals of its two sides.
        half_turn = (np.pi - angles) / 2
        steps = half_turn + np.roll(half_turn, -1)
        direction = np.concatenate(([0.0], np.cumsum(steps)))[:-1]
        normal = np.concatenate([d + h * np.linspace(-1, 1, 25) for d, h in zip(direction, half_turn, strict=True)])
        reach = np.repeat((radius - rounding) / np.sin(angles / 2), 25)
        centre_x, centre_y = reach * np.cos(np.repeat(direction, 25)), reach * np.sin(np.repeat(direction, 25))
        # Start opposite to the active corner, so that the length along the edge grows through it.
        turn = (normal + np.pi) % (2 * np.pi) - np.pi
        first = int(np.argmin(turn))
        normal, centre_x, centre_y = (np.roll(a, -first) for a in (turn, centre_x, centre_y))
    x, y = centre_x + rounding * np.cos(normal), centre_y + rounding * np.sin(normal)
    x, y, normal = np.append(x, x[0]), np.append(y, y[0]), np.append(normal, normal[0] + 2 * np.pi)
    length = np.concatenate(([0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))))
    arc = length - np.interp(0.0, normal, length)
    turned = yaw - np.pi / 2
    cos, sin = np.cos(turned), np.sin(turned)
    return Outline(x * cos - y * sin, x * sin + y * cos, arc, normal + turned)

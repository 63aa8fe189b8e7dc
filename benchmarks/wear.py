"""`python -m benchmarks.wear`: how well the width of the wear land is measured, on rendered edges with known wear.

Each edge is drawn in a photograph of its own: the flank above a line that is not quite where it is declared, ground and
coated, a land whose width varies along it, a background, light that falls off, a lens that blurs and a sensor's noise;
then it is compressed, and read as the line reads it.
"""

from __future__ import annotations

import io
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter  # type: ignore[import-untyped]  # comes with scikit-learn

from producer.contract.region import Edge
from producer.runtime.arrays import Float64Array
from worker.images.decoding import decode_photograph
from worker.images.wear_land import WearLand, wear_land

EDGES: Final = 40
"""So many of each kind."""

WIDTH, HEIGHT = 960, 640
_SIZE: Final = (224, 224)


@dataclass(frozen=True)
class Scene:
    """How an edge is photographed: widths in pixels, brightness in grey levels, and shares of it."""

    width: float = 18.0
    """The land's mean width."""
    share: float = 0.9
    """Of the edge, that has a land."""
    land: float = 1.7
    """The land's brightness, of the flank's."""
    flank: float = 105.0
    outside: float = 22.0
    light: float = 0.15
    """How much brighter it is at one end than in the middle; across the edge half of that."""
    texture: float = 0.05
    blur: float = 1.0
    noise: float = 3.0
    beside: float = 3.0
    """How far the edge is from where it is declared, at most."""


SCENES: Final[dict[str, Scene]] = {
    "bright land": Scene(),
    "dark land": Scene(land=0.5),
    "narrow: 7 pixels": Scene(width=7.0),
    "wide: 45 pixels": Scene(width=45.0),
    "a third of the edge": Scene(share=0.33),
    "little contrast: a quarter brighter": Scene(land=1.25),
    "blurred by 2.5 pixels": Scene(blur=2.5),
    "noise of 10 grey levels": Scene(noise=10.0),
    "rough: 12 % of the brightness": Scene(texture=0.12),
    "light differs by 40 %": Scene(light=0.4),
    "bright background": Scene(outside=215.0, flank=120.0, land=0.55),
    "8 pixels beside the line": Scene(beside=8.0),
}

FRESH: Final[dict[str, Scene]] = {
    "sharp": Scene(width=0.0),
    "blurred by 2.5 pixels": Scene(width=0.0, blur=2.5),
    "noise of 10 grey levels": Scene(width=0.0, noise=10.0),
    "rough: 12 % of the brightness": Scene(width=0.0, texture=0.12),
    "light differs by 40 %": Scene(width=0.0, light=0.4),
}


@dataclass(frozen=True)
class WornEdge:
    """A photograph (JPEG), the edge that is declared in it, and the land's true width at each pixel along it."""

    data: bytes
    edge: Edge
    widths: Float64Array

    def truth(self) -> WearLand:
        """What should be measured."""
        there = self.widths[self.widths > 0.5]
        return WearLand(float(there.mean()), float(np.percentile(there, 90)), float(there.max()), float(len(there)))


def drawn(scene: Scene, seed: int) -> WornEdge:
    """Draw one edge."""
    rng = np.random.default_rng(seed)
    angle = math.radians(rng.uniform(-25, 25))
    half = 0.33 * WIDTH
    middle = WIDTH / 2 + rng.uniform(-20, 20), HEIGHT * 0.55 + rng.uniform(-20, 20)
    ends = [
        (round(middle[0] + s * half * math.cos(angle)), round(middle[1] + s * half * math.sin(angle))) for s in (-1, 1)
    ]
    edge = Edge(x1=ends[0][0], y1=ends[0][1], x2=ends[1][0], y2=ends[1][1], above=100, below=30)
    turn = math.atan2(edge.y2 - edge.y1, edge.x2 - edge.x1)
    x, y = np.meshgrid(np.arange(WIDTH) + 0.5 - edge.x1, np.arange(HEIGHT) + 0.5 - edge.y1)
    along, into = x * math.cos(turn) + y * math.sin(turn), x * math.sin(turn) - y * math.cos(turn)
    u = np.arange(round(edge.length)) + 0.5
    widths = _profile(rng, scene, len(u))
    contour = np.linspace(*rng.uniform(-scene.beside, scene.beside, 2), len(u)) + 0.4 * _smooth(rng, len(u), 6)
    begin, width = np.interp(along, u, contour), np.interp(along, u, widths)
    inside = np.clip(into - begin + 0.5, 0, 1)
    land = np.clip(begin + width - into + 0.5, 0, 1) * (width > 0.5)
    # Ground along the edge, and rubbed across it.
    ground, rubbed = _streaks(rng, into, 1.5), _streaks(rng, along, 2.0)
    specks = 4 * gaussian_filter(rng.standard_normal((HEIGHT, WIDTH)), 1.2)
    flank = scene.flank * (1 + scene.texture * (0.7 * ground + specks))
    worn = scene.flank * scene.land * (1 + scene.texture * (rubbed + specks))
    light = 1 + rng.choice([-1, 1]) * scene.light * (along / edge.length - 0.5) * 2
    light *= 1 + rng.choice([-1, 1]) * scene.light / 2 * into / 100
    grey = inside * (land * worn + (1 - land) * flank) * np.clip(light, 0.2, 2) + (1 - inside) * scene.outside
    grey = gaussian_filter(grey, scene.blur) + scene.noise * rng.standard_normal(grey.shape)
    tint = np.array([1.0, 0.96, 0.9])
    pixels = np.clip(grey[..., None] * tint, 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=90)
    return WornEdge(file.getvalue(), edge, widths)


def _profile(rng: np.random.Generator, scene: Scene, length: int) -> Float64Array:
    """The land's width along the edge: it varies, has a notch, and runs out at its ends."""
    if scene.width == 0:
        return np.zeros(length)
    u = np.arange(length) / length
    long = scene.share * rng.uniform(0.9, 1.1) if scene.share < 0.8 else scene.share
    start = rng.uniform(0, 1 - long)
    ends = np.clip(np.minimum(u - start, start + long - u) / 0.04, 0, 1)
    notch = rng.uniform(0.2, 0.8) * np.exp(-(((u - start - long * rng.uniform(0.2, 0.8)) / 0.06) ** 2))
    return np.asarray(scene.width * ends * np.clip(1 + 0.15 * _smooth(rng, length, 40) + notch, 0.3, None))


def _smooth(rng: np.random.Generator, length: int, by: int) -> Float64Array:
    values = np.convolve(rng.standard_normal(length + 6 * by), np.hanning(2 * by + 3), "same")[3 * by : 3 * by + length]
    return np.asarray(values / values.std())


def _streaks(rng: np.random.Generator, position: Float64Array, by: float) -> Float64Array:
    values = rng.standard_normal(4000)
    return np.asarray(np.interp(position / by + 2000, np.arange(4000), values))


def measured(worn: WornEdge) -> WearLand | None:
    """What the line measures of it."""
    strip = decode_photograph(worn.data, _SIZE, worn.edge).strip
    return None if strip is None else wear_land(strip, worn.edge)


def off(scene: Scene, edges: int = EDGES) -> tuple[list[WearLand], int]:
    """The relative errors of each figure, and of how many edges nothing was said."""
    errors, untold = [], 0
    for seed in range(edges):
        worn = drawn(scene, seed)
        seen, truth = measured(worn), worn.truth()
        if seen is None:
            untold += 1
            continue
        errors.append(
            WearLand(*(abs(a / b - 1) for a, b in zip(vars(seen).values(), vars(truth).values(), strict=True)))
        )
    return errors, untold


def main() -> int:
    """Print the errors of each scene, what is said of fresh edges, and what a look costs."""
    print("scene | mean | nine tenths | largest | length | the mean, 90 % of edges | nothing said")
    everything = []
    for name, scene in SCENES.items():
        errors, untold = off(scene)
        everything += errors
        _tell(name, errors, f"{untold} of {EDGES}")
    _tell("all", everything, "")
    for name, scene in FRESH.items():
        told = sum(measured(drawn(scene, seed)) is not None for seed in range(EDGES))
        print(f"fresh, {name} | {told} of {EDGES} have a land")
    worn = drawn(SCENES["bright land"], 0)
    strip = decode_photograph(worn.data, _SIZE, worn.edge).strip
    began = time.process_time()
    for _ in range(200):
        wear_land(strip, worn.edge)
    print(f"a look: {(time.process_time() - began) * 5:.2f} ms")
    return 0


def _tell(name: str, errors: Sequence[WearLand], untold: str) -> None:
    if not errors:
        print(f"{name} | | | | | | {untold}")
        return
    values = np.array([list(vars(error).values()) for error in errors])
    middle = " | ".join(f"{value:.1%}" for value in np.median(values, axis=0))
    print(f"{name} | {middle} | {np.percentile(values[:, 0], 90):.1%} | {untold}", flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""What every photograph has in common, whatever it shows: texture, filth, a background, and a camera.

Pictures are float32 arrays in linear light, (size, size) or (size, size, 3), until `expose` makes bytes of them.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from producer.runtime.arrays import BoolArray, Float32Array, UInt8Array
from producer.simulation.view import View

_FULL = 4.0  # linear light beyond which everything is white


def noise_texture(rng: np.random.Generator, size: int, across: int, down: int) -> Float32Array:
    """Smooth noise of roughly unit variance, (size, size), with so many features across and down."""
    cells = rng.standard_normal((max(down, 2), max(across, 2)), dtype=np.float32)
    return np.asarray(Image.fromarray(cells).resize((size, size), Image.Resampling.BILINEAR)) * np.float32(1.4)


def grain_texture(rng: np.random.Generator, size: int) -> Float32Array:
    """Noise of unit variance in every pixel, (size, size)."""
    return rng.standard_normal((size, size), dtype=np.float32)


def filth(
    rng: np.random.Generator,
    view: View,
    size: int,
    light: Float32Array,
    colour: Float32Array,
    depth: Float32Array,
    on: BoolArray,
) -> tuple[Float32Array, Float32Array]:
    """Stains, dirt, scratches, hairs and glare over the insert: new light and colour.

    The edge is not spared, and what has worn is not favoured: all this happens to intact inserts too.
    """
    if view.stains > 0.2:
        stain = noise_texture(rng, size, 7, 7) + np.float32(0.5) * noise_texture(rng, size, 25, 25)
        amount = np.clip(np.float32(0.5) * stain + np.float32(view.stains - 1.2), 0, 0.7)[..., None]
        tint = rng.uniform(0.05, 0.5) * rng.uniform(0.7, 1.0, 3)
        colour = colour * (1 - amount) + amount * tint.astype(np.float32)
    light = light * _marks(rng, view, size)
    if rng.random() < 0.5 * view.dirt:  # caked dirt and dried chips along the edge
        cake = noise_texture(rng, size, 12, 12) + noise_texture(rng, size, size // 8, size // 8) * np.float32(0.4)
        reach = np.float32(rng.uniform(0.1, 1.2))
        where = (cake > rng.uniform(0.8, 1.8)) & (np.abs(depth) < reach) & on
        tone = np.float32(rng.uniform(0.1, 1.6))
        light = np.where(where, tone * (1 + np.float32(0.4) * cake), light)
        colour = np.where(where[..., None], np.float32(rng.uniform(0.1, 0.35)), colour)
    for _ in range(rng.poisson(0.6)):  # lamps that nobody meant
        light = light + _glare(rng, size)
    return light, colour


def _marks(rng: np.random.Generator, view: View, size: int) -> Float32Array:
    """What specks, scratches and hairs do to the light: a factor for every pixel."""
    marks = Image.new("L", (size, size), 128)
    draw = ImageDraw.Draw(marks)
    unit = size / view.field  # pixels in a millimetre
    for _ in range(rng.poisson(14 * view.dirt)):  # specks
        x, y = rng.uniform(0, size, 2)
        a, b = rng.gamma(1.5, 0.03, 2) * unit + 0.5
        draw.ellipse((x - a, y - b, x + a, y + b), fill=_mark(rng))
    for _ in range(rng.poisson(2.0 * view.dirt)):  # scratches, off the edge or across it
        x, y = rng.uniform(0, size, 2)
        dx, dy = rng.normal(0, 0.7, 2) * unit
        draw.line((x, y, x + dx, y + dy), fill=_mark(rng), width=max(int(rng.uniform(0.01, 0.05) * unit), 1))
    for _ in range(rng.poisson(0.7 * view.dirt)):  # hairs and fine swarf
        x, y = rng.uniform(0, size, 2)
        r = rng.uniform(0.2, 1.5) * unit
        start = rng.uniform(0, 360)
        draw.arc((x - r, y - r, x + r, y + r), start, start + rng.uniform(40, 160), fill=_mark(rng))
    factor: Float32Array = (np.asarray(marks, np.float32) / np.float32(128)) ** 2
    return factor


def _glare(rng: np.random.Generator, size: int) -> Float32Array:
    x, y = rng.uniform(0, size, 2)
    a, b = rng.uniform(0.1, 0.6, 2) * size
    across = np.linspace((0 - x) / a, (size - x) / a, size, dtype=np.float32)
    down = np.linspace((0 - y) / b, (size - y) / b, size, dtype=np.float32)
    spot: Float32Array = np.float32(rng.uniform(0.2, 1.2)) * np.exp(-(down[:, None] ** 2)) * np.exp(-(across**2))
    return spot


def _mark(rng: np.random.Generator) -> int:
    return int(rng.choice([rng.integers(25, 100), rng.integers(150, 250)]))


def background(rng: np.random.Generator, view: View, size: int, below: BoolArray) -> Float32Array:
    """Out-of-focus shop behind the insert, and its pocket `below` the edge: (size, size, 3)."""
    small = 24
    scene = np.full((small, small, 3), view.backdrop**2 * 0.7 + 0.01, np.float32)
    scene *= rng.normal(1, 0.05, 3).astype(np.float32)
    grid = np.linspace(0, 1, small, dtype=np.float32)
    for _ in range(rng.integers(0, 6)):
        x, y = rng.uniform(-0.1, 1.1, 2)
        a, b = rng.uniform(0.08, 0.5, 2)
        blob = np.exp(-(np.abs((grid[:, None] - y) / b) ** 3)) * np.exp(-(np.abs((grid - x) / a) ** 3))
        tone = rng.uniform(0, 0.9) ** 2 * rng.normal(1, 0.08, 3)
        scene += blob[..., None] * (tone.astype(np.float32) - scene)
    pocket = rng.random() < 0.5
    steel = np.float32(rng.uniform(0.02, 0.3))
    channels = [Image.fromarray(np.ascontiguousarray(scene[..., c])) for c in range(3)]
    bicubic = Image.Resampling.BICUBIC
    picture = np.stack([np.asarray(c.resize((size, size), bicubic)) for c in channels], axis=-1)
    if pocket:
        seat = steel * (1 + np.float32(0.12) * noise_texture(rng, size, 20, 60))
        picture = np.where(below[..., None], seat[..., None], picture)
    np.maximum(picture, 0, out=picture)
    return picture


def expose(
    rng: np.random.Generator, view: View, size: int, picture: Float32Array, far: Float32Array, damage: BoolArray
) -> tuple[UInt8Array, UInt8Array]:
    """The camera: tone curve, focus (`far` is 0 at the edge … 1 far behind), perspective, noise.

    Whatever the size of what was drawn, the photograph and the mask of the damage are `size` pixels square.
    """
    drawn = len(picture)
    scaled = picture * np.float32(4096)
    np.clip(scaled, 0, np.float32(_FULL * 4096), out=scaled)
    sharp = Image.fromarray(_tone_curve().take(scaled.astype(np.uint16)))
    if view.depth_blur * drawn > 0.6:
        soft = sharp.filter(ImageFilter.BoxBlur(view.depth_blur * drawn))
        sharp = Image.composite(soft, sharp, Image.fromarray((far * np.float32(255)).astype(np.uint8)))
    corners = _perspective(rng, view, drawn)
    quad, bilinear = Image.Transform.QUAD, Image.Resampling.BILINEAR
    sharp = sharp.transform((size, size), quad, corners, bilinear)
    mask = Image.fromarray(damage.astype(np.uint8) * np.uint8(255)).transform((size, size), quad, corners)
    if view.blur * size > 0.2:
        sharp = sharp.filter(ImageFilter.BoxBlur(view.blur * size))
    grains = (grain_texture(rng, size) * np.float32(view.noise * 255)).astype(np.int16)
    tinted = (noise_texture(rng, size, size // 2, size // 2) * np.float32(view.noise * 90)).astype(np.int16)
    seen = np.asarray(sharp).astype(np.int16)
    for channel, noise in enumerate((grains + tinted, grains, grains - tinted)):
        seen[..., channel] += noise
    np.clip(seen, 0, 255, out=seen)
    return seen.astype(np.uint8), np.asarray(mask)


def _tone_curve() -> UInt8Array:
    """Byte for each 1/4096 of linear light: a square root, bent over softly towards white as cameras do."""
    toned = np.sqrt(np.arange(int(_FULL * 4096) + 1) / 4096)
    bent = np.where(toned > 0.7, 0.7 + 0.3 * np.tanh((toned - 0.7) / 0.3), toned)
    return (bent * 255).astype(np.uint8)


def _perspective(rng: np.random.Generator, view: View, size: int) -> tuple[float, ...]:
    """Corners in the drawn picture of what is seen: rolled, slightly askew, and never past the drawn border."""
    roll = np.radians(np.clip(view.roll, -10, 10))
    cos, sin = np.cos(roll), np.sin(roll)
    unit = np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]]) + rng.normal(0, 0.02, (4, 2))
    turned = unit @ np.array([[cos, sin], [-sin, cos]])
    turned /= max(1.0, float(np.abs(turned).max()))
    return tuple(float(v) for v in ((turned + 1) / 2 * size).ravel())

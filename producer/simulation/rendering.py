"""Draws one insert as an inspection station photographs it: obliquely, close up, and never twice the same.

Damage is drawn so that no single global cue gives it away: wear lands may be brighter or darker than the coating, and
intact inserts carry dirt, stains, glare, scratches, hairs and light wear too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from producer.runtime.arrays import BoolArray, Float32Array, Float64Array, UInt8Array
from producer.simulation.insert import COATINGS, Condition, Insert
from producer.simulation.relief import Relief, relief
from producer.simulation.surfaces import background, expose, filth, grain_texture, noise_texture
from producer.simulation.view import View

__all__ = ["Condition", "Insert", "View", "render", "render_with_damage"]

CARBIDE = (0.36, 0.36, 0.37)


def render(insert: Insert, condition: Condition, view: View, size: int = 512) -> UInt8Array:
    """One photograph, (size, size, 3) of uint8; the same arguments give the same picture."""
    return render_with_damage(insert, condition, view, size)[0]


def render_with_damage(
    insert: Insert, condition: Condition, view: View, size: int = 512
) -> tuple[UInt8Array, UInt8Array]:
    """One photograph and where on it the damage shows: (size, size) of uint8, 255 inside, all 0 if intact."""
    # A microscope's lens resolves less than its chip: large photographs are drawn coarser than they come out.
    grid = min(size, max(224, size * 5 // 8))
    moment = np.random.default_rng([view.seed, insert.texture])
    shown = relief(insert, condition, view, grid)
    inside = shown.inside
    coating, bare, light, shine = _surface(insert, condition, view, shown, grid, moment)
    colour = np.array([coating, CARBIDE], np.float32)[bare.view(np.uint8)]
    light, colour = filth(moment, view, grid, light, colour, shown.depth, inside)
    picture = colour * np.maximum(light, 0.02)[..., None]
    picture += shine[..., None] * (np.float32(0.25) * (coating / coating.max() + 1))
    seen = picture[::4, ::4][inside[::4, ::4]]
    picture *= np.float32(view.exposure**1.6 / max(float(seen.mean()) if seen.size else 0.2, 1e-3))
    np.copyto(picture, background(moment, view, grid, shown.depth > 0), where=~inside[..., None])
    picture *= np.array([1 + 0.18 * view.warmth, 1, 1 - 0.22 * view.warmth], np.float32)
    # Sharp at the edge, soft 4 mm behind it, and softest where there is no insert.
    far = np.where(shown.top, np.clip((shown.y - shown.edge.front) / 4, 0, 1), ~inside).astype(np.float32)
    damage = (shown.land | shown.fracture) & (condition.label != "intact")
    return expose(moment, view, size, picture, far, damage)


@dataclass(frozen=True)
class _Light:
    """One lamp, seen by a camera: directions as unit vectors (right, away, up), sharpness of the reflection."""

    lamp: Float64Array
    halfway: Float64Array
    sharpness: float

    @staticmethod
    def of(view: View) -> _Light:
        azimuth, height, tilt = np.radians([view.light_azimuth, view.light_height, view.tilt])
        lamp = np.array([np.sin(azimuth) * np.cos(height), -np.cos(azimuth) * np.cos(height), np.sin(height)])
        halfway = lamp + np.array([0.0, -np.cos(tilt), np.sin(tilt)])
        return _Light(lamp, halfway / np.linalg.norm(halfway), 4 + 40 * view.gloss)


def _surface(
    insert: Insert, condition: Condition, view: View, shown: Relief, size: int, moment: np.random.Generator
) -> tuple[Float32Array, BoolArray, Float32Array, Float32Array]:
    """The coating's colour (3,), where it is worn off, and the diffuse and the mirrored light of every pixel."""
    texture = np.random.default_rng([insert.texture, 1])
    pattern = np.random.default_rng([condition.pattern, 7])
    coating = np.array(COATINGS[insert.coating], np.float32) * texture.normal(1, 0.04, 3).astype(np.float32)
    lit, edge = _Light.of(view), shown.edge
    facing = np.maximum(edge.normal_x * lit.lamp[0] + edge.normal_y * lit.lamp[1], 0)
    mirror = np.maximum(edge.normal_x * lit.halfway[0] + edge.normal_y * lit.halfway[1], 0) ** lit.sharpness
    flank_light = (0.25 + 0.75 * facing).astype(np.float32)
    flank_shine = (view.gloss * mirror).astype(np.float32)

    # Grinding lines and grain belong to the insert; how ragged the rest looks is the moment's.
    cloud = noise_texture(texture, size, 5, 5)
    grain = grain_texture(texture, size) * texture.uniform(0.02, 0.14)
    lines = noise_texture(texture, size, 2, size // 3) * texture.uniform(0.0, 0.12)
    ragged = noise_texture(moment, size, size // 14, size // 18)
    rough = noise_texture(moment, size, size // 4, size // 7)
    facets = noise_texture(pattern, size, 14, 10)

    light = flank_light * (1 + 0.2 * cloud + grain + lines)
    shine = np.where(shown.flank, flank_shine * (1 + 0.4 * cloud + lines), np.float32(0))
    tone, gleam = _top_face(insert, shown, lit, texture)
    np.copyto(light, tone * (1 + 0.15 * cloud + 1.5 * grain * (1 + gleam)), where=shown.top)
    np.copyto(shine, gleam * np.float32(view.gloss), where=shown.top)
    land_tone, broken_tone = np.exp(pattern.uniform(np.log([0.55, 0.45]), np.log([2.2, 1.6]))).tolist()
    if shown.land.any():
        streaks = noise_texture(pattern, size, size // 3, 4)
        rubbed = flank_light * land_tone * (1 + 0.22 * streaks + 0.1 * rough + 0.15 * facets)
        np.copyto(light, rubbed, where=shown.land)
        np.copyto(shine, shine * 0.3, where=shown.land)
    if shown.fracture.any():
        broken = 0.6 + 0.12 * rough + 0.12 * ragged + 0.22 * facets + np.float32(0.2) * (shown.depth < 0)
        np.copyto(light, broken_tone * np.maximum(broken, 0.2), where=shown.fracture)
    # A honed edge catches the light on every insert, new or not.
    hone = np.maximum(texture.uniform(0.02, 0.07) * (1 + 0.5 * ragged), 0.7 * view.field / size)
    rim = shown.inside & (np.abs(shown.depth) < hone) & ~shown.broken_off
    shine += rim * np.float32(texture.uniform(-0.05, 0.6))
    bare = shown.fracture | (shown.land & (ragged + 0.5 * rough > -1.6))
    return coating, bare, light, shine


def _top_face(
    insert: Insert,
    shown: Relief,
    light: _Light,
    texture: np.random.Generator,
) -> tuple[Float32Array, Float32Array]:
    """Light and reflection of the top face: a chip breaker along the edge and the hole in the middle."""
    edge, y = shown.edge, shown.y
    inwards = np.minimum((y - edge.front) * -edge.normal_y, (edge.back - y) * edge.back_facing)
    width = float(texture.uniform(0.12, 0.5))
    bands: list[tuple[float, float, float]] = []  # from, to, slope of the surface inwards (radians)
    if insert.chip_breaker == "land":
        bands = [(0.0, width, float(texture.uniform(-0.3, 0.2))), (width, 3 * width, -0.3)]
    elif insert.chip_breaker == "groove":
        bands = [(width, 3 * width, -0.35), (3 * width, 5 * width, 0.4)]

    def lit(slope: float) -> tuple[float, float]:
        normal = np.array([0.0, np.sin(slope), np.cos(slope)])
        return 0.3 + 0.7 * max(float(normal @ light.lamp), 0), max(float(normal @ light.halfway), 0) ** light.sharpness

    level, gleam = lit(0.0)
    tone = np.full(inwards.shape, level, np.float32)
    shine = np.full(inwards.shape, gleam, np.float32)
    for start, end, slope in bands:
        band = (inwards >= start) & (inwards < end)
        level, gleam = lit(slope)
        tone[band], shine[band] = level, gleam
    if insert.hole:
        distance = np.hypot(edge.x, y) / (insert.hole / 2)
        tone = np.where(distance < 1, np.float32(0.08), np.where(distance < 1.2, tone * np.float32(1.3), tone))
        shine = np.where(distance < 1, np.float32(0), shine)
    return tone, shine

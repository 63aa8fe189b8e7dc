"""Where on a photograph lie an insert's top face, flank, wear land and fractures: geometry, without light.

The insert is a prism under parallel projection. Seen from the front every image column crosses the cutting edge once,
so what a column needs (where the edge is, how it faces the light, how far it has worn) is one-dimensional, and a
pixel only asks how far below the edge it lies. That makes a photograph cost milliseconds.

x runs to the right, y away from the camera, in millimetres from the insert's centre.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from producer.runtime.arrays import BoolArray, Float32Array, Float64Array
from producer.simulation.insert import Condition, Insert, outline
from producer.simulation.view import View


@dataclass(frozen=True)
class EdgeProfile:
    """The cutting edge column by column, (size,) each."""

    x: Float32Array
    front: Float32Array  # y of the edge that faces the camera
    back: Float32Array  # y of the one behind
    normal_x: Float32Array
    normal_y: Float32Array
    back_facing: Float32Array  # how squarely the edge behind faces away, 0 … 1
    covered: BoolArray  # columns that the insert reaches
    land: Float32Array  # width of the wear land
    recess: Float32Array  # how far the edge has receded inwards
    broken_down: Float32Array  # how far down the flank that reaches
    corner_y: float  # y of the active corner


@dataclass(frozen=True)
class Relief:
    """What each pixel shows, (size, size) each."""

    edge: EdgeProfile
    depth: Float32Array  # below the cutting edge, down the flank
    y: Float32Array  # of the top face, where it is seen
    inside: BoolArray
    top: BoolArray
    flank: BoolArray
    land: BoolArray
    fracture: BoolArray
    broken_off: BoolArray  # where the edge itself is gone


def relief(insert: Insert, condition: Condition, view: View, size: int) -> Relief:
    """The geometry of one photograph of `size` pixels square, the active corner `view.shift` from its middle."""
    tilt = float(np.radians(np.clip(view.tilt, 5.0, 60.0)))
    sin, cos = float(np.sin(tilt)), float(np.cos(tilt))
    edge = _edge(insert, condition, view, size)
    # Height of every pixel on the picture above the insert's centre, and how far it lies below the edge, as seen.
    row = (((np.arange(size) + 0.5) / size - 0.5 - view.shift[1]) * -view.field).astype(np.float32)
    height = row[:, None] + np.float32(edge.corner_y * sin)
    below = np.float32(sin) * edge.front - height
    # Where the edge has broken away, the surface climbs from the flank at `broken_down` back to the top at `inward`.
    inward = edge.recess / np.maximum(-edge.normal_y, np.float32(0.35))
    slope = np.float32(max(cos - float(np.tan(np.radians(insert.clearance))) * sin, 0.25))
    reach = np.maximum(edge.broken_down, 1e-3)
    depth: Float32Array = (below / slope).astype(np.float32, copy=False)
    broken_off = (depth < edge.broken_down) & (edge.broken_down > 0)
    broken_depth = (below + inward * sin) / (slope + inward / reach * sin)
    see_through = broken_off & (inward * (1 - broken_depth / reach) > edge.back - edge.front)
    inside = edge.covered & (depth < insert.thickness) & ~see_through
    top = inside & (below < -inward * sin)
    inside &= ~top | (height < edge.back * sin)
    top &= inside
    fracture = inside & broken_off & ~top
    flank = inside & ~top & ~fracture
    land = flank & (depth < edge.land) & (depth >= 0)
    return Relief(edge, depth, height / np.float32(sin), inside, top, flank, land, fracture, broken_off)


def _edge(insert: Insert, condition: Condition, view: View, size: int) -> EdgeProfile:
    shape = outline(insert, float(np.radians(view.yaw)))
    tip = int(np.argmin(np.abs(shape.arc)))
    corner_x, corner_y = float(shape.x[tip]), float(shape.y[tip])
    x = ((np.arange(size) + 0.5) / size - 0.5 - view.shift[0]) * view.field + corner_x
    # The outline runs anticlockwise: its front half goes from the leftmost to the rightmost point.
    count = len(shape.x) - 1
    left, right = int(np.argmin(shape.x[:-1])), int(np.argmax(shape.x[:-1]))
    ahead = (left + np.arange((right - left) % count + 1)) % count
    behind = (right + np.arange((left - right) % count + 1))[::-1] % count
    arc = np.interp(x, shape.x[ahead], shape.arc[ahead])
    normal = np.interp(x, shape.x[ahead], np.unwrap(shape.normal[ahead]))
    back_normal = np.interp(x, shape.x[behind], np.unwrap(shape.normal[behind]))
    # The side of the corner that shows more of itself is the one that cuts.
    side = 1.0 if shape.x[right] - corner_x > corner_x - shape.x[left] else -1.0
    land, recess, broken_down = _wear(condition, side * arc)
    return EdgeProfile(
        x=_single(x),
        front=_single(np.interp(x, shape.x[ahead], shape.y[ahead])),
        back=_single(np.interp(x, shape.x[behind], shape.y[behind])),
        normal_x=_single(np.cos(normal)),
        normal_y=_single(np.sin(normal)),
        back_facing=_single(np.abs(np.sin(back_normal))),
        covered=(x > shape.x[left]) & (x < shape.x[right]),
        land=_single(land),
        recess=_single(recess),
        broken_down=_single(broken_down),
        corner_y=corner_y,
    )


def _single(column: Float64Array) -> Float32Array:
    return column.astype(np.float32)


def _wear(condition: Condition, arc: Float64Array) -> tuple[Float64Array, ...]:
    """Wear land, recess and reach of the breakage down the flank, at these lengths along the edge from the corner."""
    rng = np.random.default_rng([condition.pattern, 3])
    knots = np.arange(-9.0, 9.0, 0.04)

    def uneven(step: float) -> Float64Array:
        coarse = np.arange(-9.0, 9.0 + step, step)
        return np.interp(arc, coarse, rng.standard_normal(len(coarse)))

    jag = np.interp(arc, knots, rng.standard_normal(len(knots)))
    engaged = rng.uniform(1.2, 5.0)  # how deep the cut was
    fade = rng.choice([0.03, 0.3, 1.0])  # how abruptly the land ends at the depth of cut
    within = np.clip((arc + rng.uniform(0.2, 0.9)) / 0.3, 0, 1) * np.clip((engaged - arc) / fade, 0, 1)
    profile = np.maximum(1 + 0.3 * uneven(0.5) + 0.12 * uneven(0.15) + 0.06 * jag, 0.1)
    nose, notch = rng.choice([0.0, 0.8], 2)
    profile = profile + nose * np.exp(-((arc / 0.5) ** 2)) + notch * np.exp(-(((arc - engaged + 0.15) / 0.12) ** 2))
    land = condition.flank_wear * within * profile

    recess, depth = 0.12 * land, 0.0 * arc
    for number, (where, width, share) in enumerate(rng.uniform([-0.4, 0.12, 0.3], [1, 0.6, 1], (5, 3))):
        chip = condition.chipping * (1.0 if number == 0 else share)
        centre = where * engaged if where > 0 else where
        bite = np.sqrt(np.maximum(1 - ((arc - centre) / (width * (0.5 + chip))) ** 2, 0)) * (1 + 0.15 * jag)
        recess, depth = np.maximum(recess, chip * bite), np.maximum(depth, chip * rng.uniform(0.6, 1.6) * bite)
    centre, half = rng.normal(0.15, 0.2), rng.uniform(0.5, 0.9)
    deep, steep = rng.uniform(0.5, 1.0), rng.uniform(0.35, 1.1)
    size = condition.break_size
    bite = np.sqrt(np.maximum(1 - ((arc - centre * size) / max(half * size, 1e-6)) ** 2, 0))
    bite *= 1 + 0.2 * uneven(0.4) + 0.08 * jag
    recess, depth = np.maximum(recess, size * deep * bite), np.maximum(depth, size * steep * bite)
    return land, np.maximum(recess, 0), np.maximum(depth, 0)

"""Where in a photograph the insert is: a box, a polygon, or a strip along its edge; all in pixels of the upright image.

A point is a corner of pixels, so `(0, 0)` is the image's upper left corner, and a box from there of the image's size is
all of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    TypeAdapter,
    WrapValidator,
    model_validator,
)

LARGEST: Final = 2**31 - 1
"""The largest number in an event: what every database and language that reads it can hold."""

MOST_CORNERS: Final = 32
"""Corners of a polygon at most: an insert has fewer, and an event stays small."""

LONGEST: Final = 10_000
"""Pixels that an edge may be long, and its strip high to either side, at most: no camera's image has more."""

Points = tuple[tuple[float, float], ...]
Coordinate = Annotated[int, Field(strict=True, ge=0, le=LARGEST)]
Corner = Annotated[tuple[Coordinate, Coordinate], Field(strict=False)]


class Region(BaseModel):
    """The part of the image that shows the insert, a box in pixels of the upright image."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    left: int = Field(ge=0, le=LARGEST)
    top: int = Field(ge=0, le=LARGEST)
    width: int = Field(ge=1, le=LARGEST)
    height: int = Field(ge=1, le=LARGEST)

    def corners(self) -> Points:
        """The outline, clockwise from the upper left."""
        right, bottom = self.left + self.width, self.top + self.height
        return (self.left, self.top), (right, self.top), (right, bottom), (self.left, bottom)


class Polygon(BaseModel):
    """The part of the image that shows the insert, by its corners in turn; what is outside is judged as black."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    polygon: tuple[Corner, ...] = Field(strict=False, min_length=3, max_length=MOST_CORNERS)

    @model_validator(mode="after")
    def _has_an_area(self) -> Polygon:
        turned = (*self.polygon[1:], self.polygon[0])
        if sum(x * next_y - next_x * y for (x, y), (next_x, next_y) in zip(self.polygon, turned, strict=True)) == 0:
            raise ValueError("a polygon goes around something: its corners, in turn, lie in one line")
        return self

    def corners(self) -> Points:
        """The outline."""
        return self.polygon


class Edge(BaseModel):
    """A strip along an edge of the insert: from one point to another, and so far to either side of that line.

    The strip is judged levelled: the first point on its left, the second on its right, `above` is what is then above
    the line. Of an edge that is declared from right to left `above` is therefore what is below it in the photograph.
    The insert is on the side that the strip goes farther to. `pixels_per_mm` says how large a millimetre of the
    insert is along the edge, where that is known: what is measured there can then be said in millimetres.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    x1: int = Field(ge=0, le=LARGEST)
    y1: int = Field(ge=0, le=LARGEST)
    x2: int = Field(ge=0, le=LARGEST)
    y2: int = Field(ge=0, le=LARGEST)
    above: int = Field(ge=0, le=LONGEST)
    below: int = Field(ge=0, le=LONGEST)
    pixels_per_mm: float | None = Field(
        default=None,
        gt=0,
        le=LONGEST,
        allow_inf_nan=False,
        exclude_if=lambda scale: scale is None,  # version 3 does not know it, nor do the captures of before
    )

    @model_validator(mode="after")
    def _is_a_strip(self) -> Edge:
        if not 1 <= self.length <= LONGEST:
            raise ValueError(f"an edge goes from one point to another, at most {LONGEST} pixels from it")
        if self.height == 0:
            raise ValueError("above and below are both 0: say how far the strip goes to either side of the edge")
        return self

    @property
    def length(self) -> float:
        """Pixels from its one end to the other."""
        return math.hypot(self.x2 - self.x1, self.y2 - self.y1)

    @property
    def height(self) -> int:
        """Pixels of the strip across the edge."""
        return self.above + self.below

    def corners(self) -> Points:
        """The outline of the strip, in the order upper left, upper right, lower right, lower left once it is level."""
        along = (self.x2 - self.x1) / self.length, (self.y2 - self.y1) / self.length
        down = -along[1], along[0]

        def beside(x: int, y: int, by: int) -> tuple[float, float]:
            return x + by * down[0], y + by * down[1]

        return (
            beside(self.x1, self.y1, -self.above),
            beside(self.x2, self.y2, -self.above),
            beside(self.x2, self.y2, self.below),
            beside(self.x1, self.y1, self.below),
        )


FORMS: Final = (Region, Polygon, Edge)

Form = Literal["box", "polygon", "edge"]
"""How a photograph was cut: to a box, which all of it is too, to a polygon, or to the strip along an edge."""


def _read(value: Any, _: ModelWrapValidatorHandler[Any]) -> Region | Polygon | Edge:
    """Take the form whose keys these are, so that what is wrong is said of that form alone."""
    if isinstance(value, FORMS):
        return value
    keys = set(value) if isinstance(value, Mapping) else set()
    form = next((form for form in (Polygon, Edge) if keys & form.model_fields.keys()), Region)
    return form.model_validate(value)


AnyRegion = Annotated[Region | Polygon | Edge, WrapValidator(_read)]
_REGIONS: Final[TypeAdapter[Region | Polygon | Edge]] = TypeAdapter(AnyRegion)


def read_region(values: Mapping[str, Any]) -> Region | Polygon | Edge:
    """The region that `model_dump` made these values of, as they are kept with a capture.

    Raises:
        ValueError: they are none.
    """
    return _REGIONS.validate_python(values)


def form_of(region: Region | Polygon | Edge | Mapping[str, Any] | None) -> Form:
    """How a photograph with this region was cut; of a region also the values that are kept of it."""
    keys = region.keys() if isinstance(region, Mapping) else () if region is None else type(region).model_fields.keys()
    return "polygon" if "polygon" in keys else "edge" if "x1" in keys else "box"


def bounds(region: Region | Polygon | Edge) -> tuple[int, int, int, int]:
    """Left, top, width and height of the smallest box of whole pixels that a region lies in."""
    if isinstance(region, Region):
        return region.left, region.top, region.width, region.height
    # Trigonometry is off by parts of a billionth: a strip that ends at a pixel's corner ends there.
    xs, ys = zip(*((round(x, 6), round(y, 6)) for x, y in region.corners()), strict=True)
    left, top = math.floor(min(xs)), math.floor(min(ys))
    return left, top, math.ceil(max(xs)) - left, math.ceil(max(ys)) - top

"""What is known about a network's file, as it lies beside it in JSON."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from worker.networks.names import Arithmetic, Output, file_name

RECIPE: Final = 2
"""How pixels become what the network sees, and its outputs features. Raised when either comes to mean something else.

1: a photograph is decoded in full and brought to the network's size, bilinear over all the pixels that fall into one.
2: a JPEG is first decoded at the smallest fraction of its size that is not below the network's (of a region: at the
   smallest at which the region is not); the rest is as before. See `worker.images.reduced_jpeg`.
"""

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Side = Annotated[int, Field(ge=1, le=10_000)]


class Manifest(BaseModel):
    """A network's file: what it was made from and by what, and how to tell that it still does what it did."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    digest: Digest
    """SHA-256 of the file."""
    size: Annotated[int, Field(ge=1)]
    family: str
    layers: Annotated[tuple[str, ...], Field(min_length=1)]
    """The layers that the file puts out, in this order."""
    arithmetic: Arithmetic
    input_size: tuple[Side, Side]
    """Height and width in pixels."""
    shapes: tuple[tuple[Side, ...], ...]
    """Of one image's output of each layer."""
    recipe: int
    weights_digest: Digest
    """SHA-256 of the file of weights."""
    representative: str | None
    """For int8: the pictures that the ranges of the values were measured on."""
    check: tuple[tuple[float, ...], ...]
    """What some places of each output are for the check picture."""
    versions: dict[str, str]
    created_at: AwareDatetime

    @property
    def name(self) -> str:
        """The family, the layers and the arithmetic, as in a network's name without poolings."""
        return file_name(self.family, self.layers, self.arithmetic)

    def fingerprint(self, outputs: tuple[Output, ...], *, edge: bool = False) -> str:
        """Name everything that the features depend on: this file, the recipe, and which outputs are pooled how.

        With `edge` also that they are of the strip along a lower contour that was found.
        """
        ingredients = {"network": self.digest, "recipe": self.recipe, "outputs": [str(output) for output in outputs]}
        if edge:
            ingredients["edge"] = True
        canonical = json.dumps(ingredients, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

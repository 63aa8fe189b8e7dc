"""Names of backbones: `family[-width]:layer[+gap]`, such as `vgg16:fc1` or `mobilenet-0.25:conv1_relu`."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = re.compile(
    r"(?P<family>[a-z][a-z0-9_]*)(-(?P<width>[0-9]+(\.[0-9]+)?))?(:(?P<layer>[A-Za-z0-9_.-]+?)(?P<gap>\+gap)?)?"
)


class BackboneError(ValueError):
    """A backbone cannot be loaded as asked for; the message says why and what to do."""


class WeightsMissing(BackboneError):
    """The weights asked for are not on this machine and could not be fetched."""


class WeightsUnfit(BackboneError):
    """The weights are there, but damaged, incomplete, or made for another network."""


@dataclass(frozen=True)
class BackboneName:
    """A backbone's name in its parts.

    `family` is in lower case and carries the width multiplier where it is not 1 (`mobilenet-0.25`); `layer` is
    the layer whose output are the features, `pooling` whether each channel is averaged over the image (`+gap`).
    """

    family: str
    layer: str
    pooling: bool = False

    def __str__(self) -> str:
        return f"{self.family}:{self.layer}{'+gap' if self.pooling else ''}"


def split_family(family: str) -> tuple[str, float]:
    """Return a family's name without its width, and the width: `mobilenet-0.25` → `("mobilenet", 0.25)`.

    Raises:
        BackboneError: `family` is no family's name.
    """
    parts = _NAME.fullmatch(family.strip().lower())
    if parts is None or parts["layer"] is not None or (parts["width"] and float(parts["width"]) == 0):
        raise BackboneError(f"{family!r} names no family of networks; write for example vgg16 or mobilenet-0.25")
    return parts["family"], float(parts["width"] or 1.0)


def canonical_family(family: str) -> str:
    """Return the one spelling of a family that files and fingerprints use: `MobileNet-1.0` → `mobilenet`.

    Raises:
        BackboneError: `family` is no family's name.
    """
    name, width = split_family(family)
    return name if width == 1.0 else f"{name}-{width:g}"


def parse_name(name: str) -> BackboneName:
    """Return the parts of a backbone's name. The family may be in any case, the layer is as Keras spells it.

    Raises:
        BackboneError: the name is not of the form `family:layer` or `family:layer+gap`.
    """
    family, _, layer = name.strip().partition(":")
    parts = _NAME.fullmatch(f"{family.lower()}:{layer}" if layer else family.lower())
    if parts is None or parts["layer"] is None:
        raise BackboneError(
            f"{name!r} names no backbone; write family:layer, for example vgg16:fc1, mobilenet:conv1_relu "
            "or mobilenet:conv_pw_12_relu+gap (averaged over the image)"
        )
    return BackboneName(canonical_family(family), parts["layer"], parts["gap"] is not None)

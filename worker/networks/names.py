"""How a network and what is taken from it are named: `family:layer[+gap|+max|+gap+max][,layer…][+int8]`.

`efficientnet_lite0:block7_out+gap+max,head+gap+int8` is EfficientNet-Lite0 in 8-bit integers, and of it two layers,
one behind the other: of each channel of the first its average over the image and its largest value, of the second its
average.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from worker.backbones.names import BackboneError, canonical_family

Arithmetic = Literal["float32", "int8"]
Pooling = Literal["", "gap", "max", "gap+max"]

_INT8: Final = "+int8"
_OUTPUT: Final = re.compile(r"(?P<layer>[A-Za-z0-9_.-]+)(\+(?P<pooling>gap\+max|gap|max))?")


@dataclass(frozen=True)
class Output:
    """One layer's output, and how each of its channels is pooled over the image.

    `gap` averages, `max` takes the largest value, `gap+max` both, all averages first; empty: not at all.
    """

    layer: str
    pooling: Pooling = ""

    @property
    def poolings(self) -> tuple[str, ...]:
        """The poolings one by one, in the order of their values."""
        return tuple(self.pooling.split("+")) if self.pooling else ()

    def __str__(self) -> str:
        return f"{self.layer}+{self.pooling}" if self.pooling else self.layer


@dataclass(frozen=True)
class NetworkName:
    """What a feature vector is made of: a family of networks, outputs of its layers in order, and the arithmetic."""

    family: str
    outputs: tuple[Output, ...]
    arithmetic: Arithmetic = "float32"

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that the network's file has to put out, each once."""
        return tuple(dict.fromkeys(output.layer for output in self.outputs))

    @property
    def file_name(self) -> str:
        """The name without its poolings, which are not in the file: what the file is a file of."""
        return str(NetworkName(self.family, tuple(map(Output, self.layers)), self.arithmetic))

    def __str__(self) -> str:
        return f"{self.family}:{','.join(map(str, self.outputs))}{_INT8 if self.arithmetic == 'int8' else ''}"


def parse_network_name(name: str) -> NetworkName:
    """Return the parts of a network's name. The family may be in any case, the layers are as Keras spells them.

    Raises:
        BackboneError: the name is not of that form.
    """
    family, _, rest = name.strip().partition(":")
    arithmetic: Arithmetic = "int8" if rest.endswith(_INT8) else "float32"
    matches = [_OUTPUT.fullmatch(part) for part in rest.removesuffix(_INT8).split(",")]
    if None in matches or not family:
        raise BackboneError(
            f"{name!r} names no network; write family:layer, for example vgg16:fc1, "
            "mobilenet:conv_pw_12_relu+gap (averaged over the image; +max: its largest value, +gap+max: both), "
            "efficientnet_lite0:block7_out+gap,head+gap (several layers), and +int8 at the end for 8-bit arithmetic"
        )
    poolings: dict[str | None, Pooling] = {None: "", "gap": "gap", "max": "max", "gap+max": "gap+max"}
    outputs = tuple(Output(match["layer"], poolings[match["pooling"]]) for match in matches if match is not None)
    return NetworkName(canonical_family(family), outputs, arithmetic)

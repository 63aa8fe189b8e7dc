"""How a network and what is taken from it are named: `family:layer…[,layer…][+edge][+int8]`, each layer with poolings.

`efficientnet_lite0:block7_out+gap+max,head+gap+int8` is EfficientNet-Lite0 in 8-bit integers, and of it two layers,
one behind the other: of each channel of the first its average over the image and its largest value, of the second its
average.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from worker.backbones.names import BackboneError, canonical_family

Arithmetic = Literal["float32", "int8"]
_EDGE: Final = "+edge"
_INT8: Final = "+int8"
MIDDLE: Final = ("middle max", "middle min")
"""What `+mid` stands for: the largest and the smallest value of the middle of the image."""

_OUTPUT: Final = re.compile(
    r"(?P<layer>[A-Za-z0-9_.-]+)(?P<pooling>(\+gap)?(\+max)?(\+min)?(\+mid)?(\+rows)?)(?P<foreground>\+fg)?"
)


@dataclass(frozen=True)
class Output:
    """One layer's output, and how each of its channels is pooled over the image.

    `gap` averages, `max` takes the largest value, `min` the smallest, `mid` both in the middle of the image, `rows`
    averages each row by itself, from the upper one down: along an edge that was levelled, but not across it. Several
    stand one behind the other, in this order; empty: not at all. With `foreground` (`+fg`) the background of what was
    cut out is left out of each.
    """

    layer: str
    pooling: str = ""
    foreground: bool = False

    @property
    def poolings(self) -> tuple[str, ...]:
        """The poolings one by one, in the order of their values."""
        words = self.pooling.split("+") if self.pooling else []
        return tuple(one for word in words for one in (MIDDLE if word == "mid" else (word,)))

    def __str__(self) -> str:
        return "+".join((self.layer, *filter(None, [self.pooling]), *(["fg"] if self.foreground else ())))


def pooled_size(shape: Sequence[int], pooling: str) -> int:
    """How many values one pooling gives of a layer's output of this shape: (rows, columns, channels) where it pools."""
    return math.prod(shape) if not pooling else shape[0] * shape[-1] if pooling == "rows" else shape[-1]


@dataclass(frozen=True)
class NetworkName:
    """What a feature vector is made of: a family of networks, outputs of its layers in order, and the arithmetic.

    With `edge` (`+edge`) it is of the strip along the lower contour of an insert that was cut out, found by itself.
    """

    family: str
    outputs: tuple[Output, ...]
    arithmetic: Arithmetic = "float32"
    edge: bool = False

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that the network's file has to put out, each once."""
        return tuple(dict.fromkeys(output.layer for output in self.outputs))

    @property
    def file_name(self) -> str:
        """The name without its poolings and the edge, which are not in the file: what the file is a file of."""
        return file_name(self.family, self.layers, self.arithmetic)

    @property
    def along_edge(self) -> NetworkName | None:
        """The same along the edge of cut-outs, where an average is one of each row.

        None where it is so already, or a layer is not pooled.
        """
        if self.edge or not all(output.pooling for output in self.outputs):
            return None
        outputs = [
            Output(
                output.layer, "+".join([name for name in output.poolings if name in ("max", "min")] + ["rows"]), True
            )
            for output in self.outputs
        ]
        return NetworkName(self.family, tuple(outputs), self.arithmetic, edge=True)

    def __str__(self) -> str:
        words = (_EDGE if self.edge else "") + (_INT8 if self.arithmetic == "int8" else "")
        return f"{self.family}:{','.join(map(str, self.outputs))}{words}"


def file_name(family: str, layers: Iterable[str], arithmetic: Arithmetic) -> str:
    """What a network's file is a file of: its family, layers and arithmetic, without poolings."""
    return str(NetworkName(family, tuple(map(Output, layers)), arithmetic))


def parse_network_name(name: str) -> NetworkName:
    """Return the parts of a network's name. The family may be in any case, the layers are as Keras spells them.

    Raises:
        BackboneError: the name is not of that form.
    """
    family, _, rest = name.strip().partition(":")
    arithmetic: Arithmetic = "int8" if rest.endswith(_INT8) else "float32"
    rest = rest.removesuffix(_INT8)
    edge = rest.endswith(_EDGE)
    matches = [_OUTPUT.fullmatch(part) for part in rest.removesuffix(_EDGE).split(",")]
    if not family or any(match is None or (match["foreground"] and not match["pooling"]) for match in matches):
        raise BackboneError(
            f"{name!r} names no network; write family:layer, for example vgg16:fc1, "
            "mobilenet:conv_pw_12_relu+gap (averaged over the image; +max: its largest value, +min: its smallest, "
            "+mid: both in its middle, +rows: averaged row by row; of several +gap first, then +max, +min, +mid, "
            "+rows; then +fg: of what was cut out without its background), "
            "efficientnet_lite0:block7_out+gap,head+gap (several layers); +edge behind "
            "the last one for the strip along the lower contour of a cut-out, and +int8 at the end for 8-bit arithmetic"
        )
    outputs = [
        Output(match["layer"], match["pooling"].removeprefix("+"), match["foreground"] is not None)
        for match in matches
        if match is not None
    ]
    return NetworkName(canonical_family(family), tuple(outputs), arithmetic, edge)

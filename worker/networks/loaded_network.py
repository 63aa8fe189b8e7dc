"""A network's file in memory, ready to turn pixels into features: LiteRT alone, one thread.

Convolutions see one image at a time: more at once costs memory and gains nothing. A dense layer reads all of its
weights in each pass (103 MB of VGG16's `fc1` in int8: 16 ms for one image, 2 ms an image for eight), so a network that
puts one out sees several.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from producer.runtime.arrays import BoolArray, Float32Array, UInt8Array
from worker.backbones.names import BackboneError
from worker.images.foreground import foreground
from worker.images.region_cut import StripSize
from worker.networks.manifest import Manifest
from worker.networks.names import NetworkName, Output, pooled_size
from worker.networks.pooling import pooled
from worker.runtime.held_stderr import held_stderr

_TOGETHER: Final = 8
"""Images whose layers are pooled together, and that a network with a dense layer sees at once, at most."""


_CHECKED: Final = 64
"""Places of each output that are held against what they were when the network was built."""

_TOLERANCE: Final = {"float32": 1e-3, "int8": 0.1}
"""What they may differ by, as a part of the largest: other processors round otherwise, and in int8 by whole steps."""


class NetworkUnfit(BackboneError):
    """A network's file is damaged, or not what its manifest says; the message says what to do."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What one image's features were pooled from: the maps of each output, and where the insert is in a cut-out."""

    maps: list[Float32Array]
    foreground: BoolArray | None = None


class Network:
    """A network's file, and what is taken from it. To be used by one thread at a time.

    `name` is canonical; `fingerprint` names everything that the features depend on; `feature_size` is the length of
    one feature vector; `input_size` is (height, width) in pixels: with `edge`, of the strip along a lower contour.
    """

    def __init__(self, data: bytes, manifest: Manifest, outputs: Sequence[Output], *, edge: bool = False) -> None:
        """Prepare to run `data`, whose digest has been held against the manifest's (see `NetworkStore.read`).

        Raises:
            NetworkUnfit: LiteRT cannot run it, or it is not the network of the manifest.
            BackboneError: a layer of `outputs` is not in it, or has no image to pool over.
        """
        self.manifest = manifest
        self.outputs = tuple(outputs)
        self.name = str(NetworkName(manifest.family, self.outputs, manifest.arithmetic, edge))
        self.input_size = StripSize(manifest.input_size) if edge else manifest.input_size
        self.fingerprint = manifest.fingerprint(self.outputs, edge=edge)
        self._shapes = dict(zip(manifest.layers, manifest.shapes, strict=True))
        self.feature_size = sum(self._size(output) for output in self.outputs)
        self._interpreter, self._input, self._indices = _prepared(data, manifest)
        self._leaves_out = any(output.foreground for output in self.outputs)
        self._room = 1
        self._step = 1 if all(len(shape) == 3 for shape in manifest.shapes) else _TOGETHER

    @property
    def digest(self) -> str:
        """The SHA-256 of the file."""
        return self.manifest.digest

    def features_of(self, images: Sequence[UInt8Array] | UInt8Array) -> Float32Array:
        """Return the features (n, feature_size) of n images (height, width, 3) of 0…255.

        Raises:
            ValueError: the images are not uint8 or not of `input_size`.
        """
        return self._features(images, None)

    @property
    def has_places(self) -> bool:
        """Whether every feature comes from places in the image, so that a decision can be traced back to them.

        Along an edge that was found it cannot: nobody keeps where in the photograph that was.
        """
        return not isinstance(self.input_size, StripSize) and all(
            len(self._shapes[output.layer]) == 3 for output in self.outputs
        )

    def features_and_maps(self, images: Sequence[UInt8Array] | UInt8Array) -> tuple[Float32Array, list[Seen]]:
        """Return what `features_of` does, and for each image the maps of `outputs` that the features are pooled from.

        The maps stay in memory (of the default's 190 kB an image), so this is for a message's images.

        Raises:
            ValueError: the images are not uint8 or not of `input_size`.
        """
        kept: list[Seen] = []
        return self._features(images, kept), kept

    def _features(self, images: Sequence[UInt8Array] | UInt8Array, kept: list[Seen] | None) -> Float32Array:
        for image in images:
            if image.dtype != np.uint8 or image.shape != (*self.input_size, 3):
                raise ValueError(
                    f"{self.name} takes uint8 images of {self.input_size} pixels and 3 colours, not {image.dtype} "
                    f"of shape {image.shape}"
                )
        features = np.empty((len(images), self.feature_size), np.float32)
        for start in range(0, len(images), _TOGETHER):
            part = slice(start, start + _TOGETHER)
            maps = dict(zip(self.manifest.layers, self.maps(images[part]), strict=True))
            foregrounds = [foreground(image) if self._leaves_out else None for image in images[part]]
            values = [pooled(maps[output.layer], output, foregrounds) for output in self.outputs]
            np.concatenate(values, axis=1, out=features[part])
            if kept is not None:
                for number, inside in enumerate(foregrounds):
                    kept.append(Seen([maps[output.layer][number] for output in self.outputs], inside))
        return features

    def maps(self, images: Sequence[UInt8Array] | UInt8Array) -> list[Float32Array]:
        """Return what each of the file's layers puts out for n images (height, width, 3), before any pooling."""
        maps = [np.empty((len(images), *shape), np.float32) for shape in self.manifest.shapes]
        for start in range(0, len(images), self._step):
            part = slice(start, start + self._step)
            self._run(images[part])
            for every, index in zip(maps, self._indices, strict=True):
                every[part] = self._interpreter.tensor(index)()
        return maps

    def _run(self, images: Sequence[UInt8Array] | UInt8Array) -> None:
        if len(images) != self._room:
            self._interpreter.resize_tensor_input(self._input, (len(images), *self.input_size, 3), strict=True)
            self._interpreter.allocate_tensors()
            self._room = len(images)
        room = self._interpreter.tensor(self._input)
        for number, image in enumerate(images):
            room()[number] = image  # where the network reads it: new memory for a copy takes as long as copying
        self._interpreter.invoke()

    def check(self) -> None:
        """Run the check picture.

        Raises:
            NetworkUnfit: the outputs are not what they were when the network was built.
        """
        for layer, now, then in zip(self.manifest.layers, self.check_values(), self.manifest.check, strict=True):
            largest = max(map(abs, then))
            if np.shape(now) != np.shape(then) or not np.allclose(
                now, then, rtol=0, atol=_TOLERANCE[self.manifest.arithmetic] * largest
            ):
                raise NetworkUnfit(
                    f"{self.manifest.name} ({self.manifest.digest[:12]}) does not compute here what it computed where "
                    f"it was built (layer {layer}): build it again on this kind of machine"
                )

    def check_values(self) -> tuple[tuple[float, ...], ...]:
        """Return some places of each output for the check picture."""
        outputs = [output.reshape(-1) for output in self.maps(check_picture(self.input_size)[None])]
        places = [np.linspace(0, len(output) - 1, min(_CHECKED, len(output))).astype(int) for output in outputs]
        return tuple(tuple(map(float, output[at])) for output, at in zip(outputs, places, strict=True))

    def _size(self, output: Output) -> int:
        shape = self._shapes.get(output.layer)
        if shape is None:
            raise BackboneError(f"{self.manifest.name} puts out no layer {output.layer}")
        if output.pooling and len(shape) != 3:
            raise BackboneError(
                f"+{output.pooling} is over an image, but layer {output.layer} of {self.manifest.family} has the "
                f"shape {shape}"
            )
        return sum(pooled_size(shape, pooling) for pooling in output.poolings or ("",))


def check_picture(size: tuple[int, int]) -> UInt8Array:
    """Return a picture that is the same everywhere, with every brightness, slopes, edges and fine patterns."""
    y, x, colour = np.ogrid[: size[0], : size[1], :3]
    return np.asarray((x * (3 + colour) + y * 2 + (x * y) // 97 + 40 * ((x // 16 + y // 16) % 2)) % 256, np.uint8)


def _prepared(data: bytes, manifest: Manifest) -> tuple[Any, int, list[int]]:
    """LiteRT with the file in it, and the numbers of its input and outputs."""
    # The first one says on standard error that it has been made.
    with held_stderr():
        from ai_edge_litert.interpreter import Interpreter

        try:
            interpreter = Interpreter(model_content=data, num_threads=1)
            interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise NetworkUnfit(f"LiteRT cannot run {manifest.name} ({manifest.digest[:12]}): {error}") from None
    (inputs, outputs) = interpreter.get_input_details(), interpreter.get_output_details()
    taken = [(tensor["dtype"], tuple(map(int, tensor["shape"]))) for tensor in inputs]
    results = [(tensor["dtype"], tuple(map(int, tensor["shape"]))) for tensor in outputs]
    if taken != [(np.float32, (1, *manifest.input_size, 3))] or results != [
        (np.float32, (1, *shape)) for shape in manifest.shapes
    ]:
        raise NetworkUnfit(
            f"the file {manifest.digest[:12]} is not the network {manifest.name} of its manifest: it takes {taken} and "
            f"gives {results}"
        )
    return interpreter, inputs[0]["index"], [tensor["index"] for tensor in outputs]

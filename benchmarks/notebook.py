"""The lab's loop against the product's batched path, on the same photographs, from file to class.

The loop is the notebook's: for each image `load_img`, `preprocess_input`, `model.predict` of one image, and `predict`
of a scikit-learn `SVC`. The lab's path reads the same pixels (`worker.dataset.labelled_folder.load_image`), on all
cores, runs full batches in Keras, and decides with the primal weights. Both must give the same classes, or the
benchmark fails.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.svm import SVC

from benchmarks.materials import photographs, random_weights
from benchmarks.measure import Benchmark
from producer.runtime.arrays import Float32Array, Int64Array
from worker.dataset.labelled_folder import load_image
from worker.features.batches import feature_batches
from worker.models.gram_svm import fit_gram, gram, primal
from worker.models.linear_svm import LinearModel

if TYPE_CHECKING:
    from worker.backbones.backbone import Backbone

BATCH = 32
"""Images in one forward pass of the batched path."""


class Loop:
    """The notebook's loop with a network of `keras.applications` up to a layer, and a scikit-learn `SVC` behind it."""

    def __init__(self, backbone: str, weights: str | None):
        """Load the whole network as the notebook does, with the weight file."""
        import keras

        self.family, _, layer = backbone.partition(":")
        whole = getattr(keras.applications, {"vgg16": "VGG16", "mobilenet": "MobileNet"}[self.family])(weights=None)
        whole.load_weights(weights)
        self._model = keras.Model(whole.input, whole.get_layer(layer).output)
        self._svc = SVC(kernel="linear", class_weight="balanced")

    def learn(self, features: Float32Array, sides: Int64Array) -> None:
        """Fit the `SVC` on features (n, d)."""
        self._svc.fit(features, sides)

    def features(self, file: Path) -> Float32Array:
        """The features (1, d) of one image."""
        import keras

        prepare = getattr(keras.applications, self.family).preprocess_input
        image = keras.utils.img_to_array(keras.utils.load_img(file, target_size=(224, 224)))
        return np.asarray(self._model.predict(prepare(image[None]), verbose=0)).reshape(1, -1)

    def judge(self, files: Sequence[Path]) -> list[int]:
        """The class of each image, one after the other."""
        return [int(self._svc.predict(self.features(file))[0]) for file in files]


def ratios(backbone: str, rounds: int, samples: int) -> list[float]:
    """`samples` times the loop's seconds for all photographs over those of the batched path, best of `rounds`.

    Raises:
        AssertionError: the two find different classes.
    """
    from worker.backbones.backbone import load_backbone

    with random_weights(backbone) as weights, tempfile.TemporaryDirectory(prefix="bench-images-") as folder:
        files = written(Path(folder), photographs())
        network = load_backbone(backbone, weights, weights_folder=Path(folder))
        network.warm_up([1, BATCH])
        loop = Loop(backbone, weights)
        features = _features(network, files)
        labels = np.arange(len(files)) % 2  # as rendered: every second one is damaged
        loop.learn(features, labels)
        linear = primal(fit_gram(gram(features), labels), features, ("intact", "damaged"))
        loop.judge(files[:2])
        measured = []
        for _ in range(samples):
            loop_seconds, by_loop = _timed(lambda: loop.judge(files))
            timed = [_timed(lambda: _batched(network, linear, files)) for _ in range(rounds)]
            if any(classes != by_loop for _, classes in timed):
                raise AssertionError("the notebook's loop and the batched path find different classes")
            batched_seconds = min(seconds for seconds, _ in timed)
            print(f"  {len(files)} images: loop {loop_seconds:.2f} s, batched {batched_seconds:.2f} s", flush=True)
            measured.append(loop_seconds / batched_seconds)
    return measured


def written(folder: Path, images: Sequence[bytes]) -> list[Path]:
    """The files in `folder` that the images are in from now on, in their order."""
    files = [folder / f"{number:03d}.jpg" for number in range(len(images))]
    for file, image in zip(files, images, strict=True):
        file.write_bytes(image)
    return files


def _batched(network: Backbone, linear: LinearModel, files: Sequence[Path]) -> list[int]:
    return [int(each) for each in linear.predict(_features(network, files))]


def _features(network: Backbone, files: Sequence[Path]) -> Any:
    load = partial(load_image, size=network.input_size)
    parts = [part.features for part in feature_batches(files, load, network, size=BATCH, unusable=())]
    return np.concatenate(parts) if len(parts) > 1 else parts[0]


def _timed(work: Any) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


BENCHMARKS = (
    Benchmark(
        name="notebook_vgg16",
        sentence="seconds of the lab's loop, image by image, over those of the batched path, with vgg16:fc1",
        unit="times faster",
        target=2.5,
        at_least=True,
        measure=partial(ratios, "vgg16:fc1", 1),
        samples=3,
    ),
    Benchmark(
        name="notebook_mobilenet_conv1",
        sentence="seconds of the lab's loop, image by image, over those of the batched path, with mobilenet:conv1_relu",
        unit="times faster",
        target=10,
        at_least=True,
        measure=partial(ratios, "mobilenet:conv1_relu", 3),
        samples=3,
    ),
)

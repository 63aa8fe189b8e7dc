"""The architecture of `insertnet`, and its weights on disk.

Plain 3 × 3 convolutions: on a CPU they train and run more than twice as fast as depthwise-separable ones of about as
many multiply-adds (85 million for one image, with 0.19 million parameters).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from worker.backbones.insertnet import FEATURES, INPUT_SIZE
from worker.backbones.tensorflow_import import loading_tensorflow

with loading_tensorflow():
    import keras
    from keras import layers

NAME = "insertnet"
VERSION = 1

# Name, channels, stride. A stage that keeps both adds its input to its output.
STAGES = (
    ("stem", 16, 2),
    ("stage1_down", 24, 2),
    ("stage1_keep", 24, 1),
    ("stage2_down", 48, 2),
    ("stage2_keep", 48, 1),
    ("stage3_down", 96, 2),
    ("stage3_keep", 96, 1),
)


def build(weights: Path | None = None) -> Any:
    """The network up to its features: (n, 224, 224, 3) of float32 in [-1, 1] to (n, 192).

    Raises ValueError if the weights file does not fit the architecture, OSError if it cannot be read.
    """
    inputs = keras.Input((INPUT_SIZE, INPUT_SIZE, 3), name="image")
    x = inputs
    for name, channels, stride in STAGES:
        y = _convolve(x, name, channels, 3, stride)
        x = layers.Add(name=f"{name}_add")([x, y]) if stride == 1 else y
    x = _convolve(x, "maps", FEATURES, 1, 1)
    x = layers.GlobalAveragePooling2D(name="pooled")(x)
    # A linear SVM at C = 1 without a scaler, as everywhere here, fits too loosely on averages below one.
    model = keras.Model(inputs, layers.Rescaling(2.0, name="features")(x), name=NAME)
    if weights is not None:
        load_weights(model, weights)
    return model


def with_training_heads(backbone: Any, shapes: int, coatings: int) -> Any:
    """The same layers with what they learn from: what the edge is like, where the damage is, and what insert it is."""
    features, maps = backbone.output, backbone.get_layer("maps_relu").output
    heads = {
        "label": layers.Dense(3, activation="softmax", name="label")(layers.Dropout(0.2, name="drop")(features)),
        "damage": layers.Conv2D(1, 1, activation="sigmoid", name="damage")(maps),
        "shape": layers.Dense(shapes, activation="softmax", name="shape")(features),
        "coating": layers.Dense(coatings, activation="softmax", name="coating")(features),
    }
    return keras.Model(backbone.input, heads, name=f"{NAME}_training")


def save_weights(model: Any, path: Path) -> None:
    """Write the layout of keras.applications' weight files; the same weights give the same bytes."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = np.array([layer.name.encode() for layer in model.layers])
        for layer in model.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}/{variable.name}:0" for variable in layer.weights]
            group.attrs["weight_names"] = np.array([name.encode() for name in names], dtype="S")
            for name, variable in zip(names, layer.weights, strict=True):
                group.create_dataset(name, data=np.asarray(variable, np.float32), track_times=False)


def load_weights(model: Any, path: Path) -> None:
    """Put a file of `save_weights` into a model, layer by layer by name. Raises ValueError where they do not fit."""
    with h5py.File(path, "r") as file:
        for layer in model.layers:
            if not layer.weights:
                continue
            if layer.name not in file:
                raise ValueError(f"{path} has no weights for the layer '{layer.name}': it is not of {NAME} {VERSION}")
            group = file[layer.name]
            values = [np.asarray(group[name]) for name in group.attrs["weight_names"].astype(str)]
            wanted = [tuple(variable.shape) for variable in layer.weights]
            if [value.shape for value in values] != wanted:
                raise ValueError(f"{path}: the layer '{layer.name}' should have weights of the shapes {wanted}")
            layer.set_weights(values)


def _convolve(x: Any, name: str, channels: int, kernel: int, stride: int) -> Any:
    x = layers.Conv2D(channels, kernel, strides=stride, padding="same", use_bias=False, name=f"{name}_conv")(x)
    x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)

"""The published ImageNet error of each family, for the report's table."""

SOURCE = "100 % − top-1 accuracy, https://keras.io/api/applications/"
"""Where the figures come from: the table "Available models" there (ImageNet validation set). MobileNetV3 is not in that
table; its two figures are those of Keras's own keras/src/applications/mobilenet_v3.py."""

_TOP1_ACCURACY = {
    "xception": 79.0,
    "vgg16": 71.3,
    "vgg19": 71.3,
    "resnet50": 74.9,
    "resnet50v2": 76.0,
    "resnet101": 76.4,
    "resnet101v2": 77.2,
    "resnet152": 76.6,
    "resnet152v2": 78.0,
    "inceptionv3": 77.9,
    "inceptionresnetv2": 80.3,
    "mobilenet": 70.4,
    "mobilenetv2": 71.3,
    "mobilenetv3large": 75.6,
    "mobilenetv3small": 68.1,
    "densenet121": 75.0,
    "densenet169": 76.2,
    "densenet201": 77.3,
    "nasnetmobile": 74.4,
    "nasnetlarge": 82.5,
    "efficientnetb0": 77.1,
    "efficientnetb1": 79.1,
    "efficientnetb2": 80.1,
    "efficientnetb3": 81.6,
    "efficientnetb4": 82.9,
    "efficientnetb5": 83.6,
    "efficientnetb6": 84.0,
    "efficientnetb7": 84.3,
    "efficientnetv2b0": 78.7,
    "efficientnetv2b1": 79.8,
    "efficientnetv2b2": 80.5,
    "efficientnetv2b3": 82.0,
    "efficientnetv2s": 83.9,
    "efficientnetv2m": 85.3,
    "efficientnetv2l": 85.7,
    "convnexttiny": 81.3,
    "convnextsmall": 82.3,
    "convnextbase": 85.3,
    "convnextlarge": 86.3,
    "convnextxlarge": 86.7,
}


def top1_error(family: str) -> float | None:
    """Return the published top-1 error in percent of the whole network with Keras's weights; None where there is none.

    `family` as in a backbone's name. Other widths than 1 (`mobilenet-0.25`) are not in the table.
    """
    accuracy = _TOP1_ACCURACY.get(family)
    return None if accuracy is None else round(100 - accuracy, 1)

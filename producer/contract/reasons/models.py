"""Why a model, or none, leaves an insert unsure."""

from __future__ import annotations

from typing import Final

from producer.contract.reasons.template import Template

NO_MODEL: Final = Template("there is no model yet")
NONE_CAN_JUDGE: Final = Template("there is no model that can judge: {problem:words}")
UNSURE_BAND: Final = Template(
    "the probability of damage, {probability:.3f}, lies in the unsure band, {lower:.3f} to {upper:.3f}"
)
UNLIKE: Final = Template(
    "unlike anything learnt: the distance to the nearest learnt photographs, {distance:.3f}, is above the limit of "
    "{limit:.3f}"
)
NOT_FINITE: Final = Template("the network's features are not finite")
NO_BOXES: Final = Template(
    "the model has not learned from photographs that are cut to a box, or not at all, as this one is: it takes a "
    "training with reviews of such"
)
NO_POLYGONS: Final = Template(
    "the model has not learned from photographs that are cut to a polygon, as this one is: it takes a training with "
    "reviews of such"
)
NO_EDGES: Final = Template(
    "the model has not learned from photographs that are cut to the strip along an edge, as this one is: it takes a "
    "training with reviews of such"
)

# Why a model cannot be loaded (`worker.models`).
_AGAIN: Final = "; copy the model folder again from where it was made, or train a new one"
NO_NETWORK: Final = Template(
    "model {model} was made before networks were files, and no worker can judge by it: `insert-worker learn` makes "
    "another, or `insert-worker train`"
)
NOT_AS_REGISTERED: Final = Template("model {model} is not the file that was registered")
OTHER_CLASSES: Final = Template("model {model} tells {classes} apart, not {known}")
OTHER_KINDS: Final = Template("model {model} tells {classes} apart among the damaged, not {known}")
WITHOUT_NETWORK: Final = Template("model {model} cannot judge without its network: {problem:words}")
OTHER_PIXELS: Final = Template(
    "model {model} was fitted on features with the fingerprint {learnt}, but its network gives {here} here: this "
    "worker reads pixels in another way than the learner did; train a new model"
)
OTHER_BACKBONE: Final = Template(
    "model {model} in {folder} was fitted on features of {backbone} with fingerprint {learnt}, but the backbone in use "
    "has {here}: use that backbone with the same weights and preprocessing, or train a model for this one"
)
NOT_ITS_FILE: Final = Template("{file} is not the file that its manifest names" + _AGAIN)
NOT_THE_MODEL: Final = Template("{file} does not hold the model: {problem}" + _AGAIN)
OTHER_MODEL: Final = Template("the model in {folder} is not {model}, as its manifest says" + _AGAIN)
NO_MANIFEST: Final = Template("{file} is not a model's manifest ({problem})" + _AGAIN)
UNREADABLE: Final = Template("cannot read {file} ({problem})" + _AGAIN)
FILE_TOO_LARGE: Final = Template("{file} is larger than the {most:d} bytes such a file can need" + _AGAIN)

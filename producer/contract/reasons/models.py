"""Why a model, or none, leaves an insert unsure."""

from __future__ import annotations

from typing import Final

from producer.contract.reasons.template import Template

NO_MODEL: Final = Template("there is no model yet")
NONE_CAN_JUDGE: Final = Template("there is no model that can judge: {problem}")
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

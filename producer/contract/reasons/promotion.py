"""Why the promotion rule is for or against a model (`worker.evaluation.promotion_rule`)."""

from __future__ import annotations

from typing import Final

from producer.contract.reasons.template import Template

ABOVE_GUESSING: Final = Template(
    "its balanced accuracy, {mean:.3f} on splits by insert, is above guessing ({chance:reason})"
)
NOT_ABOVE_GUESSING: Final = Template(
    "its balanced accuracy, {mean:.3f} on splits by insert, is not above guessing ({chance:reason})"
)
NOT_WORSE: Final = Template(
    "{score:reason} {ours:.3f} against the champion's {theirs:.3f}: not worse ({chance:reason})"
)
WORSE: Final = Template(
    "{score:reason} {ours:.3f} against the champion's {theirs:.3f}: worse beyond chance ({chance:reason})"
)
WORSE_BY_MARGIN: Final = Template(
    "{score:reason} {ours:.3f} against the champion's {theirs:.3f}: worse by more than the margin of {margin:g}"
)
NEWEST_ABOVE_GUESSING: Final = Template("its balanced accuracy on the newest labels, {mean:.3f}, is above guessing")
NEWEST_NOT_ABOVE_GUESSING: Final = Template(
    "its balanced accuracy on the newest labels, {mean:.3f}, is not above guessing"
)
NEWEST: Final = Template(
    "of {count:d} newest labels it alone is right on {better:d}, the champion alone on {worse:d} ({chance:reason})"
)
NEWEST_DAMAGED: Final = Template(
    "of {count:d} newest damaged inserts it alone is right on {better:d}, the champion alone on {worse:d} "
    "({chance:reason})"
)
UNOPPOSED: Final = Template("nobody is in charge yet")
CHAMPION_CANNOT_JUDGE: Final = Template("the champion {champion} cannot judge: it was made before networks were files")
OTHER_FEATURES: Final = Template(
    "the champion {champion} judges features of {backbone} with another fingerprint, so that the two cannot be "
    "measured on the same ground: whether to change over is a person's decision "
    "(`insert-worker models promote {model} --why …`)"
)
NOT_BY_INSERT: Final = Template("it cannot be measured by insert: {problem:words}")

# The p-value of a difference; of splits that all agree the test makes 0, which so few cannot show.
CHANCE: Final = Template("p = {chance:.2g}")
HARDLY_CHANCE: Final = Template("p < 0.0001")

# The scores that are compared.
BALANCED_ACCURACY: Final = Template("balanced accuracy")
RECALL_DAMAGED: Final = Template("recall damaged")
COST: Final = Template("cost")

# Why there is no measure: what the labelled photographs lack.
ONE_OF_CLASS: Final = Template("a class has {count:d} image; a stratified split needs at least 2 of each class")
ONE_GROUP: Final = Template("all images are of one group; a grouped split needs at least two")
CLASS_IN_ONE_GROUP: Final = Template(
    "{draws:d} draws of {share:.0%} of the {count:d} groups never had every class on both sides; each class needs "
    "images in at least two groups"
)
FEW_INSERTS: Final = Template("learning needs images of at least two intact and of two damaged inserts; review more")
NOT_DIVISIBLE: Final = Template("the inserts cannot be divided so that each part has both sides; review more inserts")
NO_SPLIT: Final = Template("no split leaves enough on both sides to learn and compare on; review more inserts")

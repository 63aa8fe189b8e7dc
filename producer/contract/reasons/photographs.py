"""Why a photograph shows no insert that could be judged: lamp, lens, camera or pocket."""

from __future__ import annotations

from typing import Final

from producer.contract.reasons.template import Template

BLACK: Final = Template("the image is black: lamp or camera off, or the lens covered?")
FLOODED: Final = Template("the image is burnt out: exposure too long or the lamp too bright?")
NO_CONTRAST: Final = Template("the image has no contrast: nothing in view, or out of focus entirely?")

# By what is usual at its station.
DARK: Final = Template(
    "the photograph is too dark: it has {share:.0%} of the brightness that is usual at its station: "
    "look at lamp, exposure and lens, and take it again"
)
BURNT_OUT: Final = Template(
    "the photograph is burnt out: {share:.0%} of it is white: look at the lamp and the exposure, and take it again"
)
BLURRED: Final = Template(
    "the photograph is blurred: it has {share:.0%} of the sharpness that is usual at its station: "
    "look at focus and lens, and whether something shakes, and take it again"
)
COVERED: Final = Template(
    "nothing is seen: the lens is covered or fogged: it has {share:.0%} of the sharpness that is usual at its station: "
    "look at lens, and take it again"
)
SOFT: Final = Template(
    "less sharp than this station's photographs: it has {share:.0%} of the sharpness that is usual, and a slight blur "
    "hides damage: look at focus and lens, and whether something shakes, and take it again"
)
STUCK: Final = Template(
    "the photograph is, pixel for pixel, the one of pocket {pocket:d} of {head:name} on {machine:name}: is the camera "
    "stuck? Start it again, and take the photograph again"
)
MOVED: Final = Template(
    "the camera has moved, or the head stops elsewhere: the station's last {count:d} photographs are shifted by some "
    "{share:.0%} of their size: put it back, and take the photograph again; if it is to stay there, review this one, "
    "and measure the regions of the pockets anew"
)
NO_INSERT: Final = Template(
    "no insert in the pocket: the photograph is like those of its station that were reviewed as unusable, and not like "
    "the good ones: put an insert in, and take it again"
)

NO_REASON: Final = Template("for no stated reason")

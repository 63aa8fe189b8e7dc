"""Why a capture can never be judged as it is, and why a store does not hand out its image."""

from __future__ import annotations

from typing import Final

from producer.contract.reasons.template import Template

MISSING: Final = Template("no image under '{key}'")
UNREADABLE: Final = Template("the image '{key}' cannot be read: {problem}")
OTHER_DIGEST: Final = Template("the image under '{key}' has SHA-256 {digest}, not {wanted}")
CRASHED: Final = Template(
    "{attempts:d} attempts to judge it did not come to an end: the worker died or failed each time, the last ones "
    "with nothing else in hand; look for the capture's id in the worker's log"
)
ID_OF_ANOTHER: Final = Template(
    "capture_id {capture} is that of another photograph, check, pocket or operation, which came before: "
    "give each photograph an id of its own, and hand this one in again"
)

# The store refuses it: unusable.
TOO_LARGE: Final = Template("'{key}' has more than {most:d} bytes")
FOLDER: Final = Template("'{key}' is a folder, not an image")
LINK: Final = Template("'{key}' leads through a symbolic link")

"""The photographs of a head, each of which has been still for a while: a writer may close a file between its pieces."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from producer.station.head_folder import HeadFolder, changes_since
from producer.station.settled_files import still_for


def is_unguarded(shown: HeadFolder) -> bool:
    """Whether there is a photograph of which nothing tells that no program writes it."""
    return any(photograph.unguarded for photograph in shown.photographs)


def settled(shown: HeadFolder, folder: Path, settled_after: float) -> HeadFolder:
    """What `folder`, which showed `shown`, shows once each file has been still for so many seconds.

    What changed meanwhile is not handed in. Where nothing tells who writes a file, this looks again so much later; else
    when the youngest file is as old as that.
    """
    looks = [look for look in shown.looks.values() if look is not None]
    left = settled_after if is_unguarded(shown) else still_for(looks, settled_after)
    if left <= 0:
        return shown
    time.sleep(left)
    changes = changes_since(shown, folder)
    changed = {file for change in changes for file in change.files}
    still = [photograph for photograph in shown.photographs if photograph.file not in changed]
    return replace(shown, photographs=still, problems=[*shown.problems, *changes])

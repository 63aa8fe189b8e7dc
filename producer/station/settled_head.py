"""The photographs of a head where nothing tells which of them a program still writes: looked at twice."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from producer.station.head_folder import HeadFolder, changes_since


def is_unguarded(shown: HeadFolder) -> bool:
    """Whether there is a photograph of which nothing tells that no program writes it."""
    return any(photograph.unguarded for photograph in shown.photographs)


def settled(shown: HeadFolder, folder: Path, seconds: float) -> HeadFolder:
    """What `folder`, which showed `shown`, still shows after so many seconds; what changed is not handed in."""
    time.sleep(seconds)
    changes = changes_since(shown, folder)
    changed = {file for change in changes for file in change.files}
    still = [photograph for photograph in shown.photographs if photograph.file not in changed]
    return replace(shown, photographs=still, problems=[*shown.problems, *changes])

"""What is said of a photograph that cannot be judged."""

from __future__ import annotations


class UnusableImage(ValueError):
    """An image that cannot be judged. `reason` is a short sentence for the person at the machine."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class HalfAnImage(UnusableImage):
    """An image of which a part is missing; `problem` says in a few words how that shows."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"the image file is damaged or cut short ({problem}): hand it in again when it is written in full, "
            "or take the photograph again"
        )

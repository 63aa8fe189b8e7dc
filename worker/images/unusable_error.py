"""What is said of a photograph that cannot be judged."""

from __future__ import annotations

from producer.contract.reasons import image_files
from producer.contract.reasons.template import Reason


class UnusableImage(ValueError):
    """An image that cannot be judged. `reason` is a short sentence for the person at the machine."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class HalfAnImage(UnusableImage):
    """An image of which a part is missing; `problem` says in a few words how that shows."""

    def __init__(self, problem: Reason) -> None:
        super().__init__(image_files.HALF(problem=problem))

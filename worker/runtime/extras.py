"""What to install where a command needs more than a line that only judges."""

from __future__ import annotations

from typing import Final

_LEARNING: Final = frozenset({"tensorflow", "keras", "sklearn", "scipy"})


def how_to_install(error: ModuleNotFoundError) -> str | None:
    """Return what to install for a module that was not found; None where no extra brings it."""
    if (error.name or "").partition(".")[0] not in _LEARNING:
        return None
    return (
        f"this needs TensorFlow and scikit-learn ({error.name} is not installed): "
        "pip install 'insert-inspection[learn]'"
    )

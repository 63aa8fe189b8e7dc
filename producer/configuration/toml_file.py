"""Configuration that people write: TOML files, and what is wrong with one, in words."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any


def read_toml(path: Path, *, what: str, example: str, hint: str) -> dict[str, Any]:
    """What a TOML file says.

    Args:
        path: the file.
        what: what it is, for messages: "head register".
        example: how to get one to begin with, where there is none.
        hint: what is most often wrong, and a sentence about the form.

    Raises:
        ValueError: it is not there, cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ValueError(f"there is no {what} {path}: {example}") from None
    except OSError as error:
        raise ValueError(f"the {what} {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8: save it again as UTF-8") from None
    except RecursionError:
        raise ValueError(f"{path} is no {what}: its lists or tables stand too deep in each other") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is no TOML: {error}. {hint}") from None
    except ValueError as error:  # of Python itself: a number of thousands of digits, a day that no month has
        raise ValueError(f"{path} is no TOML: a value in it cannot be read ({error})") from None

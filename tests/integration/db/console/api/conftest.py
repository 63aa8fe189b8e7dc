"""A program for each role, with a token of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from db.console.context import Console
from tests.console_support import Program, token_of


@pytest.fixture
def program(console: Console) -> Callable[[str], Program]:
    """A program with a token of the person with that role."""
    return lambda role: Program(console, token_of(console, f"the {role}"))

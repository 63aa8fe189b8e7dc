"""A terminal, or a pipe, of any encoding in the place of this process's own streams."""

from __future__ import annotations

import io
import sys

import pytest

from producer.terminal.output import prepare_streams


class Streams:
    """Standard output and error in one encoding, prepared as a command prepares its own.

    To be made inside a test: pytest puts its own streams back between a fixture and its test.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, encoding: str):
        self.encoding = encoding
        self._bytes = {name: io.BytesIO() for name in ("stdout", "stderr")}
        for name, raw in self._bytes.items():
            monkeypatch.setattr(sys, name, io.TextIOWrapper(raw, encoding=encoding, newline=""))
        prepare_streams()

    def shown(self, name: str = "stdout") -> str:
        """What was printed; an error where it is not of that encoding."""
        getattr(sys, name).flush()
        return self._bytes[name].getvalue().decode(self.encoding)

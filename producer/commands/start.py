"""Where `insert-station` begins."""

from __future__ import annotations

from producer.terminal.start import start


def main() -> None:
    """Run `insert-station`."""
    start("producer.commands.main")

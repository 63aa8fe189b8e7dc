"""Where `insert-worker` begins."""

from __future__ import annotations

from producer.terminal.start import start


def main() -> None:
    """Run `insert-worker`."""
    start("worker.commands.main")

"""What a process takes that runs one network: measured in a process of its own, which does nothing else."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path
from typing import Final

from producer.terminal.output import say
from worker.networks.loaded_network import Network, check_picture
from worker.networks.store import NetworkStore

_RUN: Final = f"import sys; from {__name__} import run_once; run_once(*sys.argv[1:])"


def resident_megabytes(root: str, network: Network) -> float:
    """Return the resident memory, in megabytes (10⁶ bytes), of a process that runs a network of the store `root`.

    Raises:
        CalledProcessError: it cannot be run there.
    """
    command = [sys.executable, "-c", _RUN, root, network.digest]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(ended.stdout) / 1e6


def run_once(root: str, digest: str) -> None:
    """Run the network of that digest on one picture, and print the resident memory of this process in bytes."""

    store = NetworkStore(root)
    manifest = store.with_digest(digest)
    network = Network(store.read(manifest), manifest, ())
    network.maps(check_picture(network.input_size)[None])
    say(_resident_bytes())


def _resident_bytes() -> int:
    """What this process has now; where there is no `/proc` (macOS, in bytes there) the most that it had.

    Linux counts what the process that started this one had in the latter.
    """
    pages = Path("/proc/self/statm")
    if pages.exists():
        return int(pages.read_text("ascii").split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

"""The networks that benchmarks run: built once, with random weights where a family has none here, and kept.

They are in var/bench-networks, a store of their own, so that no line takes one for its own. Building is the work of a
process that ends with it: it needs TensorFlow, and for VGG16 in int8 nine gigabytes.
"""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Final

from benchmarks.materials import random_weights
from worker.networks.loaded_network import Network
from worker.networks.manifest import RECIPE
from worker.networks.names import parse_network_name
from worker.networks.store import NetworkMissing, NetworkStore

STORE: Final = Path("var") / "bench-networks" / f"recipe-{RECIPE}"
"""What another recipe of pixels made is measured no more."""

VGG16: Final = "vgg16:fc1+int8"
MOBILENET: Final = "mobilenet:conv_pw_12_relu+gap+int8"


@cache
def network(backbone: str, store: Path = STORE) -> Network:
    """Return a network, to be run in one thread; where it is not kept yet it is built first.

    Raises:
        CalledProcessError: it cannot be built; what is wrong stands on standard error.
    """
    networks = NetworkStore(str(store))
    try:
        return networks.open(backbone)
    except NetworkMissing:
        print(f"  building {backbone}, which is kept in {store}", flush=True)
        subprocess.run([sys.executable, "-m", "benchmarks.networks", backbone, str(store)], check=True)
        return networks.open(backbone)


def _build(backbone: str, store: Path) -> None:
    from worker.backbones import families
    from worker.networks import building
    from worker.networks.representative import drawn

    name = parse_network_name(backbone)
    pictures = drawn(families.input_size(name.family)) if name.arithmetic == "int8" else None
    with random_weights(backbone) as weights:
        built = building.build(name, weights, weights_folder=store, representative=pictures)
    NetworkStore(str(store)).add(built.data, built.manifest)


if __name__ == "__main__":
    _build(sys.argv[1], Path(sys.argv[2]))

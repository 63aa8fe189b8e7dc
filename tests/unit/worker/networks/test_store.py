from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from worker.backbones.names import BackboneError
from worker.networks.building import Built
from worker.networks.loaded_network import NetworkUnfit
from worker.networks.store import NetworkMissing, NetworkStore

NAME = "mobilenet-0.25:conv_pw_1_relu+gap,conv_dw_2_relu+gap"


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> NetworkStore:
    """An empty one: in a folder that is not there yet, or in a bucket."""
    return NetworkStore(str(tmp_path / "networks") if request.param == "folder" else request.getfixturevalue("s3_root"))


def damage(store: NetworkStore, built: Built, data: bytes) -> None:
    key = f"{built.manifest.digest}.tflite"
    store._files.remove(key)
    store._files.put(key, data)


def test_what_is_kept_is_listed_opened_and_removed(store: NetworkStore, small: Built) -> None:
    assert store.manifests() == []
    assert store.add(small.data, small.manifest) == small.manifest
    assert store.manifests() == [small.manifest]
    store.verify(small.manifest)
    assert store.open(NAME).feature_size == 32
    store.remove(small.manifest)
    assert store.manifests() == []
    with pytest.raises(NetworkMissing, match=r"networks build mobilenet-0\.25:conv_pw_1_relu\+gap"):
        store.open(NAME)


def test_a_file_that_is_there_keeps_its_manifest(store: NetworkStore, small: Built) -> None:
    store.add(small.data, small.manifest)
    later = small.manifest.model_copy(update={"created_at": small.manifest.created_at + timedelta(days=1)})
    assert store.add(small.data, later) == small.manifest


def test_another_file_in_its_place_never_reaches_litert(store: NetworkStore, small: Built) -> None:
    store.add(small.data, small.manifest)
    hostile = small.data[:-1] + bytes([small.data[-1] ^ 1])  # a flatbuffer that LiteRT would run
    for other in (hostile, small.data[:-5], small.data + b"more", b""):
        damage(store, small, other)
        with pytest.raises(NetworkUnfit, match="was changed since it was built"):
            store.open(NAME)
        with pytest.raises(NetworkUnfit, match="already, and damaged"):
            store.add(small.data, small.manifest)
    store._files.remove(f"{small.manifest.digest}.tflite")
    with pytest.raises(NetworkUnfit, match="is gone from"):
        store.verify(small.manifest)
    assert store.add(small.data, small.manifest) == small.manifest
    store.verify(small.manifest)


def test_a_file_under_a_wrong_digest_is_not_kept(tmp_path: Path, small: Built) -> None:
    with pytest.raises(NetworkUnfit, match="not the one of its manifest"):
        NetworkStore(str(tmp_path)).add(small.data + b"x", small.manifest)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"{}", b'{"digest": 1}', b"\xff"])
def test_a_damaged_manifest_is_named(content: bytes, tmp_path: Path, small: Built) -> None:
    store = NetworkStore(str(tmp_path))
    store.add(small.data, small.manifest)
    path = tmp_path / f"{small.manifest.digest}.json"
    path.write_bytes(content)
    with pytest.raises(NetworkUnfit, match=path.name):
        store.manifests()


def test_a_manifest_under_another_s_digest_is_refused(tmp_path: Path, small: Built) -> None:
    path = tmp_path / f"{'0' * 64}.json"
    path.write_text(small.manifest.model_dump_json())
    with pytest.raises(NetworkUnfit, match="is no network's manifest"):
        NetworkStore(str(tmp_path)).manifests()


def test_a_network_is_named_by_its_digest_or_name_and_the_first_built_is_meant(tmp_path: Path, small: Built) -> None:
    store = NetworkStore(str(tmp_path))
    first = small.manifest
    store.add(small.data, first)
    for number in (1, 2):
        later = first.model_copy(
            update={"digest": first.digest[:6] + str(number) * 58, "created_at": first.created_at + timedelta(number)}
        )
        (tmp_path / f"{later.digest}.json").write_text(later.model_dump_json())
    assert store.named("MobileNet-0.25:conv_pw_1_relu+max,conv_dw_2_relu") == first
    assert store.named(first.digest[:6].upper() + "11").digest.endswith("1")
    with pytest.raises(BackboneError, match="begins the digests of 3 networks"):
        store.named(first.digest[:6])
    with pytest.raises(NetworkMissing):
        store.named("mobilenet-0.25:conv_pw_1_relu+int8")

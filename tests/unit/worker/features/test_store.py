import hashlib
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import h5py
import numpy as np
import pytest

from worker.features import compaction, shards, virtual_lab_files
from worker.features.catalogue import begin
from worker.features.lab_files import LabFilesError, opened
from worker.features.store import FeaturesMissing, FeatureStoreError, feature_key
from worker.models.gram_svm import fit_gram, gram, primal

FINGERPRINT = "f" * 64
WIDTH = 7


def keys(*numbers):
    return [hashlib.sha256(str(number).encode()).hexdigest() for number in numbers]


def features(*numbers):
    """Every number times 1 … 7."""
    return np.outer(np.array(numbers, np.float32), np.arange(1, WIDTH + 1, dtype=np.float32))


def begun(root, size=WIDTH):
    return begin(root, fingerprint=FINGERPRINT, backbone="fake:layer", feature_size=size)


def filled(root, *parts):
    """A feature store with one shard for each part, a sequence of numbers."""
    store = begun(root)
    for part in parts:
        assert store.add(keys(*part), features(*part)) == len(part)
    return store


def shard_files(store):
    return sorted((store.folder / "shards").glob("*.h5"))


def test_features_come_back_in_any_order_and_shape(tmp_path):
    filled(tmp_path, [3, 1, 4], [15, 9], [2, 6, 5, 35])
    order = [9, 1, 35, 2, 3, 15]
    expected = features(*order)
    store = begun(tmp_path)
    assert store.known() == set(keys(3, 1, 4, 15, 9, 2, 6, 5, 35))
    with store.view(keys(*order)) as view:
        assert (view.shape, view.dtype) == ((6, WIDTH), np.float32)
        np.testing.assert_array_equal(view[:], expected)
        np.testing.assert_array_equal(view[:, 2:5], expected[:, 2:5])
        np.testing.assert_array_equal(view[[5, 0, 0, 3]], expected[[5, 0, 0, 3]])
        np.testing.assert_array_equal(view[np.array([4, 1]), :3], expected[[4, 1], :3])
        np.testing.assert_array_equal(view[expected[:, 0] > 8, 1:], expected[expected[:, 0] > 8, 1:])
        np.testing.assert_array_equal(view[-2:], expected[-2:])
        assert view[3:3].shape == (0, WIDTH)
        assert view[:, 9:].shape == (6, 0)
        with pytest.raises(TypeError, match="slice of columns"):
            view[:, [1, 2]]


def test_rows_far_apart_are_read_right_whatever_the_gaps(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "BLOCK_BYTES", 3 * 4 * WIDTH)
    monkeypatch.setattr("worker.features.view._GAP_BYTES", 2 * 4 * WIDTH)
    monkeypatch.setattr("worker.features.view._OPEN_FILES", 1)
    numbers = list(range(40))
    store = filled(tmp_path, numbers[:25], numbers[25:])
    rng = np.random.default_rng(0)
    for _ in range(20):
        chosen = rng.choice(numbers, 12)
        np.testing.assert_array_equal(store.view(keys(*numbers))[chosen], features(*chosen))


def test_the_classifier_reads_a_view_as_it_reads_an_array(tmp_path):
    rng = np.random.default_rng(0)
    values = rng.standard_normal((30, 40)).astype(np.float32)
    labels = np.arange(30) % 2
    store = begun(tmp_path, size=40)
    names = keys(*range(30))
    for start in range(0, 30, 8):
        store.add(names[start : start + 8], values[start : start + 8])
    with store.view(names) as view:
        kernel = gram(view)
        np.testing.assert_array_equal(kernel, gram(values))
        rows = np.arange(5, 25)
        svm = fit_gram(kernel[np.ix_(rows, rows)], labels[rows])
        found, expected = primal(svm, view, ("a", "b"), rows), primal(svm, values, ("a", "b"), rows)
        np.testing.assert_array_equal(found.coef, expected.coef)


def test_what_is_there_is_not_stored_again(tmp_path):
    store = filled(tmp_path, [1, 2])
    assert store.add(keys(2, 3, 3), features(2, 3, 3)) == 1
    assert begun(tmp_path).add(keys(1, 3), features(1, 3)) == 0
    assert len(shard_files(store)) == 2


@pytest.mark.parametrize(
    ("names", "values", "message"),
    [
        (keys(1, 2), features(1), "need features of shape"),
        (["../../etc/passwd"], features(1), "hexadecimal"),
        (keys(1), np.full((1, WIDTH), np.nan, np.float32), "not finite"),
    ],
)
def test_features_that_make_no_sense_are_refused(tmp_path, names, values, message):
    store = begun(tmp_path)
    with pytest.raises(FeatureStoreError, match=message):
        store.add(names, values)
    assert store.known() == set()


def test_features_that_are_not_there_are_named_as_missing(tmp_path):
    store = filled(tmp_path, [1])
    with pytest.raises(FeaturesMissing, match="1 of 2 images by fake:layer"):
        store.view(keys(1, 2))


def test_the_order_of_the_store_is_the_one_to_read_in(tmp_path):
    store = filled(tmp_path, [1, 2, 3], [4, 5])
    ordered = store.in_order(keys(5, 3, 1, 4, 5))
    assert sorted(ordered) == sorted(keys(1, 3, 4, 5))
    assert ordered.index(keys(1)[0]) + 1 == ordered.index(keys(3)[0])
    assert ordered.index(keys(4)[0]) + 1 == ordered.index(keys(5)[0])


@pytest.mark.parametrize("harm", ["truncate", "garbage", "other backbone", "flip"])
def test_a_damaged_shard_is_refused_put_aside_and_extracted_again(tmp_path, harm):
    store = filled(tmp_path, [1, 2], [3])
    victim = next(path for path in shard_files(store) if path.stat().st_size and holds(path, keys(1)[0]))
    data = victim.read_bytes()
    if harm == "truncate":
        victim.write_bytes(data[:-1])
    elif harm == "garbage":
        victim.write_bytes(b"no HDF5")
    elif harm == "other backbone":
        victim.write_bytes(data.replace(FINGERPRINT.encode(), b"e" * 64))
    else:
        victim.write_bytes(data.replace(features(2).tobytes(), features(9).tobytes()))
    # A changed value is only found by reading everything; the others are refused as soon as they are opened.
    assert begun(tmp_path).known() == set(keys(3) if harm != "flip" else keys(1, 2, 3))
    again = begun(tmp_path)
    assert [broken.name for broken in again.verify()] == [victim.name]
    assert again.known() == set(keys(3))
    assert (again.folder / "damaged" / victim.name).exists()
    assert again.add(keys(1, 2), features(1, 2)) == 2
    assert again.verify() == []
    np.testing.assert_array_equal(again.view(keys(2))[:], features(2))


def holds(path, key):
    return key.encode() in path.read_bytes()


def test_a_damaged_shard_is_replaced_by_the_same_features_without_a_new_start(tmp_path):
    store = filled(tmp_path, [1, 2])
    (victim,) = shard_files(store)
    victim.write_bytes(victim.read_bytes()[:-1])
    again = begun(tmp_path)
    assert again.known() == set()
    again.add(keys(1, 2), features(1, 2))
    assert again.known() == set(keys(1, 2))


def test_small_shards_become_few_and_hold_the_same(tmp_path):
    store = filled(tmp_path, *[[number, number + 100] for number in range(30)])
    numbers = [*range(30), *range(100, 130)]
    before = store.view(keys(*numbers))
    np.testing.assert_array_equal(before[:3], features(0, 1, 2))
    assert begun(tmp_path).compact(full_bytes=20 * 4 * WIDTH) == 27
    assert len(shard_files(store)) == 3
    assert begun(tmp_path).verify() == []
    for view in (before, store.view(keys(*numbers)), begun(tmp_path).view(keys(*numbers))):
        np.testing.assert_array_equal(view[:], features(*numbers))
    assert store.compact(full_bytes=20 * 4 * WIDTH) == 0


def test_a_full_shard_is_left_alone_and_what_it_has_is_not_kept_twice(tmp_path):
    store = filled(tmp_path, range(20))
    (full,) = shard_files(store)
    rows = [keys(3, 50), keys(50, 4)]  # as two writers at once would leave them
    for number, names in enumerate(rows):
        values = features(*([3, 50], [50, 4])[number])
        shards.write_shard(store.folder / "shards", FINGERPRINT, WIDTH, names, [values])
    assert store.compact(full_bytes=30 * 4 * WIDTH) == 1
    assert full in shard_files(store)
    (small,) = [path for path in shard_files(store) if path != full]
    assert shards.read_keys(small, FINGERPRINT, WIDTH) == keys(50)
    np.testing.assert_array_equal(store.view(keys(3, 50, 4))[:], features(3, 50, 4))


def test_a_merge_that_is_killed_before_the_old_ones_go_loses_nothing_and_is_finished_later(tmp_path, monkeypatch):
    store = filled(tmp_path, [1, 2], [3], [4])

    def killed(self, missing_ok=False):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("pathlib.Path.unlink", killed)
        with pytest.raises(KeyboardInterrupt):
            compaction.merge(store.folder / "shards", FINGERPRINT, WIDTH, store._keys, 2**20)
    again = begun(tmp_path)
    np.testing.assert_array_equal(again.view(keys(1, 2, 3, 4))[:], features(1, 2, 3, 4))
    again.compact()
    assert len(shard_files(store)) == 1
    np.testing.assert_array_equal(again.view(keys(1, 2, 3, 4))[:], features(1, 2, 3, 4))


def test_writers_readers_and_mergers_at_once_do_no_harm(tmp_path):
    problems = []

    def work(number):
        try:
            store = begun(tmp_path)
            for step in range(12):
                own, common = number * 100 + step, 1000 + step
                store.add(keys(own, common), features(own, common))
                if step % 3 == number % 3:
                    store.compact(full_bytes=40 * 4 * WIDTH)
                known = [*range(number * 100, own + 1), *range(1000, common + 1)]
                np.testing.assert_array_equal(store.view(keys(*known))[:], features(*known))
        except BaseException as error:  # noqa: BLE001 - told below
            problems.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    store = begun(tmp_path)
    assert len(store.known()) == 3 * 12 + 12
    assert store.verify() == []


def test_what_killed_writers_left_is_swept_when_it_is_old(tmp_path):
    store = filled(tmp_path, [1], [2])
    old, young = (store.folder / "shards" / name for name in ("old.part", "young.part"))
    old.touch()
    young.touch()
    os.utime(old, (1, 1))
    store.compact()
    assert not old.exists()
    assert young.exists()


def test_a_labelled_set_is_published_in_the_lab_s_form(tmp_path):
    store = filled(tmp_path, [1, 2, 3], [4, 5, 6])
    numbers, labels = [6, 1, 5, 3], [1, 0, 1, 0]
    store.publish(keys(*numbers), labels, ("intact", "damaged"))
    label_of = dict(zip(keys(*numbers), labels, strict=True))
    number_of = dict(zip(keys(*range(9)), range(9), strict=True))
    with h5py.File(store.folder / "features.h5") as file, h5py.File(store.folder / "labels.h5") as truth:
        names = [str(name) for name in truth["sights"].asstr()]
        assert sorted(names) == sorted(keys(*numbers))
        np.testing.assert_array_equal(file["dataset_1"], features(*[number_of[name] for name in names]))
        assert truth["dataset_1"][()].tolist() == [label_of[name] for name in names]
        assert list(truth["dataset_1"].attrs["classes"]) == ["intact", "damaged"]
        assert file["dataset_1"].dtype == np.float32
    with opened(store.folder) as (dataset, found):
        assert gram(dataset).shape == (4, 4)
        assert sorted(found.tolist()) == [0, 0, 1, 1]


def test_the_published_set_survives_merging_moving_and_publishing_again(tmp_path):
    store = filled(tmp_path / "a", [1, 2], [3], [4, 5])
    store.publish(keys(1, 3, 5), [0, 1, 0], ("x", "y"))
    assert store.compact() == 2
    shutil.move(tmp_path / "a", tmp_path / "b")
    store = begun(tmp_path / "b")
    with opened(store.folder) as (dataset, labels):
        values = {float(row[0]): int(label) for row, label in zip(dataset[:], labels, strict=True)}
    assert values == {1: 0, 3: 1, 5: 0}
    store.publish(keys(1, 2), [1, 0], ("x", "y"))
    with opened(store.folder) as (dataset, labels):
        assert sorted(dataset[:, 0].tolist()) == [1, 2]


def test_half_a_publication_is_told_from_a_whole_one(tmp_path):
    store = filled(tmp_path, [1, 2, 3])
    store.publish(keys(1, 2), [0, 1], ("x", "y"))
    old = (store.folder / "features.h5").read_bytes()
    store.publish(keys(2, 3), [0, 1], ("x", "y"))
    (store.folder / "features.h5").write_bytes(old)  # as a kill between the two leaves them
    with pytest.raises(LabFilesError, match="replaced"), opened(store.folder):
        pass
    store.add(keys(4), features(4))
    store.compact()  # whoever comes by puts it right
    with opened(store.folder) as (dataset, _):
        assert sorted(dataset[:, 0].tolist()) == [2, 3]


def test_a_publication_whose_features_are_damaged_is_withdrawn_not_shown_in_part(tmp_path):
    store = filled(tmp_path, [1, 2], [3])
    store.publish(keys(1, 3), [0, 1], ("x", "y"))
    victim = next(path for path in shard_files(store) if holds(path, keys(3)[0]))
    victim.write_bytes(victim.read_bytes()[:-1])
    assert [broken.name for broken in begun(tmp_path).verify()] == [victim.name]
    with pytest.raises(LabFilesError, match="no features"), opened(store.folder):
        pass
    store = begun(tmp_path)
    store.add(keys(3), features(3))
    store.publish(keys(1, 3), [0, 1], ("x", "y"))
    with opened(store.folder) as (dataset, _):
        assert sorted(dataset[:, 0].tolist()) == [1, 3]


def test_damaged_labels_hold_up_nobody(tmp_path):
    store = filled(tmp_path, [1], [2])
    (store.folder / "labels.h5").write_bytes(b"no HDF5")
    assert store.compact() == 1
    store.publish(keys(1, 2), [0, 1], ("x", "y"))
    with opened(store.folder) as (dataset, _):
        assert sorted(dataset[:, 0].tolist()) == [1, 2]


@pytest.mark.parametrize(
    ("names", "labels"), [(keys(1), [0, 1]), (keys(1), [2]), ([], []), (keys(1, 1), [0, 1]), (keys(1), [-1])]
)
def test_labels_that_do_not_fit_are_not_published(tmp_path, names, labels):
    store = filled(tmp_path, [1])
    with pytest.raises(FeatureStoreError, match="label"):
        store.publish(names, labels, ("x", "y"))
    assert not (store.folder / "labels.h5").exists()


def test_a_key_is_that_of_the_image_and_the_box():
    image = "a" * 64
    box = {"left": 1, "top": 2, "width": 3, "height": 4}
    assert feature_key(image, box) == feature_key(image, dict(reversed(box.items())))
    assert (
        len(
            {
                feature_key(image, None),
                feature_key(image, box),
                feature_key(image, box | {"left": 2}),
                feature_key("b" * 64, None),
            }
        )
        == 4
    )


KILLED = """
import hashlib, sys
from pathlib import Path
import numpy as np
from worker.features.catalogue import begin
store = begin(Path(sys.argv[1]), fingerprint="f" * 64, backbone="fake:layer", feature_size=50_000)
number = int(sys.argv[2])
while True:
    numbers = range(number, number + 40)
    values = np.repeat(np.array(numbers, np.float32)[:, None], 50_000, axis=1)
    store.add([hashlib.sha256(str(each).encode()).hexdigest() for each in numbers], values)
    number += 40
    store.publish(store.known(), [0] * len(store.known()), ("x", "y"))
    store.compact(full_bytes=64 * 2**20)
"""


@pytest.mark.slow
def test_a_store_whose_writers_were_killed_in_the_middle_holds_only_whole_features(tmp_path):
    folder = tmp_path / FINGERPRINT
    # A writer is killed while it stores its first shard, while it publishes, and while it stores or merges beside some.
    for number, (pattern, beside) in enumerate(
        [("shards/*.part", 0), (".features.h5.*.part", 0), ("shards/*.part", 3)]
    ):
        left = set(folder.glob(pattern))  # by the one that was killed before
        command = [sys.executable, "-c", KILLED, str(tmp_path), str(number * 100_000)]
        process = subprocess.Popen(command, cwd=Path(__file__).parents[4])
        while not set(folder.glob(pattern)) - left or len(list(folder.glob("shards/*.h5"))) < beside:
            assert process.poll() is None, "the writer ended by itself"
        process.kill()
        process.wait()
    store = begun(tmp_path, size=50_000)
    names = sorted(store.known())
    assert names
    assert store.verify() == []
    number_of = {
        name: number
        for start in range(0, 300_000, 100_000)
        for number, name in enumerate(keys(*range(start, start + 8000)), start)
    }
    expected = np.array([number_of[name] for name in names], np.float32)
    with store.view(names) as view:
        for column in (0, 49_999):
            np.testing.assert_array_equal(view[:, column : column + 1][:, 0], expected)
    store.publish(names, [0] * len(names), ("x", "y"))
    with opened(store.folder) as (dataset, _):
        np.testing.assert_array_equal(np.sort(dataset[:, 0]), np.sort(expected))
    assert store.add(keys(-1), np.ones((1, 50_000), np.float32)) == 1


def test_any_flipped_bit_of_a_shard_ends_as_damage_or_does_none(tmp_path):
    keys = [f"{number:064x}" for number in range(3)]
    features = np.arange(12, dtype=np.float32).reshape(3, 4)
    path = tmp_path / shards.write_shard(tmp_path, "a" * 64, 4, keys, [features])
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    found = {"whole": 0, "damaged": 0}
    for place in range(0, len(whole), 3):
        data = bytearray(whole)
        data[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(data)
        try:
            shards.check_shard(path, "a" * 64, 4)
        except shards.ShardDamaged:
            found["damaged"] += 1
            continue
        found["whole"] += 1  # a byte that means nothing: what is read is what was written
        with shards.open_shard(path, "a" * 64, 4) as file:
            assert shards.read_keys(path, "a" * 64, 4) == keys
            np.testing.assert_array_equal(file["features"][()], features)
    assert found["damaged"] > 50


def test_what_features_are_stored_under_stays_the_same_from_version_to_version(tmp_path):
    # Another key, name or dataset, and every plant would extract all of its features again.
    box = {"left": 1, "top": 2, "width": 30, "height": 40}
    assert feature_key("a" * 64, None) == "edccf7b24be29bfa8ac447fb995ab18dee833a878806c3bc9f0380f9f4d84775"
    assert feature_key("a" * 64, box) == "3c5548176d1afe1f5de061b6edb66a4ad9c6a3a12ff25bb4c379170fdc19f9d7"
    rows = np.array([[1, 2], [3, 4]], np.float32)
    name = shards.write_shard(tmp_path, "b" * 64, 2, ["0" * 64, "1" * 64], [rows])
    assert name == "f6d9425d7ef655dea46cbfe1f29c673e.h5"
    with h5py.File(tmp_path / name) as file:
        assert set(file) == {"features", "sights"}


@pytest.mark.parametrize("harm", ["flip", "key", "garbage"])
def test_labels_that_are_not_as_written_are_found_and_removed_with_their_features(tmp_path, harm):
    store = filled(tmp_path, (1, 2, 3))
    store.publish(keys(1, 3), [0, 1], ("x", "y"))
    assert virtual_lab_files.verify(store) is None
    assert (store.folder / "features.h5").exists(), "made anew"
    labels = store.folder / "labels.h5"
    if harm == "garbage":
        labels.write_bytes(b"no HDF5")
    else:
        with h5py.File(labels, "r+") as file:
            if harm == "flip":
                file["dataset_1"][0] ^= 1
            else:
                file["sights"][0] = keys(2)[0].encode()
    assert virtual_lab_files.verify(store)
    assert not labels.exists()
    assert not (store.folder / "features.h5").exists()
    assert virtual_lab_files.verify(store) is None
    store.publish(keys(1, 3), [0, 1], ("x", "y"))
    assert virtual_lab_files.verify(store) is None

import subprocess
import sys

import h5py
import numpy as np
import pytest

from worker.dataset.labelled_folder import ImageUnreadable
from worker.features.lab_files import LabFilesError, extract, opened


def numbered(tmp_path, count):
    """`count` files; the images that `load` makes of them all show their file's number."""
    return [tmp_path / f"{number:03}.png" for number in range(count)]


def load(file):
    return np.full((4, 5, 3), int(file.stem), np.uint8)


class Seven:
    """Seven features: the image's number times 1 … 7."""

    name = "fake:layer"
    fingerprint = "f" * 64
    feature_size = 7
    input_size = (4, 5)

    def features_of(self, images):
        numbers = np.array([image[0, 0, 0] for image in images], np.float32)
        return numbers[:, None] * np.arange(1, 8, dtype=np.float32)


@pytest.mark.parametrize(("count", "batch"), [(1, 4), (4, 4), (5, 4), (11, 3), (3, 100)])
def test_rows_and_labels_are_in_the_order_of_the_files(tmp_path, count, batch):
    done = []
    labels = np.arange(count) % 3
    answer = extract(
        tmp_path / "out",
        numbered(tmp_path, count),
        labels,
        load=load,
        extractor=Seven(),
        batch=batch,
        progress=lambda *progress: done.append(progress),
    )
    assert (answer.images, answer.skipped, done[-1]) == (count, (), (count, count))
    with h5py.File(tmp_path / "out" / "features.h5") as store, h5py.File(tmp_path / "out" / "labels.h5") as truth:
        assert list(store) == list(truth) == ["dataset_1"]
        assert store["dataset_1"].dtype == np.float32
        assert store["dataset_1"].attrs["backbone"] == "fake:layer"
        np.testing.assert_array_equal(store["dataset_1"], np.outer(np.arange(count), np.arange(1, 8)))
        np.testing.assert_array_equal(truth["dataset_1"], labels)
    with opened(tmp_path / "out") as (dataset, same):
        assert dataset.shape == (count, 7)
        np.testing.assert_array_equal(same, labels)


def test_images_that_fail_are_named_skipped_and_leave_no_gap(tmp_path):
    def failing(file):
        if int(file.stem) in (0, 5, 9):
            raise ImageUnreadable("cannot be decoded: broken")
        return load(file)

    class Overflowing(Seven):
        def features_of(self, images):
            values = super().features_of(images)
            values[values[:, 0] == 6] = np.inf
            return values

    done = []
    files = numbered(tmp_path, 10)
    answer = extract(
        tmp_path,
        files,
        np.arange(10),
        load=failing,
        extractor=Overflowing(),
        batch=4,
        progress=lambda *progress: done.append(progress),
    )
    assert answer.images == 6
    assert done == [(5, 10), (10, 10)]
    assert dict(answer.skipped) == {files[i]: "cannot be decoded: broken" for i in (0, 5, 9)} | {
        files[6]: "its features are not finite numbers"
    }
    with opened(tmp_path) as (dataset, labels):
        assert labels.tolist() == [1, 2, 3, 4, 7, 8]
        assert dataset[:, 0].tolist() == [1, 2, 3, 4, 7, 8]


def test_no_usable_image_is_an_error(tmp_path):
    def fail(file):
        raise ImageUnreadable("no")

    with pytest.raises(LabFilesError, match="none of the 3 images"):
        extract(tmp_path, numbered(tmp_path, 3), np.zeros(3), load=fail, extractor=Seven())


def test_an_extraction_that_dies_leaves_the_old_files_and_no_others(tmp_path):
    files = numbered(tmp_path, 8)
    out = tmp_path / "out"
    extract(out, files[:2], np.zeros(2), load=load, extractor=Seven())
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    class Dying(Seven):
        def features_of(self, images):
            if images[0][0, 0, 0] >= 4:
                raise RuntimeError("out of memory")
            return super().features_of(images)

    with pytest.raises(RuntimeError, match="out of memory"):
        extract(out, files, np.zeros(8), load=load, extractor=Dying(), batch=2)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_features_of_another_size_than_said_are_an_error(tmp_path):
    wrong = Seven()
    wrong.feature_size = 8
    with pytest.raises(ValueError, match=r"\(2, 7\), not \(2, 8\)"):
        extract(tmp_path, numbered(tmp_path, 2), np.zeros(2), load=load, extractor=wrong)


def test_files_that_do_not_belong_together_or_are_missing_are_refused(tmp_path):
    with pytest.raises(LabFilesError, match="no features and labels"), opened(tmp_path):
        pass
    for folder, count in (("a", 2), ("b", 3)):
        files = numbered(tmp_path, count)
        extract(tmp_path / folder, files, np.zeros(count), load=load, extractor=Seven())
    (tmp_path / "b" / "labels.h5").replace(tmp_path / "a" / "labels.h5")
    with pytest.raises(LabFilesError, match="belong together"), opened(tmp_path / "a"):
        pass


MANY = """
import resource, sys
from pathlib import Path
import numpy as np
from worker.models.gram_svm import fit_gram, gram, primal
from worker.features.lab_files import extract, opened

batch, count, size = 8, 240, 401_408
class Wide:
    name, fingerprint, feature_size, input_size = "wide:layer", "f" * 64, size, (1, 1)
    def features_of(self, images):
        return np.repeat(np.array([image[0, 0, :1] for image in images], np.float32) / 1e4, size, axis=1)
load = lambda file: np.full((1, 1, 3), int(file.name), np.uint8)
files = [Path(str(number)) for number in range(count)]
labels = np.arange(count) // 120
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before = peak()
extract(Path(sys.argv[1]), files, labels, load=load, extractor=Wide(), batch=batch)
extracted = peak()
with opened(Path(sys.argv[1])) as (dataset, labels):
    svm = fit_gram(gram(dataset), labels)
    primal(svm, dataset, ("a", "b"))
print(batch * size * 4 / 2**20, extracted - before, peak() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in kilobytes on Linux only")
def test_many_large_features_need_the_memory_of_a_few_batches(tmp_path):
    # 240 × 401,408 float32 are 368 MB; a batch of 8 is 12 MB.
    answer = subprocess.run(
        [sys.executable, "-c", MANY, str(tmp_path)], capture_output=True, text=True, check=True, timeout=240
    )
    batch, extraction, fitted = map(float, answer.stdout.split())
    assert extraction < 5 * batch
    assert fitted < 300  # the Gram matrix's block of columns, once in float32 and once in float64, and BLAS's own

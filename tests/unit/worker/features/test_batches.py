import numpy as np
import pytest

from worker.features.batches import NOT_FINITE, feature_batches


class Bad(ValueError):
    pass


class Brightness:
    """One feature, the image's first value; not finite for 13."""

    name = "brightness:first"
    fingerprint = "b" * 64
    feature_size = 1
    input_size = (2, 2)

    def __init__(self):
        self.batches = []

    def features_of(self, images):
        self.batches.append(len(images))
        values = np.array([[image[0, 0, 0]] for image in images], np.float32)
        values[values == 13] = np.nan
        return values


def read(number):
    if number in (1, 2, 8, 9):
        raise Bad(f"{number} is bad")
    return np.full((2, 2, 3), number, np.uint8)


def batches(numbers, size, extractor):
    return list(feature_batches(numbers, read, extractor, size=size, unusable=Bad))


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_every_item_is_either_extracted_or_skipped_with_its_reason(size):
    extractor = Brightness()
    found = batches([*range(10), 13], size, extractor)
    assert [item for batch in found for item in batch.items] == [0, 3, 4, 5, 6, 7]
    assert np.concatenate([batch.features for batch in found]).ravel().tolist() == [0, 3, 4, 5, 6, 7]
    skipped = dict(pair for batch in found for pair in batch.skipped)
    assert skipped == {number: f"{number} is bad" for number in (1, 2, 8, 9)} | {13: NOT_FINITE}


def test_batches_are_full_whatever_was_skipped():
    extractor = Brightness()
    batches(range(10), 4, extractor)
    assert extractor.batches == [4, 2]


def test_what_is_skipped_behind_the_last_image_is_said_without_running_the_network():
    extractor = Brightness()
    found = batches([0, 8, 9], 1, extractor)
    assert [(batch.items, [item for item, _ in batch.skipped]) for batch in found] == [([0], []), ([], [8, 9])]
    assert found[1].features.shape == (0, 1)
    assert extractor.batches == [1]


def test_nothing_gives_nothing():
    assert batches([], 4, Brightness()) == []


def test_another_error_than_the_named_one_ends_it():
    with pytest.raises(OSError, match="disk"):
        list(feature_batches([1], unreadable, Brightness(), size=1, unusable=Bad))


def unreadable(number):
    raise OSError(f"disk, at {number}")


def test_features_of_another_shape_than_the_extractor_says_are_refused():
    wrong = Brightness()
    wrong.feature_size = 2
    with pytest.raises(ValueError, match=r"\(1, 1\), not \(1, 2\)"):
        batches([0], 1, wrong)

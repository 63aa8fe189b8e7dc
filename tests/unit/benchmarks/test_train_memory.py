import sys

import pytest

from benchmarks import train_memory


@pytest.mark.skipif(sys.platform != "linux", reason="the peak memory is read from /proc")
def test_a_small_training_is_measured_in_a_process_of_its_own():
    (ratio,) = train_memory.ratios(1, images=400, features=32)
    assert ratio * 4 * 400 * 32 > 50e6  # an interpreter with its libraries, whatever the features

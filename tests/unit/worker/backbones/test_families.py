from __future__ import annotations

import pytest

from worker.backbones.families import input_size
from worker.backbones.names import BackboneError


@pytest.mark.parametrize(
    ("family", "match"), [("efficientnet_lite9", "there is no family"), ("vgg", "did you mean .*vgg16")]
)
def test_a_family_that_is_not_there_is_named(family: str, match: str) -> None:
    with pytest.raises(BackboneError, match=match):
        input_size(family)

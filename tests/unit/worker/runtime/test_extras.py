from __future__ import annotations

import pytest

from worker.runtime.extras import how_to_install


@pytest.mark.parametrize("name", ["tensorflow", "keras", "sklearn.svm", "scipy.stats"])
def test_what_learning_needs_is_in_its_extra(name: str) -> None:
    said = how_to_install(ModuleNotFoundError(f"No module named {name!r}", name=name))
    assert said is not None
    assert name in said
    assert "pip install 'insert-inspection[learn]'" in said


@pytest.mark.parametrize("name", ["worker.nothing", None])
def test_a_module_of_ours_that_is_missing_is_a_fault_of_the_program(name: str | None) -> None:
    assert how_to_install(ModuleNotFoundError("gone", name=name)) is None

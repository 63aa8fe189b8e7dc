from __future__ import annotations

from pathlib import Path

import pytest

from producer.answers import CheckAnswer
from producer.check import CheckResult, photographs_in
from producer.event import new_id


def test_photographs_are_named_by_pocket_and_come_in_its_order(tmp_path: Path) -> None:
    for name in ("10.jpg", "2.PNG", "01.jpeg", "notes.txt"):
        (tmp_path / name).write_bytes(name.encode())
    assert [(p.pocket, p.image) for p in photographs_in(tmp_path)] == [(1, b"01.jpeg"), (2, b"2.PNG"), (10, b"10.jpg")]


@pytest.mark.parametrize(
    ("names", "said"),
    [([], "no photographs"), (["a.jpg"], "pocket's number"), (["1.jpg", "01.jpg"], "both show pocket 1")],
)
def test_a_folder_that_is_no_head_is_refused(tmp_path: Path, names: list[str], said: str) -> None:
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(ValueError, match=said):
        photographs_in(tmp_path)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no photographs"):
        photographs_in(tmp_path / "nowhere")


@pytest.mark.parametrize(("state", "code"), [("go", 0), ("replace", 1), ("review", 2), (None, 2)])
def test_exit_codes_are_what_the_line_expects(state: str | None, code: int) -> None:
    check = new_id()
    answer = state and CheckAnswer(check_id=check, machine="m", head="h", operation="o", size=1, state=state)  # type: ignore[arg-type]
    assert CheckResult(check, [], {}, answer or None).exit_code == code

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.schema.column_types import fitting


@pytest.mark.parametrize(
    ("text", "kept"),
    [("plain ü", "plain ü"), ("a\x00b", "a\\x00b"), ("\ud800", "\\ud800"), ("12345678901", "1234567890")],
)
def test_text_is_made_to_fit(text: str, kept: str) -> None:
    assert fitting(text, 10) == kept


@given(st.text(alphabet=st.characters(), max_size=50), st.integers(1, 40))
def test_text_that_fits_can_be_stored_anywhere(text: str, length: int) -> None:
    kept = fitting(text, length)
    assert len(kept) <= length
    assert "\x00" not in kept
    kept.encode()

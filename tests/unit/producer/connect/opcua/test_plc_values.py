"""What is written into a PLC's variables."""

from __future__ import annotations

import pytest
from asyncua.ua import VariantType
from asyncua.ua.ua_binary import struct_to_binary

from producer.connect.opcua.plc_values import Variable, alone


def variable(kind: VariantType, length: int | None = None) -> Variable:
    return Variable("ns=3;s=X", kind, length)


def test_a_state_is_its_word_or_its_number() -> None:
    assert variable(VariantType.String).state("replace").Value == "replace"
    numbers = [variable(VariantType.Int16).state(state).Value for state in ("go", "replace", "review")]  # type: ignore[arg-type]
    assert numbers == [1, 2, 3]


@pytest.mark.parametrize(("kind", "after"), [(VariantType.UInt16, 1), (VariantType.Int32, 65536)])
def test_a_number_begins_again_where_the_variable_ends(kind: VariantType, after: int) -> None:
    assert variable(kind).counter(65536).Value == after


def test_pockets_are_flags_or_numbers() -> None:
    assert variable(VariantType.Boolean, 4).pockets([2, 4]).Value == [False, True, False, True]
    assert variable(VariantType.Byte, 4).pockets([2, 4]).Value == [2, 4, 0, 0]
    assert variable(VariantType.Byte, 4).pockets([]).Value == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: variable(VariantType.Boolean, 4).pockets([5]), "an array of 4 Boolean, and 5 are needed"),
        (lambda: variable(VariantType.Int16, 1).pockets([1, 2]), "an array of 1 Int16, and 2 are needed"),
        (lambda: variable(VariantType.Int16).pockets([1]), "is Int16, and should be an array"),
        (lambda: variable(VariantType.Boolean).state("go"), "is Boolean, and should be a whole number"),
        (lambda: variable(VariantType.Int16).text("op"), "is Int16, and should be a text"),
    ],
    ids=range(5),
)
def test_a_variable_of_another_kind_is_named(wrong: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        wrong()  # type: ignore[operator]


def test_a_value_is_written_without_a_status_and_a_time() -> None:
    only_a_value = 0x01  # OPC 10000-6, 5.2.2.17
    assert struct_to_binary(alone(variable(VariantType.Int16).counter(7)))[0] == only_a_value

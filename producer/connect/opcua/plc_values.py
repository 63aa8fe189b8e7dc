"""What is written into a PLC's variable, by the type that the PLC gave it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from asyncua import ua

from producer.connect.configuration.connector_file import PlcHead
from producer.contract.answers import CheckAnswer
from producer.contract.vocabulary import CheckState

NUMBERS: Final[dict[CheckState, int]] = {"go": 1, "replace": 2, "review": 3}
"""A check's state in a variable that holds a number; 0 is what a PLC has before there is any."""

_BITS: Final = {
    ua.VariantType.SByte: 7,
    ua.VariantType.Byte: 8,
    ua.VariantType.Int16: 15,
    ua.VariantType.UInt16: 16,
    ua.VariantType.Int32: 31,
    ua.VariantType.UInt32: 32,
    ua.VariantType.Int64: 63,
    ua.VariantType.UInt64: 64,
}


@dataclass(frozen=True)
class Variable:
    """A variable of a PLC.

    Attributes:
        node: its NodeId, as it is configured.
        kind: the type of its value, or of each in an array.
        length: of an array, as the PLC has it; None where it is none.
    """

    node: str
    kind: ua.VariantType
    length: int | None

    def state(self, state: CheckState | None) -> ua.Variant:
        """A check's state: the word, or its number; empty, or 0, where there is none.

        Raises:
            ValueError: the variable can hold neither.
        """
        if self.length is None and self.kind == ua.VariantType.String:
            return self._variant(state or "")
        return self._number(0 if state is None else NUMBERS[state])

    def counter(self, number: int) -> ua.Variant:
        """A number above 0 that only rises; after the highest that the variable holds it begins again at 1.

        0 is what a PLC begins with: it must never read as something that was written.

        Raises:
            ValueError: the variable holds no numbers.
        """
        return self._number(number, begins_again=True)

    def text(self, text: str) -> ua.Variant:
        """A text.

        Raises:
            ValueError: the variable holds none.
        """
        if self.length is not None or self.kind != ua.VariantType.String:
            raise ValueError(f"{self.node} is {self._shape()}, and should be a text (String)")
        return self._variant(text)

    def pockets(self, pockets: Sequence[int]) -> ua.Variant:
        """Pockets: an array of Boolean, of which the first is pocket 1; or one of numbers, filled up with 0.

        Raises:
            ValueError: the variable is neither, or has no room for them.
        """
        if self.length is None or (self.kind != ua.VariantType.Boolean and self.kind not in _BITS):
            raise ValueError(f"{self.node} is {self._shape()}, and should be an array of Boolean or of whole numbers")
        needed = max(pockets, default=0) if self.kind == ua.VariantType.Boolean else len(pockets)
        if needed > self.length:
            raise ValueError(f"{self.node} is {self._shape()}, and {needed} are needed: make it longer in the PLC")
        if self.kind == ua.VariantType.Boolean:
            return self._variant([number in pockets for number in range(1, self.length + 1)])
        return self._variant([*pockets, *[0] * (self.length - len(pockets))])

    def _number(self, number: int, *, begins_again: bool = False) -> ua.Variant:
        if self.length is not None or self.kind not in _BITS:
            raise ValueError(f"{self.node} is {self._shape()}, and should be a whole number")
        highest = 2 ** _BITS[self.kind] - 1
        return self._variant(1 + (number - 1) % highest if begins_again else number)

    def _variant(self, value: object) -> ua.Variant:
        return ua.Variant(value, self.kind, is_array=isinstance(value, list))

    def _shape(self) -> str:
        return self.kind.name if self.length is None else f"an array of {self.length} {self.kind.name}"


def steps_of(
    variables: Mapping[str, Variable], head: PlcHead, number: int, check: CheckAnswer | None
) -> list[dict[str, ua.Variant]]:
    """What is written of a head's check, one step after the other; that there is none where there is none.

    A PLC reads in between. So it comes behind that there is no state, and the sequence number is last.

    Raises:
        ValueError: a variable cannot hold it.
    """
    pockets = ((head.replace, check.replace if check else ()), (head.review, check.review if check else ()))
    texts = (
        (head.operation, check.operation if check else ""),
        (head.check_id, str(check.check_id) if check else ""),
    )
    rest = {node: variables[node].pockets(values) for node, values in pockets if node is not None}
    rest |= {node: variables[node].text(text) for node, text in texts if node is not None}
    steps = [
        rest,
        {head.state: variables[head.state].state(check.state if check else None)},
        {head.sequence: variables[head.sequence].counter(number)},
    ]
    return [values for values in steps if values]


def alone(value: ua.Variant) -> ua.DataValue:
    """A value to write without a status and a time: many PLCs refuse a write that brings them."""
    return ua.DataValue(value, StatusCode=None)

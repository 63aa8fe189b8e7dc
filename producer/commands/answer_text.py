"""Answers as `publish` and `watch` print them: a line for people, JSON for programs."""

from __future__ import annotations

from producer.contract.answers import CheckAnswer, FaultAnswer
from producer.station.station import Received
from producer.terminal.output import say, say_model


def show(received: Received, as_json: bool) -> None:
    """Print an answer."""
    if as_json:
        say_model(received.answer, exclude_none=True)
    else:
        say(sentence(received))


def sentence(received: Received) -> str:
    """An answer in one line."""
    answer = received.answer
    if isinstance(answer, CheckAnswer):
        return of_check(answer)
    if isinstance(answer, FaultAnswer):
        return f"pocket {answer.pocket or '?'}: fault, {answer.reason}"
    label = f", {answer.label}" if answer.label else ""
    return f"pocket {answer.pocket}: {answer.outcome}{label}" + (f" ({answer.reason})" if answer.reason else "")


def of_check(answer: CheckAnswer) -> str:
    """What a check came to, in one line."""
    replace = f", replace {_pockets(answer.replace)}" if answer.replace else ""
    review = f", look at {_pockets(answer.review)}" if answer.review else ""
    missing = f" ({_pockets(answer.missing)} never photographed)" if answer.missing else ""
    reason = f" ({answer.reason})" if answer.reason else ""
    return f"{answer.machine} {answer.head} {answer.operation}: {answer.state}{replace}{review}{missing}{reason}"


def _pockets(pockets: list[int]) -> str:
    return ", ".join(map(str, pockets))

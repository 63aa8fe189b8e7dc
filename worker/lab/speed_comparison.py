"""Explains where and why one backbone is faster than another, from measured times and counted operations."""

from collections.abc import Sequence

from worker.lab.recipe import BackboneResult

_ABOUT_EQUAL = 1.15
"""Ratios below this are within the variation between two runs on one machine."""


def explain(results: Sequence[BackboneResult]) -> list[str]:
    """Return sentences for the report on `results`, which are of one labelled set and in any order."""
    if len(results) == 1:
        return [_where_time_goes(results[0])]
    by_image = sorted(results, key=lambda result: result.seconds_per_image)
    by_repeats = sorted(results, key=lambda result: result.seconds_evaluation)
    return [
        *(_where_time_goes(result) for result in by_image),
        *(_faster_per_image(by_image[0], other) for other in by_image[1:]),
        *(_faster_in_repeats(by_repeats[0], other) for other in by_repeats[1:]),
    ]


def duration(seconds: float) -> str:
    """Format seconds with three significant digits, in a suitable unit."""
    for unit, factor in (("s", 1.0), ("ms", 1e3)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def count(number: float) -> str:
    """Format a large number with three significant digits: 13.8 million, 15.5 thousand million."""
    for word, size in (("thousand million", 1e9), ("million", 1e6), ("thousand", 1e3)):
        if number >= size:
            return f"{number / size:.3g} {word}"
    return f"{number:.0f}"


def _where_time_goes(result: BackboneResult) -> str:
    network = result.seconds_network / result.seconds_per_image
    share = result.multiply_adds / max(1, result.network.multiply_adds)
    return (
        f"`{result.backbone}` takes {duration(result.seconds_per_image)} an image: {1 - network:.0%} of it to read, "
        f"decode and resize the file and {network:.0%} for the network, which does {count(result.multiply_adds)} "
        f"multiply-adds in {result.layers} layers ({share:.1%} of the whole network's "
        f"{count(result.network.multiply_adds)}), {count(_rate(result))} a second."
    )


def _faster_per_image(fast: BackboneResult, slow: BackboneResult) -> str:
    ratio = slow.seconds_per_image / fast.seconds_per_image
    if ratio < _ABOUT_EQUAL:
        return f"Per image `{fast.backbone}` and `{slow.backbone}` are about equally fast (ratio {ratio:.2f})."
    work = slow.multiply_adds / max(1, fast.multiply_adds)
    rate = _rate(fast) / max(1e-9, _rate(slow))
    saved_network = slow.seconds_network - fast.seconds_network
    saved = slow.seconds_per_image - fast.seconds_per_image
    text = (
        f"Per image `{fast.backbone}` is {ratio:.3g} times faster than `{slow.backbone}`. The network makes "
        f"{min(1.0, max(0.0, saved_network / saved)):.0%} of the difference ({duration(fast.seconds_network)} against "
        f"{duration(slow.seconds_network)}): "
    )
    if work >= 1:
        text += f"it does {work:.3g} times fewer multiply-adds, in {fast.layers} layers against {slow.layers},"
    else:
        text += (
            f"though it does {1 / work:.3g} times more multiply-adds, in {fast.layers} layers against {slow.layers},"
        )
    if rate >= _ABOUT_EQUAL:
        return text + f" and gets through {rate:.3g} times more of them a second."
    if rate > 1 / _ABOUT_EQUAL:
        return text + " and gets through as many of them a second."
    return text + (
        f" but gets through {1 / rate:.3g} times fewer of them a second: thin layers, and copying "
        f"{count(fast.feature_size)} features out, use the processor less well than large products."
    )


def _faster_in_repeats(fast: BackboneResult, slow: BackboneResult) -> str:
    ratio = slow.seconds_evaluation / fast.seconds_evaluation
    if ratio < _ABOUT_EQUAL:
        return f"In the repeats `{fast.backbone}` and `{slow.backbone}` are about equally fast (ratio {ratio:.2f})."
    return (
        f"In the repeats `{fast.backbone}` is {ratio:.3g} times faster than `{slow.backbone}`: the Gram matrix, made "
        f"once, takes {duration(fast.seconds_gram)} against {duration(slow.seconds_gram)} for "
        f"{count(fast.feature_size)} against {count(slow.feature_size)} features; a fit then sees no features any more "
        f"and takes {duration(fast.seconds_per_fit)} against {duration(slow.seconds_per_fit)}."
    )


def _rate(result: BackboneResult) -> float:
    """Multiply-adds a second of the network."""
    return result.multiply_adds / max(1e-9, result.seconds_network)

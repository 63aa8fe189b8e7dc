from __future__ import annotations

from worker.commands.model_words import looks_at


def test_it_says_that_a_model_finds_the_edge_by_itself() -> None:
    assert "lower contour" in looks_at("efficientnet_lite0:block7_out+rows+fg+edge+int8")
    assert looks_at("efficientnet_lite0:block7_out+gap+int8") == "all of a photograph, or its region"

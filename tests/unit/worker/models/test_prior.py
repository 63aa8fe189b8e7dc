from __future__ import annotations

from worker.models.prior import Prior


def test_a_prior_is_read_from_a_models_metrics() -> None:
    prior = Prior(0.5, 24, 0, None, 3)
    assert Prior.of({"prior": dict(vars(prior))}) == prior
    assert Prior.of({}) is None


def test_it_says_what_is_taken_for_usual_and_what_the_line_has() -> None:
    assert Prior(0.763, 194, 60, 0.031, 140).sentence() == (
        "the probabilities take 76.3% damaged for usual, as 194 labels, 60 of them imported; of the line 3.1% are, by "
        "140 reviews by chance"
    )
    assert Prior(0.763, 194, 60, 0.031, 140, 0.034, 120).sentence() == (
        "the probabilities take 3.4% damaged for usual, by 120 labels that chance chose, each for as many verdicts as "
        "it stands for; of all 194 labels, 60 of them imported, 76.3% are damaged; of the line 3.1% are, by 140 "
        "reviews by chance"
    )
    assert (
        Prior(0.5, 24, 0, None, 3)
        .sentence()
        .endswith("by chance are too few, or too few of one outcome, to tell its share")
    )

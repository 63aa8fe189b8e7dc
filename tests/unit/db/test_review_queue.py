from uuid import UUID

import uuid6

from db.review_queue import NEAR_SHARE, SAMPLE_ONE_IN, Confident, near_threshold, sample


def verdicts(outcome: str, decisions: list[float | None], start: int = 0, model: str = "m-1") -> list[Confident]:
    return [
        Confident(UUID(int=start + number), model, outcome, decision, False)
        for number, decision in enumerate(decisions)
    ]


def ids(*numbers: int) -> list[UUID]:
    return [UUID(int=number) for number in numbers]


def test_the_nearest_of_each_side_come_first_in_turn() -> None:
    intact = verdicts("intact", [-3.0 + 0.1 * number for number in range(20)])
    damaged = verdicts("damaged", [5.0 - 0.1 * number for number in range(20)], start=100)
    assert NEAR_SHARE == 0.1
    assert near_threshold(intact + damaged) == ids(19, 119, 18, 118)
    assert near_threshold(reversed(intact + damaged)) == ids(19, 119, 18, 118)


def test_a_few_have_a_nearest_too() -> None:
    assert near_threshold(verdicts("damaged", [2.0, 0.5, 1.0])) == ids(1)
    assert near_threshold([]) == []


def test_models_are_not_measured_against_each_other() -> None:
    wide = verdicts("intact", [-100.0, -50.0], model="wide")
    narrow = verdicts("intact", [-0.2, -0.1], start=10, model="narrow")
    assert near_threshold(wide + narrow) == ids(1, 11)


def test_what_was_reviewed_keeps_its_place_so_that_the_list_ends() -> None:
    found = verdicts("damaged", [float(number) for number in range(10, 30)])
    seen = [Confident(each.capture_id, "m-1", "damaged", each.decision, each.decision < 12) for each in found]
    assert near_threshold(found) == ids(0, 1)
    assert near_threshold(seen) == []


def test_without_a_decision_there_is_no_distance() -> None:
    assert near_threshold([*verdicts("intact", [None, None]), *verdicts("unusable", [0.1], start=5)]) == []


def test_chance_chooses_one_in_so_many_and_always_the_same() -> None:
    found = [Confident(uuid6.uuid7(), "m-1", "intact", 1.0, False) for _ in range(200 * SAMPLE_ONE_IN)]
    chosen = sample(found)
    assert 120 < len(chosen) < 300, "200 are expected, give or take some fifteen"
    assert sample(chosen_again for chosen_again in found if chosen_again.capture_id in set(chosen)) == chosen
    reviewed = [Confident(each.capture_id, "m-1", "intact", 1.0, True) for each in found]
    assert sample(reviewed) == []

from producer.simulation.head import SimulatedHead
from producer.simulation.insert_changes import SimulatedChanges


def test_most_inserts_are_changed_at_once_some_late_and_some_never() -> None:
    head = SimulatedHead(400, seed=1, size=96)
    head.operate()
    changes = SimulatedChanges(head, 1)
    every = list(head.pockets)
    at_once = changes.hear(every)
    assert 0.7 < len(at_once) / len(every) < 0.9
    assert all(head.operations_on_edge(pocket) == 0 for pocket in at_once)
    waiting = [pocket for pocket in every if pocket not in at_once]
    assert all(head.operations_on_edge(pocket) == 1 for pocket in waiting)
    late = changes.hear(waiting)
    never = [pocket for pocket in waiting if pocket not in late]
    assert 0.08 < len(late) / len(every) < 0.25
    assert 0 < len(never) / len(every) < 0.1
    assert changes.hear(never) == changes.hear(never) == []


def test_an_insert_that_was_changed_is_changed_again_when_it_is_worn_again() -> None:
    head = SimulatedHead(1, seed=1, size=96)
    changes = SimulatedChanges(head, 0)
    assert sum(changes.hear([1]) == [1] for _ in range(5)) >= 2
    assert changes.hear([]) == []


def test_a_head_that_runs_for_long_is_not_left_with_damaged_inserts_alone() -> None:
    head = SimulatedHead(30, seed=1, size=96)
    changes = SimulatedChanges(head, 1)
    left = []
    for _ in range(500):
        head.operate()
        changes.hear(pocket for pocket in head.pockets if head.truth(pocket) != "intact")
        left.append(sum(head.truth(pocket) != "intact" for pocket in head.pockets))
    assert max(left) <= 15
    assert left[-1] < 12

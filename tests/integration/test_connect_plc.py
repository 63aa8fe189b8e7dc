"""What a check of a head says is written into a PLC's own variables, though the PLC is away for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from producer.connect.deliveries.delivery_log import DeliveryLog
from producer.contract.answers import CheckAnswer
from producer.contract.plant_news import Hold
from producer.contract.vocabulary import CheckState
from tests.integration.opcua import identity
from tests.integration.plant import (
    ConnectProcess,
    Listener,
    Mosquitto,
    check,
    connecting,
    needs_mosquitto,
    run_before_and_after,
    verdict,
)
from tests.integration.plc import Plc
from tests.plant_news import AT, NEWS
from tests.support import RedisProcess, wait_until
from worker.line.notifier import Notifier


@pytest.fixture
def plc(tmp_path: Path) -> Iterator[Plc]:
    plc = Plc(tmp_path)
    plc.start()
    yield plc
    plc.kill()


def test_a_plc_has_the_last_check_of_its_head_also_after_it_was_away(
    tmp_path: Path, redis_server: RedisProcess, plc: Plc
) -> None:
    line = Notifier(redis_server.url)
    with connecting(tmp_path, redis_server.url, plc.configured()) as connector:
        wait_until(lambda: connector.status()["mill"]["up"], 60)
        eight = {"size": 8}
        first = check("replace", [3, 8]).model_copy(update=eight)
        line.send([("station-1", answer) for answer in [verdict(1), first, check("go", head="other")]])
        wait_until(lambda: len(plc.values("Sequence")) == 2)
        # It is told first that no check is known of the head; then its check, without a state while that is written.
        assert [plc.values("State")[:2], plc.values("Sequence")[0]] == [[0, 0], 1]
        assert plc.written()[plc.written().index(["Sequence", 1]) + 1 : -1] == [
            ["State", 0],
            ["Replace", [False, False, True, False, False, False, False, True]],
            ["Review", [0, 0, 0, 0]],
            ["Operation", "op-1"],
            ["CheckId", str(first.check_id)],
            ["State", 2],
        ]
        told = len(plc.written())
        beats = len(plc.values("Heartbeat"))
        wait_until(lambda: len(plc.values("Heartbeat")) > beats, 30)
        # What was said while the PLC was away is overtaken by the last of it: no PLC may act on the others.
        plc.kill()
        away = [check(state).model_copy(update=eight) for state in ("go", "go", "review")]
        line.send([("station-1", answer) for answer in away])
        # Those before the last may count as told by then: a PLC that was reached just now is told the last alone.
        wait_until(lambda: not connector.status()["mill"]["up"] and connector.status()["mill"]["waiting"] in (1, 3), 60)
        plc.start()
        wait_until(lambda: connector.status()["mill"]["waiting"] == 0, 60)
        # It is told the last at once, never in passing what held when it went, and the last again when its turn comes.
        written = plc.written()[told:]
        assert [value for name, value in written if name == "State"] == [0, 3, 0, 3]
        at_once, in_turn = (value for name, value in written if name == "Sequence")
        assert plc.values("Sequence")[1] != at_once == in_turn
        # More pockets than its variable has room for: refused in words, and what stood there is no state any more.
        line.send([("station-1", fits := check("go").model_copy(update=eight))])
        wait_until(lambda: plc.values("CheckId")[-1:] == [str(fits.check_id)] and plc.values("State")[-1] == 1, 30)
        wait_until(lambda: connector.status()["mill"]["waiting"] == 0)
        told = len(plc.written())
        line.send([("station-1", fits.model_copy(update={"state": "replace", "replace": [9]}))])
        with closing(DeliveryLog(connector.data / "connect" / "deliveries.db")) as log:
            wait_until(lambda: "9 are needed" in str([one.problem for one in log.latest("mill", "waiting", 1)]))
        assert [value for name, value in plc.written()[told:] if name != "Heartbeat"] == [0]
        # One that has lost its variables is reached all the same, and has no state of that head.
        plc.kill()
        wait_until(lambda: not connector.status()["mill"]["up"], 60)
        plc.start()
        wait_until(lambda: connector.status()["mill"]["up"], 60)
        assert plc.values("State")[-1] == 0
    line.close()


def test_a_plc_releases_its_own_run_alone_whoever_starts_anew(
    tmp_path: Path, redis_server: RedisProcess, plc: Plc
) -> None:
    line = Notifier(redis_server.url)

    def of(run: CheckAnswer, minute: int, state: CheckState) -> CheckAnswer:
        order = {"begun_at": datetime(2026, 11, 29, 12, minute, tzinfo=UTC), "state": state}
        return CheckAnswer(**run.model_dump(exclude={"schema_version"}) | order)

    last = of(check(), 10, "go")

    def tell(answer: CheckAnswer) -> None:
        line.send([("station-1", answer)])

    with connecting(tmp_path, redis_server.url, plc.configured()) as connector:
        wait_until(lambda: connector.status()["mill"]["up"], 60)
        plc.wait_for(last.check_id)
        tell(last)
        wait_until(lambda: plc.decided(last.check_id) == ["hold", "release"], 30)
        for minute, who in ((20, "plc"), (30, "connector"), (40, "both")):
            run = of(check(), minute, "go")
            wait_until(lambda: connector.status()["mill"]["waiting"] == 0, 30)  # the sequence is written last
            written = len(plc.values("Sequence"))
            if who != "plc":
                connector.kill()
            if who != "connector":
                plc.kill()
            plc.wait_for(run.check_id)  # the operation is called the same, and nothing of the run is checked yet
            if who != "connector":
                plc.start()
            if who != "plc":
                connector.start()
            beats = len(plc.values("Heartbeat"))
            wait_until(lambda beats=beats: len(plc.values("Heartbeat")) >= beats + 2, 60)
            # A PLC that has lost the former run's `go` is written it once more; one that has it is let alone.
            again = plc.values("Sequence")[written:]
            assert again == ([] if who == "connector" else [plc.values("Sequence")[written - 1]])
            assert plc.decided(run.check_id) == ["hold"]
            tell(run)
            wait_until(lambda run=run: plc.decided(run.check_id) == ["hold", "release"], 30)
            # A person has overruled a verdict: it is held again.
            tell(run.model_copy(update={"state": "replace", "replace": [1]}))
            wait_until(lambda run=run: plc.decided(run.check_id) == ["hold", "release", "hold"], 30)
            # A late photograph of the run before: its answer is older, and what holds stays.
            tell(of(last, minute - 1, "go"))
            last = of(check(), minute + 1, "go")
            tell(last)
            wait_until(lambda last=last: plc.values("CheckId")[-1:] == [str(last.check_id)], 30)
            wait_until(lambda: connector.status()["mill"]["waiting"] == 0, 30)
            assert plc.values("CheckId")[-2] == str(run.check_id)
        # What the line said while nobody carried it on is read first: a `go` that is overtaken is never there.
        connector.kill()
        plc.kill()
        tell(last.model_copy(update={"state": "replace", "replace": [1]}))
        plc.wait_for(last.check_id)
        plc.start()
        connector.start()
        wait_until(lambda: plc.values("State")[-1:] == [2], 60)
        assert plc.decided(last.check_id) == ["hold"]
    line.close()


class PlcAndBroker(NamedTuple):
    """A line whose connector tells a PLC and a broker of checks, and what both show of head H12."""

    line: Notifier
    connector: ConnectProcess
    listener: Listener
    plc: Plc

    def shown(self) -> tuple[bytes | None, int]:
        """The head's state at the broker, as it is retained, and at the PLC."""
        return (self.listener.latest("inserts/plant-1/mill-1/H12/state"), self.plc.values("State")[-1])

    def wait_for(self, state: str, number: int) -> None:
        """Wait until both show a state, and nothing more waits."""
        wait_until(lambda: state.encode() in (self.shown()[0] or b"") and self.shown()[1] == number, 30)
        wait_until(lambda: all(self.connector.status()[name]["waiting"] == 0 for name in ("mill", "broker")))


@pytest.fixture
def both(tmp_path: Path, redis_server: RedisProcess, plc: Plc) -> Iterator[PlcAndBroker]:
    with ExitStack() as parts:
        broker = Mosquitto(tmp_path)
        parts.callback(broker.kill)
        broker.start()
        sinks = plc.configured() + f'[mqtt.broker]\nurl = "mqtt://127.0.0.1:{broker.port}"\nkinds = ["check"]\n'
        line = parts.enter_context(closing(Notifier(redis_server.url)))
        connector = parts.enter_context(connecting(tmp_path, redis_server.url, sinks))
        wait_until(lambda: connector.status()["mill"]["up"], 60)
        yield PlcAndBroker(line, connector, parts.enter_context(closing(Listener(broker.port))), plc)


@needs_mosquitto
def test_a_changed_insert_takes_the_go_of_its_head_away_until_a_run_has_it(both: PlcAndBroker) -> None:
    line, connector, plc, shown = both.line, both.connector, both.plc, both.shown
    run, later = run_before_and_after(AT)
    plc.wait_for(run.check_id)
    line.send([("station-1", run)])
    both.wait_for('"state":"go"', 1)
    wait_until(lambda: plc.decided(run.check_id) == ["hold", "release"], 30)  # its program looks now and then
    line.emit([NEWS[-1].model_copy(update={"refused": "nothing is known of it"})])
    line.emit([NEWS[-1]])
    wait_until(lambda: shown() == (b"", 0) and plc.values("CheckId")[-1] == "", 30)
    wait_until(lambda: plc.decided(run.check_id) == ["hold", "release", "hold"], 30)
    connector.kill()
    connector.start()
    line.send([("station-1", run.model_copy(update={"revision": 2}))])  # a person has looked at it once more
    line.send([("station-1", check(head="H13"))])
    wait_until(lambda: both.listener.latest("inserts/plant-1/mill-1/H13/state"), 30)
    assert shown() == (b"", 0)
    assert plc.decided(run.check_id) == ["hold", "release", "hold"]
    line.emit([NEWS[-1].model_copy(update={"withdrawn": True})])
    both.wait_for('"state":"go"', 1)
    line.emit([NEWS[-1].model_copy(update={"pocket": 2})])
    wait_until(lambda: shown() == (b"", 0), 30)
    line.send([("station-1", later)])
    both.wait_for(str(later.check_id), 1)


@needs_mosquitto
def test_a_verdict_takes_the_go_of_its_head_away_until_its_check_is_answered_or_a_later_run_has_it(
    both: PlcAndBroker,
) -> None:
    line, connector, plc, shown = both.line, both.connector, both.plc, both.shown
    run, later = run_before_and_after(datetime.now(UTC))
    plc.wait_for(run.check_id)
    line.send([("station-1", run)])
    both.wait_for('"state":"go"', 1)
    wait_until(lambda: plc.decided(run.check_id) == ["hold", "release"], 30)
    # A photograph more of the run, which is pending by that; and one of a run that is another head's.
    line.send([("station-1", verdict(3, "damaged").model_copy(update={"check_id": run.check_id}))])
    wait_until(lambda: shown() == (b"", 0), 30)
    connector.kill()
    connector.start()
    line.send([("station-1", check(head="H13"))])
    wait_until(lambda: both.listener.latest("inserts/plant-1/mill-1/H13/state"), 30)
    assert shown() == (b"", 0)
    wait_until(lambda: plc.decided(run.check_id) == ["hold", "release", "hold"], 30)
    line.send([("station-1", run.model_copy(update={"revision": 2, "state": "replace", "replace": [3]}))])
    both.wait_for('"state":"replace"', 2)
    line.send([("station-1", run.model_copy(update={"revision": 3}))])
    both.wait_for('"state":"go"', 1)
    at = datetime.now(UTC)
    line.emit([Hold(check_id=run.check_id, machine="mill-1", head="H12", pocket=3, at=at, revision=3)])
    wait_until(lambda: shown() == (b"", 0), 30)
    line.send([("station-1", run.model_copy(update={"revision": 4}))])
    both.wait_for('"state":"go"', 1)
    line.send([("station-1", verdict(2, "damaged"))])
    wait_until(lambda: shown() == (b"", 0), 30)
    line.send([("station-1", later)])
    both.wait_for(str(later.check_id), 1)


def test_a_variable_that_takes_nothing_costs_its_head_and_its_state_the_heartbeat(
    tmp_path: Path, redis_server: RedisProcess, plc: Plc
) -> None:
    line = Notifier(redis_server.url)
    plc.kill()
    plc.obeys("Operation", "denied", does=False)
    plc.start()
    with connecting(tmp_path, redis_server.url, plc.configured()) as connector:
        wait_until(lambda: connector.status()["mill"]["up"], 60)
        first, second = check("go"), check("replace", [1])
        plc.wait_for(first.check_id)
        line.send([("station-1", first)])
        wait_until(lambda: "Operation cannot be written" in str(connector.status()["mill"]["problem"]), 30)
        beats = len(plc.values("Heartbeat"))
        wait_until(lambda: len(plc.values("Heartbeat")) > beats, 30)
        assert (connector.status()["mill"]["up"], plc.values("State")[-1]) == (True, 0)
        assert plc.decided(first.check_id) == ["hold"]
        plc.kill()
        plc.obeys("Operation", "denied", does=True)
        plc.start()
        wait_until(lambda: plc.decided(first.check_id)[-2:] == ["hold", "release"], 60)
        # It says that it takes a state, and keeps the one before: beside another run's id that would be its own.
        plc.obeys("State", "kept", does=False)
        plc.wait_for(second.check_id)
        line.send([("station-1", second)])
        wait_until(lambda: "State keeps another value" in str(connector.status()["mill"]["problem"]), 30)
        assert not connector.status()["mill"]["up"]
        assert plc.values("CheckId")[-1] == str(first.check_id)
        plc.obeys("State", "kept", does=True)
        wait_until(lambda: plc.values("CheckId")[-1] == str(second.check_id), 60)
        assert plc.decided(second.check_id) == ["hold"]
    line.close()


def test_a_head_that_is_taken_out_of_the_file_has_no_state(
    tmp_path: Path, redis_server: RedisProcess, plc: Plc
) -> None:
    line, run = Notifier(redis_server.url), check("go")
    with connecting(tmp_path, redis_server.url, plc.configured()) as connector:
        wait_until(lambda: connector.status()["mill"]["up"], 60)
        plc.wait_for(run.check_id)
        line.send([("station-1", run)])
        wait_until(lambda: plc.decided(run.check_id) == ["hold", "release"], 30)
        assert connector.end() == 0
        head = '[[plc.mill.head]]\nmachine = "mill-1"\nhead = "H13"\n'
        head += 'state = "ns=2;s=Operation"\nsequence = "ns=2;s=Sequence"\n'
        renamed = (plc.configured().partition("[[")[0] + head).replace("plc.mill", "plc.cell")
        connector.file.write_text(renamed, encoding="utf-8")
        connector.start()
        wait_until(lambda: plc.decided(run.check_id) == ["hold", "release", "hold"], 60)
        assert plc.values("State")[-1] == 0
    line.close()


def test_a_plc_whose_program_is_loaded_anew_or_whose_namespaces_have_another_order_is_written_all_the_same(
    tmp_path: Path, redis_server: RedisProcess, plc: Plc
) -> None:
    line, first, second = Notifier(redis_server.url), check("go"), check("go")
    with connecting(tmp_path, redis_server.url, plc.configured()) as connector:
        wait_until(lambda: connector.status()["mill"]["up"], 60)
        plc.wait_for(first.check_id)
        line.send([("station-1", first)])
        wait_until(lambda: plc.decided(first.check_id) == ["hold", "release"], 30)
        plc.lose_values()
        wait_until(lambda: plc.decided(first.check_id) == ["hold", "release", "hold", "release"], 30)
        # The sequence number is written last, after what a program may have decided by.
        wait_until(lambda: (of := plc.values("Sequence"))[-1] == of[-2], 30, "the same number once more")
        assert plc.values("State")[-3:] == [1, 0, 1]
        assert "a PLC has lost the values of a head" in connector.log.read_text()
        # What its program does itself with the variables is left to it.
        plc.lose_values("State")
        beats, written = len(plc.values("Heartbeat")), plc.written()
        wait_until(lambda: len(plc.values("Heartbeat")) >= beats + 3, 60)
        assert plc.written() == written
        # Loaded anew with what it had kept of before it has an overtaken `go`, for a moment.
        line.send([("station-1", first.model_copy(update={"state": "replace", "replace": [1]}))])
        wait_until(
            lambda: plc.values("State")[-1] == 2 and plc.values("Sequence")[-1] != plc.values("Sequence")[-2], 30
        )
        times = len(plc.values("Sequence"))
        plc.lose_values(State=1, Sequence=7)
        wait_until(lambda: len(plc.values("Sequence")) > times, 30)
        assert [plc.values("State")[-1], *plc.values("Sequence")[-2:]] == [2, *plc.values("Sequence")[-1:] * 2]
        plc.kill()
        plc.comes_second()
        plc.wait_for(second.check_id)
        plc.start()
        line.send([("station-1", second)])
        # Whether its program looks before the connector has come back is chance.
        wait_until(lambda: plc.decided(second.check_id)[-1:] == ["release"], 60)
    line.close()


def test_a_server_that_is_not_the_plc_is_not_spoken_to(tmp_path: Path, redis_server: RedisProcess, plc: Plc) -> None:
    stranger = identity(tmp_path, "stranger")
    text = plc.configured().replace(str(plc.server[0]), str(stranger[0]))
    wait_until(plc.listens, 60)
    with connecting(tmp_path, redis_server.url, text) as connector:
        wait_until(lambda: "is server_certificate_file its" in str(connector.status()["mill"]["problem"]), 60)
        assert plc.written() == plc.values("Heartbeat") == []


def test_a_plc_that_the_file_has_by_two_names_is_not_written_for_two_heads(
    tmp_path: Path, redis_server: RedisProcess, plc: Plc
) -> None:
    mill = plc.configured()
    part = mill[mill.index("[plc.mill]") :].replace("127.0.0.1", "localhost").replace("plc.mill", "plc.two")
    copied = part.replace('"H12"', '"H13"').replace('check_id = "ns=2;s=CheckId"\n', "")
    with closing(Notifier(redis_server.url)) as line, connecting(tmp_path, redis_server.url, mill) as connector:
        run = check("replace", [3])
        plc.wait_for(run.check_id)
        line.send([("station-1", run)])
        wait_until(lambda: plc.values("State")[-1:] == [2], 60)
        connector.kill()
        connector.file.write_text(mill + copied, encoding="utf-8")
        connector.start()
        line.send([("station-1", check("go", head="H13"))])
        wait_until(lambda: "plc.mill and plc.two are one PLC" in str(connector.status().get("two")), 60)
        wait_until(lambda: connector.status()["two"]["waiting"] == 1)
        assert plc.decided(run.check_id) == ["hold"]
        connector.kill()
        connector.file.write_text(mill, encoding="utf-8")
        connector.start()
        wait_until(lambda: connector.status()["mill"]["up"], 60)

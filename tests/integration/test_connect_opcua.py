"""What the line says stands in our OPC UA server, for those who may come, whatever is killed on the way."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import asyncua
import pytest
from asyncua import ua

from producer.connect.opcua.certificates import new_certificate
from producer.connect.opcua.result_history import MOST_LISTED
from tests.integration.opcua import NODE_SET, PASSWORD, Plant, Session, event_of, identity, ids, needs_node_set
from tests.integration.plant import ConnectProcess, check, connecting, fault, in_order, verdict
from tests.plant_news import NEWS
from tests.support import RedisProcess, wait_until
from worker.line.notifier import Notifier


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    return Plant(tmp_path)


def test_a_server_that_could_not_begin_begins_when_what_was_wrong_is_mended_and_takes_a_renewed_certificate(
    plant: Plant, redis_server: RedisProcess, line: Notifier
) -> None:
    expired, valid, renewed = (new_certificate("urn:server", ["127.0.0.1"], days) for days in (0, 2, 2))

    def have(key: bytes, certificate: bytes) -> None:
        plant.server[1].write_bytes(key)
        plant.server[0].write_bytes(certificate)

    have(*expired)
    with socket.create_server(("127.0.0.1", plant.port)) as taken:
        connector = ConnectProcess(plant.folder, redis_server.url, plant.file())
        connector.start()
        wait_until(lambda: "is not valid now: `insert-station" in str(connector.status()["cell"]["problem"]), 60)
        have(*valid)
        wait_until(lambda: "address already in use" in str(connector.status()["cell"]["problem"]), 60)
        taken.close()
    wait_until(lambda: connector.status()["cell"]["up"], 60)
    with plant.session() as client:
        plant.server[0].write_bytes(renewed[1])  # its key comes later
        line.send([("station-1", check())])
        wait_until(lambda: connector.status()["cell"]["delivered"] == 1)
        assert client.variable("mill-1/H12", "State") == "go"
        have(*renewed)
        wait_until(lambda: "our certificate is another one now" in connector.log.read_text(), 60)

    def sees_the_head() -> bool:
        try:
            with plant.session() as client:  # it knows the new one
                return client.variable("mill-1/H12", "State") == "go"
        except (OSError, TimeoutError, ua.UaError):  # it does not listen again yet
            return False

    wait_until(sees_the_head, 60)
    assert connector.end() == 0


def test_a_day_of_a_head_is_told_whole_though_the_server_dies_in_the_middle(
    plant: Plant, redis_server: RedisProcess, line: Notifier
) -> None:
    # Five inserts every seven minutes for 24 hours: more than one answer may list.
    said = [verdict(1 + number % 5, "damaged" if number % 5 == 2 else "intact") for number in range(1_030)]
    last = [fault(), check("replace", [3]), check("go", machine="sim-mill", head="sim-head")]
    with connecting(plant.folder, redis_server.url, plant.file()) as connector:
        wait_until(lambda: connector.status()["cell"]["up"], 60)
        with plant.session() as client:
            client.load()
            client.subscribe()
            client.subscribe(client.client.nodes.server)  # where most clients listen
            line.send([("station-1", answer) for answer in said[:30]])
            wait_until(lambda: len(client.heard) == 60)
            event = client.heard[-1]
            assert (event["IsPartial"], event["ResultEvaluation"], event["Pocket"]) == (True, 1, 5)
            assert event["PartId"].Id == "mill-1/H12"
            assert event["EventId"].decode() == event["ResultId"].Id
            assert client.variable("mill-1/H12", "PocketOutcome") == ["intact", "intact", "damaged", "intact", "intact"]
            states = [["VisionStateMachine"], ["VisionStateMachine", "AutomaticModeStateMachine"]]
            shown = [
                client.system.get_child([*(f"{client.ns}:{name}" for name in path), "0:CurrentState"]).read_value().Text
                for path in states
            ]
            assert shown == ["Operational", "ContinuousExecution"]
            numbers = [
                client.system.get_child(
                    [*(f"{client.ns}:{name}" for name in (*path, state)), "0:StateNumber"]
                ).read_value()
                for path, state in zip(states, shown, strict=True)
            ]
            assert numbers == [4, 8], "the standard's"
            connector.kill()
        line.send([("station-1", answer) for answer in [*said[29:], *last]])  # one of them for the second time
        connector.start()
        wait_until(lambda: connector.status()["cell"]["delivered"] == len(said) + 3, 60)
        with plant.session() as client:
            assert len(client.results()[0]) == MOST_LISTED
            results = client.all_results(piece=400)
            assert len(results) == len(set(ids(results))) == len(said) + 3
            events = [event_of(result) for result in results]
            assert in_order([event for event in events if event["type"] == "inserts.verdict"], said)
            assert [result.IsPartial for result in results] == [True] * (len(said) + 1) + [False] * 2
            words = [[each.Value for each in result.ResultContent[:2]] for result in results[-3:]]
            assert words == [[0, "Undefined"], [2, "NotOK"], [1, "OK"]]
            assert [result.ResultState for result in results[-3:]] == [4, 1, 1]
            assert [result.IsSimulated for result in results[-2:]] == [False, True]
            # What held before stands in the variables again, and what came since.
            assert client.variable("mill-1/H12", "PocketEvaluation") == [1, 1, 2, 1, 1]
            assert client.variable("mill-1/H12", "State") == "replace"
            assert client.variable("mill-1/H12", "Replace") == [3]
            assert client.variable("sim-mill/sim-head", "IsSimulated")
            assert client.variable("mill-1/H12", "Sequence") < client.variable("sim-mill/sim-head", "Sequence")
            # And it can be asked for by what it is.
            assert ids(client.results(JobId=str(last[1].check_id))[0]) == [results[-2].ResultId.Id]
            assert len(client.results(MeasId=str(said[7].capture_id), InternalRecipeId="verdict")[0]) == 1
            assert len(client.results(PartId="mill-1/H12", InternalRecipeId="check")[0]) == 1
            assert len(client.results(state=4)[0]) == 1
            assert client.results(ProductId="none has one") == ([], True)
            for wrong in ({"most": 2**40}, {"start": -5}):
                with pytest.raises(ua.uaerrors.BadInvalidArgument):
                    client.results(**wrong)
            line.emit([NEWS[-1].model_copy(update={"machine": "sim-mill", "head": "sim-head"})])
            wait_until(lambda: client.variable("sim-mill/sim-head", "State") == "")
            found, error = client.result(results[0].ResultId.Id)
            assert (found.MeasId.Id, error) == (str(said[0].capture_id), 0)
            assert client.result("0" * 32)[1] < 0


def test_whoever_may_not_come_is_refused_and_the_log_says_what_to_do(
    plant: Plant, redis_server: RedisProcess, line: Notifier
) -> None:
    stranger = identity(plant.folder, "stranger")
    with connecting(plant.folder, redis_server.url, plant.file()) as connector:
        line.send([("station-1", check())])
        wait_until(lambda: connector.status()["cell"]["delivered"] == 1, 60)
        for chosen, error in [
            ({"own": stranger}, ua.uaerrors.BadCertificateUntrusted),
            ({"password": "a wrong password"}, ua.uaerrors.BadUserAccessDenied),
            ({"user": "nobody"}, ua.uaerrors.BadUserAccessDenied),
            ({"user": None}, ua.uaerrors.BadIdentityTokenRejected),
        ]:
            with pytest.raises(error), plant.session(**chosen):
                pass
        with plant.session() as client:
            asyncio.run(everything_in_the_clear_is_refused(plant, client))
            assert client.variable("mill-1/H12", "State") == "go"
            with pytest.raises(ua.uaerrors.BadUserAccessDenied):
                client.client.get_node(f"ns={client.ns};s=mill-1/H12/State").write_value("replace")
        said = connector.log.read_text()
        assert "copy" in said
        assert f"into {plant.trusted}" in said
        assert "the user nobody or its password is wrong" in said
        assert PASSWORD not in said
        assert "Traceback" not in said
        # It does what the log says, and may come; without a new start.
        [kept] = (plant.folder / "line" / "connect" / "refused").iterdir()
        plant.trust(kept)
        with plant.session(own=stranger) as client:
            assert client.variable("mill-1/H12", "State") == "go"


async def everything_in_the_clear_is_refused(plant: Plant, victim: Session) -> None:
    """Over a channel without security nobody gets in: not with a password, and not by another's session."""
    client = asyncua.Client(plant.url, timeout=10)
    endpoints = await client.connect_and_get_server_endpoints()
    assert {str(each.SecurityPolicyUri).rpartition("#")[2] for each in endpoints} == {"Basic256Sha256"}
    assert {each.SecurityMode for each in endpoints} == {ua.MessageSecurityMode.SignAndEncrypt}
    assert {token.TokenType for each in endpoints for token in each.UserIdentityTokens} == {ua.UserTokenType.UserName}
    token = ua.UserNameIdentityToken(PolicyId="username", UserName="plc", Password=PASSWORD.encode())
    await client.connect_sessionless()
    protocol = client.uaclient.protocol
    state = victim.client.get_node(f"ns={victim.ns};s=mill-1/H12/State").nodeid
    wanted = ua.ReadParameters(NodesToRead=[ua.ReadValueId(NodeId=state, AttributeId=ua.AttributeIds.Value)])
    parameters = ua.ActivateSessionParameters(UserIdentityToken=token)
    # By the number of the session of somebody who is there.
    protocol.authentication_token = victim.client.aio_obj.uaclient.protocol.authentication_token
    with pytest.raises(ua.UaStatusCodeError):
        await client.uaclient.activate_session(parameters)
    with pytest.raises((ua.UaStatusCodeError, ConnectionError)):
        await client.uaclient.read(wanted)
    # And with a session of its own.
    await client.disconnect_sessionless()
    await client.connect_sessionless()
    await client.uaclient.create_session(ua.CreateSessionParameters(EndpointUrl=plant.url, RequestedSessionTimeout=9e4))
    with pytest.raises(ua.UaStatusCodeError):
        await client.uaclient.activate_session(parameters)
    with pytest.raises((ua.UaStatusCodeError, ConnectionError)):
        await client.uaclient.read(wanted)
    await client.disconnect_sessionless()


@needs_node_set
def test_with_the_standard_s_node_set_the_types_are_the_standard_s(
    plant: Plant, redis_server: RedisProcess, line: Notifier
) -> None:
    connector = ConnectProcess(plant.folder, redis_server.url, plant.file())
    imported = connector.command("opcua", "import", str(NODE_SET))
    assert imported.returncode == 0, imported.stderr
    connector.start()
    try:
        line.send([("station-1", check("replace", [3]))])
        wait_until(lambda: connector.status()["cell"]["delivered"] == 1, 60)
        with plant.session() as client:
            assert client.types != client.ns
            assert (
                client.client.get_node(client.system.read_type_definition()).read_browse_name().Name
                == "VisionSystemType"
            )
            client.load()
            client.subscribe()
            line.send([("station-1", verdict(2))])
            wait_until(lambda: len(client.heard) == 1)
            assert client.heard[0]["InternalRecipeId"].Id == "verdict"
            results, _ = client.results(InternalRecipeId="check")
            assert [result.ExternalRecipeId.Id for result in results] == ["op-1"]
            found, _ = client.result(results[0].ResultId.Id)
            assert [each.Value for each in found.ResultContent[:2]] == [2, "NotOK"]
            state = client.system.get_child(
                [f"{client.types}:VisionStateMachine", "0:CurrentState", "0:Id"]
            ).read_value()
            assert client.client.get_node(state).read_browse_name().Name == "Operational"
            assert client.variable("mill-1/H12", "Replace") == [3]
    finally:
        connector.kill()


@pytest.mark.skipif(
    "INSERTS_TEST_NODE_OPCUA" not in os.environ or shutil.which("node") is None,
    reason="INSERTS_TEST_NODE_OPCUA names no folder with node_modules of node-opcua-client, or there is no node",
)
def test_a_client_that_shares_no_code_with_the_server_sees_what_a_plc_reads(
    plant: Plant, redis_server: RedisProcess, line: Notifier
) -> None:
    """The recipe of docs/integration.md: names, types, `Sequence` that is written last; and what can be asked for."""
    printed, program = plant.folder / "printed", Path(__file__).with_name("opcua_client.mjs")
    with connecting(plant.folder, redis_server.url, plant.file()) as connector:
        said = [verdict(1), verdict(2, "damaged"), check("replace", [2])]
        line.send([("station-1", answer) for answer in said])
        wait_until(lambda: connector.status()["cell"]["delivered"] == 3, 60)
        modules, pki = os.environ["INSERTS_TEST_NODE_OPCUA"], plant.folder / "pki"
        arguments = [modules, plant.url, *plant.client, "plc", PASSWORD, pki]
        with printed.open("wb") as output:
            client = subprocess.Popen(["node", program, *arguments], stdout=output, stderr=subprocess.STDOUT)

        def told(name: str) -> list[dict[str, Any]]:
            lines = [text for text in printed.read_text(encoding="utf-8").splitlines() if text.startswith('{"')]
            return [value for text in lines if name in (value := json.loads(text))]

        try:
            wait_until(lambda: (told("watching") and told("write")) or client.poll() is not None, 60)
            (first,) = told("ns")
            assert first["ns"] == 2
            assert first["head"] == {
                "State": ["String", "replace"],
                "Evaluation": ["Int32", 2],
                "Replace": ["Int32", [2]],
                "Operation": ["String", "op-1"],
                "IsSimulated": ["Boolean", False],
                "PocketOutcome": ["String", ["intact", "damaged"]],
                "PocketEvaluation": ["Int32", [1, 2]],
            }
            assert told("results")[0]["results"] == [
                ["mill-1/H12", False, 1, "NotOK", "inserts.check"],
                ["mill-1/H12", True, 1, "NotOK", "inserts.verdict"],
                ["mill-1/H12", True, 1, "OK", "inserts.verdict"],
            ]
            assert told("write") == [{"write": "BadUserAccessDenied"}]
            line.send([("station-1", check("go"))])
            wait_until(lambda: told("sequence"), 30)
            (second,) = told("sequence")
            assert second["sequence"] == "UInt32"
            assert second["head"]["State"] == ["String", "go"], "it was written before Sequence was"
        finally:
            client.kill()
            client.wait()

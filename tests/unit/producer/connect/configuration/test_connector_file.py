"""The connector's file: what it may say, and a sentence for what it may not."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from producer.connect.configuration.connector_file import Configured, read_connector_file
from producer.connect.configuration.example_file import EXAMPLE
from producer.contract.plant_event import plant_event
from tests.integration.plant import check, fault, verdict
from tests.plant_news import NEWS

WEBHOOK = 'site = "p"\n[webhook.mes]\nurl = "https://mes.plant/in"\nsecret_files = ["s"]\nallow = ["mes.plant"]\n'

MQTT = 'site = "p"\n[mqtt.a]\nurl = "mqtts://h"\n'

OPCUA = (
    'site = "p"\n[opcua.a]\naddress = "opc.tcp://0.0.0.0:4840"\ncertificate_file = "c"\nkey_file = "k"\n'
    'users_file = "u"\ntrusted_folder = "t"\n'
)

PLC = (
    'site = "p"\n[plc.a]\nurl = "opc.tcp://h"\nsecurity = "none"\nheartbeat = "ns=2;s=B"\n'
    '[[plc.a.head]]\nmachine = "mill-1"\nhead = "H12"\nstate = "i=1"\nsequence = "i=2"\n'
)

SECOND_PLC = PLC.partition("\n")[2].replace("plc.a", "plc.b").replace("//h", "//H:4840")


def read(folder: Path, text: str) -> object:
    file = folder / "connect.toml"
    file.write_text(text, encoding="utf-8")
    return read_connector_file(file)


def test_the_example_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "connect.toml"
    file.write_text(EXAMPLE, encoding="utf-8")
    read = read_connector_file(file)
    assert [name for name, _ in read.sinks()] == ["broker", "mes", "cell", "mill-1"]
    assert {type(sink) for _, sink in read.sinks()} == set(get_args(Configured)), "each kind is in it"
    assert [str(network) for network in read.webhook["mes"].networks] == ["10.20.0.0/16"]


def test_a_system_is_told_the_kinds_and_machines_that_it_wants(tmp_path: Path) -> None:
    file = tmp_path / "connect.toml"
    file.write_text(WEBHOOK + 'kinds = ["check", "fault"]\nmachines = ["mill-1"]', encoding="utf-8")
    wants = read_connector_file(file).webhook["mes"].wants
    said = [verdict(1), check(), check(machine="mill-2"), fault(), NEWS[-1]]
    assert [wants(plant_event("p", "s", answer, 0.0)) for answer in said] == [False, True, False, True, False]


def test_a_system_that_shows_checks_is_told_of_changed_inserts(tmp_path: Path) -> None:
    file = tmp_path / "connect.toml"
    told = {}
    for kind in ("check", "verdict"):
        file.write_text(MQTT + f'kinds = ["{kind}"]', encoding="utf-8")
        told[kind] = read_connector_file(file).mqtt["a"].wants(plant_event("p", "", NEWS[-1], 0.0))
    assert told == {"check": True, "verdict": False}


def test_a_plc_is_told_the_checks_of_its_heads(tmp_path: Path) -> None:
    file = tmp_path / "connect.toml"
    file.write_text(PLC, encoding="utf-8")
    wants = read_connector_file(file).plc["a"].wants
    said = [verdict(1), check(), check(head="H13"), fault(), NEWS[-1]]
    assert [wants(plant_event("p", "s", answer, 0.0)) for answer in said] == [False, True, False, False, True]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('site = "p"', "names no system to tell"),
        ('[mqtt.a]\nurl = "mqtt://h"', "site: Field required"),
        ('site = "p"\n[mqtt.a]\nurl = "http://h"', "it must begin with mqtt:// or mqtts://"),
        (
            'site = "p"\n[mqtt.a]\nurl = "mqtt://me:secret@h"',
            "remove the part before the @: each client has a key",
        ),
        (MQTT + 'user = "u"', "user and password_file belong together"),
        (MQTT + 'password_file = "p"', "user and password_file belong together"),
        (MQTT + 'key_file = "k"', "key_file needs its cert_file"),
        (MQTT.replace("mqtts", "mqtt") + 'ca_file = "c"', "ca_file and cert_file are of mqtts://"),
        (MQTT + "kinds = []", "mqtt.a.kinds"),
        (MQTT + 'machines = "mill-1"', 'mqtt.a.machines: it must be a list, in brackets: ["…"]'),
        (MQTT + "machines = []", "mqtt.a.machines"),
        (WEBHOOK.replace('"mes.plant"]', '"127.0.0.1/8"]'), "is no network, 127.0.0.0/8 would be one"),
        (WEBHOOK.replace('"mes.plant"]', '"10.20.0.0/160"]'), "10.20.0.0/160 is no network; nor"),
        (WEBHOOK.replace('"mes.plant"]', '"10.20.0"]'), "nor is it an address or the name of a computer"),
        (WEBHOOK.replace('"mes.plant"]', '"*.plant"]'), "nor is it an address or the name of a computer"),
        (WEBHOOK.replace("https", "http") + 'ca_file = "c"', "ca_file is of https://"),
        (PLC + PLC[PLC.index("[[") :].replace("i=", "i=1"), "mill-1 H12 is there twice"),
        (PLC.replace("i=1", "i=2"), "i=2 is there twice: each variable of the PLC has one meaning"),
        (PLC.replace("i=1", "ns=0;i=02"), "i=2 is there twice"),
        (PLC.replace("i=1", "ns=02;s=B"), "ns=2;s=B is there twice"),
        (PLC.replace("i=1", "i=x"), "i=x is no NodeId: copy it from the PLC's server"),
        (MQTT + '[mqtt.b]\nurl = "mqtts://H:8883"', "mqtt.a and mqtt.b are one broker, at which a site is one client"),
        (PLC + SECOND_PLC, "plc.a and plc.b are one PLC: put all its heads into one of them"),
        ('site = "p"\n[mqtt.a]\nurl = "mqtt://h:x"', "it cannot be read"),
        ('site = "p"\n[mqtt."a b"]\nurl = "mqtt://h"', "mqtt.a b"),
        (WEBHOOK + 'kind = ["check"]', "webhook.mes.kind: Extra inputs are not permitted"),
        (WEBHOOK + '[mqtt.mes]\nurl = "mqtt://h"', "mes is there twice"),
        (WEBHOOK.replace('allow = ["mes.plant"]', "allow = []"), "webhook.mes.allow"),
        (OPCUA.replace("opc.tcp://0.0.0.0:4840", "http://h"), "it must begin with opc.tcp://"),
        (OPCUA.replace("trusted_folder", "trust"), "opcua.a.trusted_folder: Field required"),
        (OPCUA + OPCUA.partition("\n")[2].replace("[opcua.a]", "[opcua.b]"), "opcua: Dictionary should have at most 1"),
        (PLC.replace("none", "Basic256Sha256"), "certificate_file, key_file and server_certificate_file are needed"),
        (PLC.replace("[[plc", 'user = "u"\npassword_file = "p"\n[[plc'), "a password would be sent in the clear"),
        (PLC.replace("ns=2;s=B", "B"), "plc.a.heartbeat"),
        (PLC.partition("[[")[0], "plc.a.head: Field required"),
        ("site", "is no TOML"),
    ],
)
def test_what_it_may_not_say_is_said_in_words(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ValueError, match=r"connect\.toml") as error:
        read(tmp_path, text)
    assert words in str(error.value)
    assert "secret@" not in str(error.value)


def test_a_mistyped_kind_is_one_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"mqtt\.a\.kinds\.0: Input should be 'verdict', [^;]*$"):
        read(tmp_path, MQTT + 'kinds = ["chek"]')


def test_a_file_that_is_not_there_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="`insert-station connect example` prints one"):
        read_connector_file(tmp_path / "none.toml")

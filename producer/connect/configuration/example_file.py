"""A connector's file to begin with: `insert-station connect example`."""

from __future__ import annotations

from typing import Final

EXAMPLE: Final = """\
# The systems of the plant that receive the line's answers. `insert-station connect run` finds this file by
# INSERTS_CONNECT. Each system has a name of its own, by which `insert-station connect status` shows it.

site = "plant-1"                      # a part of every topic and of every event's source

[mqtt.broker]
url = "mqtts://broker.plant:8883"     # or mqtt://broker.plant:1883, in the clear
user = "inserts"
password_file = "/run/secrets/mqtt_password"
ca_file = "/etc/ssl/plant-ca.pem"     # left out: the authorities that the system trusts
version = "5"                         # or "3.1.1"
home_assistant = false                # true: heads appear in Home Assistant by themselves
commands = false                      # true: a client that may write to inserts/SITE/command can report insert changes

[webhook.mes]
url = "https://mes.plant/inserts"
# What `insert-station connect secret` printed. Two files, the new one first, while the receiver changes its secret.
secret_files = ["/run/secrets/mes_secret"]
allow = ["10.20.0.0/16"]              # the allowed addresses; a name, ["mes.plant"], allows its present address
# Left out: all of verdict, check, fault, model_change, fault_run, insert_change, hold, restored.
kinds = ["check", "fault"]
machines = ["mill-1"]                 # left out: all

[opcua.cell]                          # our own server, which PLCs, SCADA and MES read
address = "opc.tcp://0.0.0.0:4840"
# What `insert-station connect opcua certificate` made, or the plant's authority.
certificate_file = "/run/secrets/opcua/certificate.pem"
key_file = "/run/secrets/opcua/key.pem"
users_file = "/run/secrets/opcua/users"        # lines that `insert-station connect opcua user` printed
trusted_folder = "/run/secrets/opcua/trusted"  # certificates of the clients that may come
simulated_machines = ["sim-mill"]     # their results say that they are simulated; left out: this one

[plc.mill-1]                          # a PLC's own server: we write into its variables
url = "opc.tcp://plc-1.plant:4840"
security = "Basic256Sha256"           # Aes128Sha256RsaOaep, Aes256Sha256RsaPss; none: in the clear, without a password
certificate_file = "/run/secrets/opcua/certificate.pem"
key_file = "/run/secrets/opcua/key.pem"
server_certificate_file = "/run/secrets/opcua/plc-1.der"  # the PLC's: no other server is accepted
user = "inserts"
password_file = "/run/secrets/plc_password"
heartbeat = 'ns=3;s="Inserts"."Heartbeat"'
[[plc.mill-1.head]]
machine = "mill-1"
head = "H12"
state = 'ns=3;s="Inserts"."H12"."State"'
replace = 'ns=3;s="Inserts"."H12"."Replace"'       # this, review, operation and check_id may be left out
review = 'ns=3;s="Inserts"."H12"."Review"'
operation = 'ns=3;s="Inserts"."H12"."Operation"'
check_id = 'ns=3;s="Inserts"."H12"."CheckId"'      # a PLC that releases a head by itself must compare it
sequence = 'ns=3;s="Inserts"."H12"."Sequence"'     # written last
"""

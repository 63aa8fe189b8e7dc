"""Whether two parts of the connector's file are one PLC, by two names of it.

Their variables may be the same ones: the `go` of one head would be that of another. By the file alone nobody sees it,
for PLCs of one kind have the same NodeIds; but what is connected has one address. Each part notes its own in the
delivery log before it writes anything, and looks at those of the others.
"""

from __future__ import annotations

from producer.connect.deliveries.delivery_log import DeliveryLog


def require_own_plc(log: DeliveryLog, sink: str, address: str) -> None:
    """Note the address at which a sink is connected to its PLC, which no other sink of the file may have.

    Raises:
        ValueError: another one has it. Neither is let in from now on, until the file was mended and both were reached.
    """
    log.keep({}, {_note(sink): address})
    others = (state.name for state in log.sinks() if state.name != sink)
    if (other := next((name for name in others if log.note(_note(name)) == address), None)) is not None:
        raise ValueError(
            f"plc.{other} and plc.{sink} are one PLC, at {address}: put all its heads into one of them, and start anew"
        )


def _note(sink: str) -> str:
    return f"address of the PLC of {sink}"

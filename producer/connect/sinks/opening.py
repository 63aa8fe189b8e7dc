"""Opens each sink of the connector's file by its kind; what a kind needs is loaded where one is there."""

from __future__ import annotations

from producer.connect.configuration.connector_file import Configured, MqttSink, OpcuaSink, PlcSink
from producer.connect.deliveries.delivery_log import DeliveryLog
from producer.connect.insert_change_outbox import InsertChangeOutbox
from producer.connect.sinks.sink import Sink


def open_sink(
    name: str, site: str, configuration: Configured, deliveries: DeliveryLog, changes: InsertChangeOutbox
) -> Sink:
    """The sink that a part of the file describes; nothing is connected yet. What it hears of `changes` it keeps there.

    Raises:
        ValueError: a secret cannot be read.
    """
    if isinstance(configuration, MqttSink):
        from producer.connect.sinks.mqtt import Mqtt

        return Mqtt(name, site, configuration, deliveries, changes)
    if isinstance(configuration, OpcuaSink):
        from producer.connect.sinks.opcua import Opcua

        return Opcua(name, site, configuration, deliveries, changes)
    if isinstance(configuration, PlcSink):
        from producer.connect.sinks.plc import Plc

        return Plc(name, configuration, deliveries)
    from producer.connect.sinks.webhook import Webhook

    return Webhook(configuration)

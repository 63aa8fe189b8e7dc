"""How a broker is spoken to by TLS."""

from __future__ import annotations

import ssl

from producer.connect.configuration.connector_file import MqttSink
from producer.connect.sinks.sink import SinkAway
from producer.terminal.error_text import in_words


def trust(chosen: MqttSink) -> ssl.SSLContext:
    """Whom we trust, and how we prove who we are.

    Raises:
        SinkAway: a certificate cannot be read.
    """
    files = [file for file in (chosen.ca_file, chosen.cert_file, chosen.key_file) if file is not None]
    try:
        for file in files:
            file.read_bytes()  # whose error names it, as that of TLS does not
        files = files[:1]
        context = ssl.create_default_context(cafile=None if chosen.ca_file is None else str(chosen.ca_file))
        if chosen.cert_file is not None:
            files = [file for file in (chosen.cert_file, chosen.key_file) if file is not None]
            context.load_cert_chain(chosen.cert_file, chosen.key_file)
    except ssl.SSLError as error:
        raise SinkAway(f"{' or '.join(map(str, files))} is none that TLS can use: {error}") from error
    except OSError as error:
        raise SinkAway(in_words(error)) from error
    return context

"""Why a station hands in no photograph of a pocket (`producer.pictures.stand_in`)."""

from __future__ import annotations

from typing import Final

from producer.contract.reasons.template import Template

NO_PHOTOGRAPH: Final = Template("no photograph: {problem:reason}")
NO_REASON: Final = Template("the station does not say why")

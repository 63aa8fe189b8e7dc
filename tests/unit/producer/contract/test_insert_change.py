"""The command that tells of a changed insert."""

import json

import jsonschema
import pytest
from pydantic import ValidationError

from producer.contract.event import new_id
from producer.contract.insert_change import InsertChange
from producer.contract.json_schema import schema_text

SCHEMA = json.loads(schema_text("insert-change"))


def command(by: str) -> dict[str, object]:
    return {"change_id": str(new_id()), "machine": "mill-1", "head": "H12", "pocket": 7, "by": by}


@pytest.mark.parametrize("by", ["Müller", "A. Müller, 2. Schicht", " x ", "李"])
def test_whoever_has_a_name_may_tell(by: str) -> None:
    said = command(by)
    jsonschema.validate(said, SCHEMA)
    assert InsertChange.model_validate_json(json.dumps(said)).by == by


@pytest.mark.parametrize("by", ["a\0b", "Müller\0", "\0", "\x7f", "a\tb", "\x1b[31m", " ", ""])
def test_no_control_character_comes_as_a_name(by: str) -> None:
    said = command(by)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(said, SCHEMA)
    with pytest.raises(ValidationError):
        InsertChange.model_validate_json(json.dumps(said))

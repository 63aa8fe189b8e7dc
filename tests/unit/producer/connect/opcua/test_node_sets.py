"""Node sets of the user: what is taken, what is not, and how they are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from producer.connect.opcua.node_sets import (
    MACHINE_VISION,
    RESULT,
    checked_node_set,
    keep_node_set,
    kept_node_set,
)

GOOD = f"""<?xml version="1.0" encoding="utf-8"?>
<UANodeSet xmlns="http://opcfoundation.org/UA/2011/03/UANodeSet.xsd">
  <NamespaceUris><Uri>{MACHINE_VISION}</Uri></NamespaceUris>
  <Models><Model ModelUri="{MACHINE_VISION}" Version="1.0.0" PublicationDate="2019-07-11T10:18:27Z">
    <RequiredModel ModelUri="http://opcfoundation.org/UA/" Version="1.04" PublicationDate="2018-05-15T00:00:00Z"/>
  </Model></Models>
  <UADataType NodeId="ns=1;i=3021" BrowseName="1:ResultIdDataType">
    <Definition Name="1:ResultIdDataType"><Field Name="Id" DataType="i=31918"/></Definition>
  </UADataType>
</UANodeSet>
"""


def test_a_node_set_is_kept_by_its_digest_in_place_of_the_one_before(tmp_path: Path) -> None:
    assert kept_node_set(tmp_path) is None
    keep_node_set(tmp_path, checked_node_set(GOOD.encode()))
    node_set = checked_node_set(GOOD.replace("1.0.0", "1.1.0").encode())
    file = keep_node_set(tmp_path, node_set)
    assert kept_node_set(tmp_path) == node_set
    file.write_text(GOOD, encoding="utf-8")
    with pytest.raises(ValueError, match="is not what was imported"):
        kept_node_set(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("<UANodeSet", '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><UANodeSet', "has a document type"),
        ("</UANodeSet>", "", "it is no XML"),
        ("UANodeSet", "Other", "it is no node set"),
        (f'ModelUri="{MACHINE_VISION}"', f'ModelUri="{RESULT}"', "is used without its node set"),
        (f'ModelUri="{MACHINE_VISION}"', 'ModelUri="urn:x"', "it is the model urn:x"),
        ("</Uri>", "</Uri><Uri>urn:x</Uri>", "it has the namespaces"),
        ('ModelUri="http://opcfoundation.org/UA/"', 'ModelUri="http://opcfoundation.org/UA/DI/"', "it needs the model"),
        ('Version="1.04"', 'Version="1.06"', "it needs version 1.06"),
        ('NodeId="ns=1;i=3021"', 'NodeId="i=85"', "not in its own namespace"),
        ('Field Name="Id"', 'Field Name="Id: int = print(1) #"', "has the name"),
        ('Definition Name="1:ResultIdDataType"', 'Definition Name="a b"', "has the name"),
    ],
    ids=range(11),
)
def test_a_file_that_is_none_or_holds_what_it_must_not_is_refused_in_words(old: str, new: str, words: str) -> None:
    text = GOOD.replace(old, new)
    assert text != GOOD
    with pytest.raises(ValueError, match=words):
        checked_node_set(text.encode())

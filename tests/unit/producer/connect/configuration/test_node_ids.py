"""The one spelling of a NodeId."""

from __future__ import annotations

import pytest
from asyncua import ua

from producer.connect.configuration.node_ids import as_spelled, in_namespaces


@pytest.mark.parametrize(
    ("node", "spelled"),
    [
        ("i=05", "i=5"),
        ("ns=0;i=5", "i=5"),
        ("ns=03;s=a;ns=1;b=c", "ns=3;s=a;ns=1;b=c"),
        ('ns=3;s="Inserts"."H12"."State"', 'ns=3;s="Inserts"."H12"."State"'),
        ("ns=2;g=09087E75-8E5E-499B-954F-F2A9603DB28A", "ns=2;g=09087e75-8e5e-499b-954f-f2a9603db28a"),
        ("ns=1;b=M/RbKBsRVkePCePcx24oRA==", "ns=1;b=M/RbKBsRVkePCePcx24oRA=="),
    ],
)
def test_each_variable_is_spelled_in_one_way_and_stays_the_same(node: str, spelled: str) -> None:
    assert as_spelled(node) == as_spelled(spelled) == spelled
    assert ua.NodeId.from_string(node) == ua.NodeId.from_string(spelled)


def test_an_index_stands_for_a_namespace_wherever_that_comes() -> None:
    before, now = ["std", "urn:h:a", "urn:a", "urn:b"], ["std", "urn:h:b", "urn:b", "urn:a"]
    nodes = ["i=5", "ns=1;s=x", "ns=2;s=x;ns=3", "ns=3;i=1", "ns=4;i=1"]
    assert [in_namespaces(node, before, now) for node in nodes] == [*nodes[:2], "ns=3;s=x;ns=3", "ns=2;i=1", nodes[4]]
    with pytest.raises(ValueError, match="ns=3;i=1: the PLC has the namespace urn:b no more"):
        in_namespaces("ns=3;i=1", before, now[:2])

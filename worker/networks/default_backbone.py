"""The backbone that a line learns on where `INSERTS_BACKBONE` names none."""

from __future__ import annotations

from typing import Final

DEFAULT_BACKBONE: Final = (
    "efficientnet_lite0:"
    "block7_out+gap+max+min+mid+fg,block10_out+gap+max+min+mid+fg,block14_out+gap+max+min+mid+fg+int8"
)
"""What a line learns on where nothing else is set: its weights come with an installation.

Three depths see damage of three sizes; the average says how much of a channel there is, the largest and the smallest
value whether it is anywhere at all, however small; those of the middle once more, because a border often has a
background that says other things. Black around what was cut out says nothing. What else was tried is in
docs/learning.md.
"""

"""The backbone that a line learns on where `INSERTS_BACKBONE` names none."""

from __future__ import annotations

from typing import Final

DEFAULT_BACKBONE: Final = (
    "efficientnet_lite0:block7_out+gap+max+min+fg,block10_out+gap+max+min+fg,block14_out+gap+max+min+fg+int8"
)
"""What a line learns on where nothing else is set: its weights come with an installation.

Three depths see damage of three sizes; the average says how much of a channel there is, the largest and the smallest
value whether it is anywhere at all, however small. Black around what was cut out says nothing. What else was tried is
in docs/learning.md.
"""

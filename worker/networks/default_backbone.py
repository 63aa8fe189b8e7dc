"""The backbone that a line learns on where `INSERTS_BACKBONE` names none."""

from __future__ import annotations

from typing import Final

DEFAULT_BACKBONE: Final = "efficientnet_lite0:block7_out+gap+max,block10_out+gap+max,block14_out+gap+max+int8"
"""What a line learns on where nothing else is set: its weights come with an installation.

Three depths see damage of three sizes; the average says how much of a channel there is, the largest value whether it is
anywhere at all, however small. What else was tried is in docs/learning.md.
"""

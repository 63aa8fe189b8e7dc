"""Why a check is "review" though its captures are not: they contradict each other (`db.line.contradictions`)."""

from __future__ import annotations

from typing import Final

from producer.contract.reasons.template import Template

CONTRADICTION: Final = Template("contradiction: {parts:reasons}")
BEYOND: Final = Template("{pockets:pockets} of a check of {size:d}")
ELSEWHERE: Final = Template("{pockets:pockets} of {place:reason}")
SHARED: Final = Template("one and the same photograph of {pockets:pockets}")
TWO_KINDS: Final = Template("inserts {designations:and} in one check")
REPEATED: Final = Template(
    "the photograph of {pockets:pockets} is that of {before:reason} at {at:moment}: photograph it anew"
)
SEVERAL_REPEATED: Final = Template(
    "the photograph of {pockets:pockets} is that of {before:reason} at {at:moment}: photograph them anew"
)
TWO_RUNS: Final = Template(
    "pocket {pocket:d} was photographed at {first:moment} and, in another run, at {again:moment}, {old:pockets} only "
    "before that: photograph it too, and give each run a check_id of its own"
)
SEVERAL_OF_TWO_RUNS: Final = Template(
    "pocket {pocket:d} was photographed at {first:moment} and, in another run, at {again:moment}, {old:pockets} only "
    "before that: photograph them too, and give each run a check_id of its own"
)
BEFORE_A_RESTORE: Final = Template(
    "a backup was restored at {at:moment}, and {pockets:pockets} not photographed since: photograph them anew"
)

# Where else a capture is of, and of what a photograph was before.
MACHINE: Final = Template("machine {machine:name}, head {head:name}")
HEAD: Final = Template("head {head:name}")
OPERATION: Final = Template("operation {operation:name}")
OPERATION_ELSEWHERE: Final = Template("operation {operation:name} on {place:reason}")
POCKET: Final = Template("pocket {pocket:d}")
EARLIER_CHECK: Final = Template("an earlier check")

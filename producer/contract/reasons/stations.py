"""Why a station hands in no photograph of a pocket (`producer.pictures.stand_in`)."""

from __future__ import annotations

from typing import Final

from producer.contract.reasons.template import Template
from producer.files import file_kinds

NO_PHOTOGRAPH: Final = Template("no photograph: {problem:words}")
NO_REASON: Final = Template("the station does not say why")
IN_FILE: Final = Template("{file}: {problem:reason}")

# What is in the folder.
NOT_HANDED_IN: Final = Template("none of pocket {pocket:d} was handed in")
NOT_STORED: Final = Template("the photograph of pocket {pocket:d} cannot be stored: {problem}")
MISSING: Final = Template("no photograph of {pockets:ranges}")
FEWER_THAN_BEFORE: Final = Template(
    "no photograph of {pockets:ranges}: head {head:name} is known with {count:d} pockets, by the checks before. If "
    "it has fewer, say so with --check-size or in the head register (INSERTS_HEADS)"
)
UNFINISHED: Final = Template("no finished photograph of pocket {pocket:d}, only {names}")
OF_ANY_POCKET: Final = Template("{names} may be the newest photograph of any pocket")
OF_WHICH_POCKET: Final = Template(
    "{names}: of which pocket? Photographs are named by it, like 7.jpg: wait until it is, or take it out. It counts as "
    "pocket {pocket:d}, which never came"
)
IN_A_FOLDER: Final = Template(
    "{names}: photographs in a folder of their own, taken anew or earlier? Move them here, or away. They count as "
    "pocket {pocket:d}, which never came"
)
OTHER_PATH: Final = Template("{path} is not <machine>/<head>/<operation>/<pocket>{ending}")
NOT_IN_REGISTER: Final = Template(
    "there is no pocket {pocket:d}: head {head:name} has {count:d} (the head register says so)"
)
ABOVE_CHECK_SIZE: Final = Template(
    "there is no pocket {pocket:d}: head {head:name} has {count:d} (--check-size says so)"
)
POCKETS_OF_HEAD: Final = Template("the head has {count:,} pockets, so it was not handed in")
ONE_POCKET_OF_HEAD: Final = Template("the head has 1 pocket, so it was not handed in")
HEAD_IN_CAPITALS: Final = Template(
    "head {head:name} is not in {file}, but {other:name} is: write it as it is there, or enter {again:name} too"
)
HEAD_UNKNOWN: Final = Template(
    "nobody says how many pockets head {head:name} has: enter it in {file}, or give --check-size N"
)
HEAD_MISTYPED: Final = Template(
    "nobody says how many pockets head {head:name} has: is {meant:name} meant? Else enter it in {file}, "
    "or give --check-size N"
)

OF_STAND_INS: Final = (NO_PHOTOGRAPH, MISSING, FEWER_THAN_BEFORE, UNFINISHED)
"""What a verdict says of a stand-in, and of nothing else."""

# Which of several it is.
SEVERAL: Final = Template("pocket {pocket:d} is there {count:d} times, {names}: none was handed in, keep the right one")
TWINS: Final = Template("pocket {pocket:d} is there more than once, also as {names}: which?")
NEWER: Final = Template("a newer one may be on its way that nobody goes on with, {names}: which?")
THE_SAME: Final = Template("{names} are one and the same photograph: none was handed in, keep the right one")
THE_SAME_AS: Final = Template("it is one and the same photograph as {file}: hand in both pockets' own")
HANDED_IN_BEFORE: Final = Template(
    "{file} is the photograph of {before:reason}, handed in at {at:moment}: it was not handed in again, "
    "photograph pocket {pocket:d} anew"
)
HEAD_OF_MACHINE: Final = Template("head {head:name} of machine {machine:name}")

# The file.
NO_FILE: Final = Template("{file} is no file, or a link that leads nowhere")
UNREADABLE: Final = Template("{file} cannot be read: {problem}")
BEING_WRITTEN: Final = Template("{file} is being written: check again when it is finished")
EMPTY: Final = Template("{file} is empty")
TOO_LARGE: Final = Template("{file} has {size:,} bytes: a photograph has at most {most:,}")
OTHER_KIND: Final = Template("{file} is of a kind that the line cannot read: let the camera write {formats:or}")
RAW: Final = Template("a camera's raw data, which the line cannot read: let it write {formats:or}")
IT_IS: Final = Template("it is {what:reason}")
LINK: Final = Template(file_kinds.LINK)
FOLDER: Final = Template(file_kinds.FOLDER)
PIPE: Final = Template(file_kinds.PIPE)
DEVICE: Final = Template(file_kinds.DEVICE)

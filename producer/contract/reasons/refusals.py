"""Why what a person asked for was not done to models, faults, inserts, reviews and stations."""

from __future__ import annotations

from typing import Final

from producer.contract.reasons.template import Template

# Models and their roles.
NO_MODEL: Final = Template("there is no model '{model}'")
NOT_REGISTERED_TO_JUDGE: Final = Template("model '{model}' is not registered, so it cannot be put in charge")
NOT_REGISTERED_AS_SHADOW: Final = Template("model '{model}' is not registered, so it cannot be a shadow")
IN_CHARGE: Final = Template("model {model} is in charge already")
IN_CHARGE_SINCE: Final = Template("model {model} was put in charge meanwhile: look at it first")
NOT_IN_CHARGE: Final = Template("model {model} is not in charge")
IN_SHADOW: Final = Template("model {model} is in shadow already")
IN_SHADOW_SINCE: Final = Template("model {model} is in shadow meanwhile: look at it first")
NOT_IN_SHADOW: Final = Template("model {model} is not in shadow")
OWN_SHADOW: Final = Template("model '{model}' is in charge, so it cannot be its own shadow")
NO_NETWORK: Final = Template("model {model} was made before networks were files, and no worker can judge by it")
NEEDS_REASON: Final = Template("a change of the models needs a reason")
NEVER_IN_CHARGE: Final = Template("no model was ever in charge, so there is none to go back to")
NONE_BEFORE: Final = Template("there is no champion before {model}, so there is none to go back to")
ASKED_FOR: Final = Template("asked for with --promote")

# Faults.
NO_FAULT: Final = Template("there is no fault {fault:d}; `insert-db faults list` shows those there are")
FAULT_REQUEUED: Final = Template("fault {fault:d} is requeued, not open")
FAULT_DISMISSED: Final = Template("fault {fault:d} is dismissed, not open")
FAULT_CLOSED: Final = Template("fault {fault:d} is closed, not open")

# Changes of inserts.
NO_CHANGE: Final = Template("there is no change of an insert with the number {number:d}")
NOT_CHANGED: Final = Template(
    "nobody said that the insert of machine {machine:name}, head {head:name}, pocket {pocket:d} was changed"
)
NOT_CHANGED_THERE: Final = Template(
    "nobody said that the insert of machine {machine:name}, head {head:name}, pocket {pocket:d} was changed there"
)
UNKNOWN_POCKET: Final = Template("nothing is known of machine {machine:name}, head {head:name}, pocket {pocket:d}")
NOT_OF_POCKET: Final = Template(
    "capture {capture} is no photograph of machine {machine:name}, head {head:name}, pocket {pocket:d}"
)
NEWER_PHOTOGRAPH: Final = Template(
    "a newer photograph of machine {machine:name}, head {head:name}, pocket {pocket:d} has come: nothing was changed; "
    "look at it first"
)

# Questions about what the line never saw.
UNKNOWN_STATION: Final = Template("nothing is known of station {station:name}")
UNKNOWN_MACHINE: Final = Template("nothing is known of machine {machine:name}")
UNKNOWN_HEAD: Final = Template("nothing is known of head {head:name}")
UNKNOWN_HEAD_OF_MACHINE: Final = Template("nothing is known of machine {machine:name}, head {head:name}")

# Reviews and stations.
NOT_RECORDED: Final = Template("capture {capture} is not recorded, so it cannot be reviewed")
NO_PHOTOGRAPH: Final = Template(
    "nobody can say what capture {capture} shows, as its station handed in no photograph: it can only be unusable"
)
PHOTOGRAPH_NOT_READ: Final = Template(
    "nobody can say what capture {capture} shows, as its photograph could not be read: it can only be unusable until"
    " its fault is requeued"
)
PHOTOGRAPH_REMOVED: Final = Template(
    "nobody can say what capture {capture} shows, as its photograph was removed: it can only be unusable"
)
NOTHING_TO_ACCEPT: Final = Template(
    "nothing of station '{station}' is to be accepted: `insert-db drift` lists what was measured"
)

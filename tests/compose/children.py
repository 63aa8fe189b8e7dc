"""Run in a worker's container, with its heartbeat file: prints the worker's process id and those of its children."""

import json
import sys
from pathlib import Path

parent = json.loads(Path(sys.argv[1]).read_text())["pid"]
children = []
for file in Path("/proc").glob("[0-9]*/stat"):
    try:
        state, parent_of_it = file.read_text().rpartition(")")[2].split()[:2]
    except OSError:  # it has just ended
        continue
    if int(parent_of_it) == parent and state != "Z":
        children.append(int(file.parent.name))
print(json.dumps({"parent": parent, "children": sorted(children)}))

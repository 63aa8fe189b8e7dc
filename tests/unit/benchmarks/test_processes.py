import subprocess
import sys
import time

import psutil
import pytest

from benchmarks.processes import processor_seconds, proportional_bytes, tree

_PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "print('here', flush=True); input()"], stdin=subprocess.PIPE)
input()
"""


def test_a_process_that_was_never_started_has_no_tree():
    with pytest.raises(ValueError, match="not been started"):
        tree(None)


def test_the_processor_time_of_this_process_grows_while_it_works():
    own = [psutil.Process()]
    before, began = processor_seconds(own), time.process_time()
    while time.process_time() < began + 0.05:
        sum(range(10_000))
    assert processor_seconds(own) - before == pytest.approx(time.process_time() - began, abs=0.03)


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_the_children_belong_to_it_and_their_memory_counts():
    parent = subprocess.Popen([sys.executable, "-c", _PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"here\n"
        processes = tree(parent.pid)
        assert processes[0].pid == parent.pid
        assert len(processes) == 2
        one, both = proportional_bytes(processes[:1]), proportional_bytes(processes)
        assert 1e6 < one < both < 1e9
        assert both < sum(process.memory_info().rss for process in processes), "what they share counts once"
    finally:
        for process in tree(parent.pid):
            process.kill()
        parent.communicate()

import os
import signal
import time

import psutil
import pytest

from benchmarks.line_while_training import processor_seconds, training
from benchmarks.run import BENCHMARKS


def test_the_figures_about_learning_can_be_run():
    assert BENCHMARKS.keys() >= {"evaluation_gram", "reextract_1_percent", "train_memory", "line_while_training"}


@pytest.mark.skipif(os.name == "nt", reason="a process is stopped and continued")
def test_the_training_works_gives_way_and_stands_still_when_told(monkeypatch):
    monkeypatch.delenv("INSERTS_NICENESS", raising=False)
    with training(images=120, features=16) as process:
        watched = psutil.Process(process.pid)
        assert watched.nice() > psutil.Process().nice()
        process.send_signal(signal.SIGSTOP)
        deadline = time.monotonic() + 30
        while watched.status() != psutil.STATUS_STOPPED:
            assert time.monotonic() < deadline
        before = processor_seconds(process)
        process.send_signal(signal.SIGCONT)
        while processor_seconds(process) < before + 0.2:
            assert process.poll() is None
            assert time.monotonic() < deadline
    assert process.returncode == -signal.SIGKILL

"""Work in processes: the same for any number of them, shared among works, and gone when their parent is."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from symdiff_evaluation.core import parallel as processes
from symdiff_evaluation.core.parallel import map_items, map_portions, share_pool


def place(item):
    time.sleep(0.02)
    return os.getpid()


def running_sums(items):
    return [sum(items[: k + 1]) for k in range(len(items))]


def test_processes_do_not_matter(monkeypatch):
    items, told = list(range(23)), []
    want = map_portions(running_sums, items, 1, chunk=5)
    assert (
        want[:6] == [0, 1, 3, 6, 10, 5] and map_items(abs, [-1, 2, -3], 0) == [1, 2, 3] and map_items(abs, [], 2) == []
    )
    monkeypatch.setattr(processes, "_ALONE", 0)
    assert map_portions(running_sums, items, 2, told.append, chunk=5) == want and told == [5, 5, 5, 5, 3]
    with pytest.raises(TypeError):
        map_items(len, items, 2, chunk=1)


@pytest.mark.slow
def test_works_share_processes(monkeypatch):
    assert set(map_items(place, range(9), 2, chunk=1)) == {os.getpid()}  # less than a second's work
    monkeypatch.setattr(processes, "_ALONE", 0)
    with share_pool(), share_pool():
        first = set(map_items(place, range(9), 2, chunk=1))
        again = set(map_items(place, range(9), 2, chunk=1))
    assert os.getpid() not in first and len(first | again) <= 2
    assert not first & set(map_items(place, range(9), 2, chunk=1))


PROGRAM = """
import time
from symdiff_evaluation.core import parallel as processes
processes._ALONE = 0
processes.map_items(time.sleep, [0.01, 0.01, 600, 600], 2, lambda done: print(done, flush=True), chunk=1)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for processes in /proc")
def test_a_killed_parent_leaves_no_process():
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(Path(one).absolute()) for one in sys.path if one)}
    parent = subprocess.Popen([sys.executable, "-c", PROGRAM], env=environment, stdout=subprocess.PIPE, text=True)
    with parent:
        parent.stdout.readline()
        children = [int(pid) for pid in Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()]
        parent.send_signal(signal.SIGKILL)
    assert len(children) >= 2
    until = time.monotonic() + 60
    while any(_alive(pid) for pid in children) and time.monotonic() < until:
        time.sleep(0.1)
    assert not any(_alive(pid) for pid in children)


def _alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False

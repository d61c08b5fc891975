"""Work in processes with limits: each answer in its place, a limit costs one item, the number of workers nothing."""

import math
import os
import time

import pytest

from symdiff.errors import UserError
from symdiff_evaluation.core.limits import Limits, Undetermined, run_each


def work(item):
    if item == "crash":
        os._exit(3)
    if item == "memory":
        return len(bytearray(4 << 30))
    if item == "forever":
        while True:
            math.sqrt(2.0)
    if item == "sleep":
        time.sleep(60)
    if item == "mistake":
        raise KeyError("mine")
    if item == "user":
        raise UserError("not installed")
    return item * 2


@pytest.mark.slow
def test_each_answer_in_its_place_for_any_number_of_workers():
    items = [*range(40), "crash", 41, "forever", 43, "memory", *range(45, 80)]
    want = [item * 2 if isinstance(item, int) else {"forever": "time"}.get(item, item) for item in items]
    told = []
    assert run_each(work, items, Limits(workers=1, seconds=0.3, megabytes=512), told.append) == want
    assert sum(told) == len(items)
    few = [*range(70), "forever", *range(71, 140)]
    assert run_each(work, few, Limits(workers=3, seconds=0.3)) == [
        item * 2 if isinstance(item, int) else "time" for item in few
    ]
    assert run_each(work, [], Limits()) == [] and run_each(work, [1, 2], Limits(workers=0)) == [2, 4]


@pytest.mark.parametrize("workers", [0, 1])
def test_what_the_work_raises_costs_one_item(workers):
    found = run_each(work, [1, "mistake", 2], Limits(workers=workers))
    assert found == [2, "error: 'mine'", 4] and isinstance(found[1], Undetermined)
    with pytest.raises(UserError, match="not installed"):
        run_each(work, [1, "user"], Limits(workers=workers))


def test_one_that_waits_for_ever_is_given_up():
    found = run_each(work, ["sleep", 2], Limits(seconds=0.05))
    assert found == ["time", 4] and isinstance(found[0], Undetermined)

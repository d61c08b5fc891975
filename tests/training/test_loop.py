"""The loop as a whole: the same training whatever kills it and however many processes share it."""

from __future__ import annotations

import hashlib
import json
import math
import random
import signal
import time
from pathlib import Path

import pytest
import torch

from symdiff.errors import UserError
from symdiff.storage.run_states import Checkpoints
from symdiff.training.loop import Trainer
from tests.training.toy import Structures, Toy, observe, settings

STEPS, FIELDS = 60, ("loss", "gradient_norm", "learning_rate", "skipped", "mean", "weight")


def run(
    out: Path, resume: bool = False, toy: Toy | None = None, dropout: float = 0.1, look=observe, **changes
) -> Trainer:
    """A training in this process, as the program ``toy.py`` does it."""
    torch.manual_seed(0)
    out.mkdir(exist_ok=True)
    trainer = Trainer(toy or Toy(dropout), Structures(), settings(**changes), out, look)
    trainer.outcome = trainer.run(resume)
    return trainer


def digests(out: Path, step: int = STEPS) -> dict[str, str]:
    folder = out / "state" / f"step-{step:08d}"
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.glob("*.safetensors"))}


def lines(out: Path) -> list[tuple]:
    """The log without its clocks."""
    records = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [(r["kind"], r["step"], *(r.get(field) for field in FIELDS)) for r in records]


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """The uninterrupted training."""
    out = tmp_path_factory.mktemp("whole")
    run(out)
    return out


def test_it_learns_and_logs_every_step_once(whole):
    train = [line for line in lines(whole) if line[0] == "train"]
    assert [line[1] for line in train] == list(range(2, STEPS + 1, 2))
    assert [line[1] for line in lines(whole) if line[0] == "sample"] == list(range(10, STEPS + 1, 10))
    losses = [line[2] for line in train]
    assert sum(losses[-8:]) < 0.9 * sum(losses[:8])
    assert Checkpoints(whole / "state").steps() == [57, 60]


@pytest.mark.slow
def test_ten_kills_change_nothing(whole, tmp_path, start):
    out, chance, killed = tmp_path / "run", random.Random(5), 0
    for _ in range(10):
        process = start(out, resume=True, sleep=0.03)
        before = states(out)
        wait_for(lambda process=process, before=before: states(out) != before or not process.is_alive())
        time.sleep(chance.uniform(0, 0.1))
        process.kill()
        process.join()
        killed += process.exitcode == -signal.SIGKILL
    assert killed >= 8
    last = start(out, resume=True)
    last.join()
    assert last.exitcode == 0
    assert digests(out) == digests(whole)
    assert lines(out) == lines(whole)


@pytest.mark.slow
def test_a_stop_anywhere_changes_nothing(whole, tmp_path):
    """Every way to cut the training at the end of a step, without the cost of a process.

    By an error in the callback.
    """

    class Cut(Exception):
        pass

    for cut in (1, 2, 3, 20, 31, 59):
        out = tmp_path / str(cut)
        toy = Toy(0.1)
        toy.register_forward_hook(lambda module, *_, cut=cut: stop_at(int(module.calls), cut))

        def stop_at(step, cut):
            if step == cut:
                raise Cut

        with pytest.raises(Cut):
            torch.manual_seed(0)
            run(out, toy=seeded(toy))
        run(out, resume=True)
        assert digests(out) == digests(whole), cut
        assert lines(out) == lines(whole), cut


def seeded(toy: Toy) -> Toy:
    """The toy with the first weights that ``run`` gives."""
    torch.manual_seed(0)
    toy.load_state_dict(Toy(0.1).state_dict())
    return toy


def test_sampling_and_saving_do_not_touch_the_training(whole, tmp_path):
    run(tmp_path / "a", look=None, save={"every": 60}, log={"every": 7})
    assert digests(tmp_path / "a") == digests(whole)


@pytest.mark.slow  # starts torchrun: three interpreters that import torch
def test_two_processes_train_as_one(tmp_path, torchrun):
    choices = {"batch": {"size": 7}, "steps": 20, "compute": {"precision": "fp32"}}
    one = run(tmp_path / "one", dropout=0.0, look=None, **choices)
    code, said = torchrun(tmp_path / "two", 2, dropout=0.0, **choices)
    assert code == 0, said
    first, second = (json.loads((tmp_path / "two" / f"seen-{rank}.json").read_text()) for rank in (0, 1))
    asked = [a + b for a, b in zip(first["asked"], second["asked"], strict=True)]
    assert asked == one.structures.asked
    noise = [a + b for a, b in zip(first["noise"], second["noise"], strict=True)]
    assert noise == [n.double().sum(1).tolist() for n in one.diffusion.noise]
    for a, b in zip(lines(tmp_path / "one"), [x for x in lines(tmp_path / "two") if x[0] == "train"], strict=True):
        assert a[:2] == b[:2]
        assert a[2:6] == pytest.approx(b[2:6], rel=1e-3)
        assert a[4] == b[4]


@pytest.mark.slow
def test_sigterm_saves_and_says_so(whole, tmp_path, start):
    out = tmp_path / "run"
    process = start(out, sleep=0.05, save={"every": 1000})
    wait_for(lambda: (out / "log.jsonl").exists() and len((out / "log.jsonl").read_bytes()) > 500)
    process.terminate()
    process.join()
    assert process.exitcode == 128 + signal.SIGTERM
    (step,) = Checkpoints(out / "state").steps()
    assert 0 < step < STEPS
    run(out, resume=True)
    assert digests(out) == digests(whole)


@pytest.mark.slow
def test_broken_steps_are_skipped_and_counted_also_behind_a_resume(tmp_path):
    broken = (4, 5, 30)
    whole = run(tmp_path / "a", toy=seeded(Toy(0.1, broken)))
    assert whole.outcome.skipped == 3
    assert all(torch.isfinite(p).all() for p in whole.diffusion.parameters())
    assert lines(tmp_path / "a")[-2][5] == 3
    assert all(line[2] is None or math.isfinite(line[2]) for line in lines(tmp_path / "a"))
    run(tmp_path / "b", toy=seeded(Toy(0.1, broken)))
    (tmp_path / "b" / "state" / "step-00000060" / "state.json").write_text("")
    run(tmp_path / "b", resume=True, toy=Toy(0.1, broken))
    assert digests(tmp_path / "b") == digests(tmp_path / "a")
    assert lines(tmp_path / "b") == lines(tmp_path / "a")


def test_ten_broken_steps_stop_the_training(tmp_path):
    message = r"step 31: .* not finite 10 steps in a row; the last good state is .*step-00000030"
    with pytest.raises(UserError, match=message):
        run(tmp_path, toy=Toy(broken=tuple(range(21, 60))))
    assert Checkpoints(tmp_path / "state").latest()[0].step == 30
    with pytest.raises(UserError, match="step 31"):
        run(tmp_path, resume=True, toy=Toy(broken=tuple(range(21, 60))))


def rising(weight: float, begin: int, end: int = 10**9) -> Toy:
    """A toy whose loss is ``weight`` times as large from step ``begin`` to ``end``."""
    toy = seeded(Toy())
    toy.register_forward_hook(lambda module, _, losses: losses * (weight if begin < int(module.calls) <= end else 1.0))
    return toy


def test_a_loss_far_above_the_first_is_told_while_it_runs_and_at_the_end(tmp_path, capsys):
    """The last state before it stays, whatever is saved later; also behind a resume."""
    trainer = run(tmp_path, toy=rising(1e4, 31))
    assert "the loss is" in trainer.outcome.diverged and "at first" in trainer.outcome.diverged
    assert trainer.outcome.good == 30 and Checkpoints(tmp_path / "state").steps() == [30, 57, 60]
    (note,) = [
        record
        for record in map(json.loads, (tmp_path / "log.jsonl").read_text().splitlines())
        if record["kind"] == "note"
    ]
    assert note["step"] == 32 and note["text"].startswith("diverging: the loss is")
    assert "step 32  warning: diverging: the loss is" in capsys.readouterr().err
    again = run(tmp_path, resume=True, toy=rising(1e4, 31))
    assert (again.outcome.diverged, again.outcome.good, again.outcome.begin) == (trainer.outcome.diverged, 30, 60)


def test_a_loss_that_comes_back_has_not_diverged(tmp_path, capsys):
    outcome = run(tmp_path, toy=rising(1e4, 31, 40)).outcome
    assert not outcome.diverged and outcome.good == 60
    assert Checkpoints(tmp_path / "state").steps() == [57, 60]
    assert "step 42  no longer diverging: the loss is" in capsys.readouterr().err


def test_a_full_disk_is_told_in_one_line(tmp_path):
    """The system refuses to let a file grow, as a full disk would."""
    run(tmp_path, steps=20)
    before = digests(tmp_path, 20)
    resource = pytest.importorskip("resource", reason="no limits of file sizes on this system")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    log = (tmp_path / "log.jsonl").stat().st_size
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (700, limits[1]))
    try:
        with pytest.raises(
            UserError, match="could not be saved .File too large.; the last good state is .*step-00000020"
        ) as caught:
            trainer = Trainer(Toy(), Structures(), settings(), tmp_path, None)
            trainer._clock = time.monotonic()
            trainer.step = 21
            trainer.checkpoints.save(trainer.snapshot())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert "\n" not in str(caught.value)
    assert digests(tmp_path, 20) == before and (tmp_path / "log.jsonl").stat().st_size == log


def test_a_state_of_another_model_is_refused(tmp_path):
    run(tmp_path, steps=10)

    class Wider(Toy):
        def __init__(self):
            super().__init__()
            self.more = torch.nn.Linear(2, 2)

    with pytest.raises(UserError, match="another model"):
        Trainer(Wider(), Structures(), settings(steps=10), tmp_path).run(resume=True)


def states(out: Path) -> list[int]:
    return Checkpoints(out / "state").steps()


def wait_for(condition, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.005)

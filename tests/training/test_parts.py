"""The parts of the loop, each by its law."""

from __future__ import annotations

import json
import math
import os
import signal

import pytest
import torch
from torch import nn

from symdiff.errors import UserError
from symdiff.storage import sealed
from symdiff.storage.run_states import ENDINGS, Checkpoints, Snapshot
from symdiff.training.batches import WINDOW, Order, seed_for, share
from symdiff.training.divergence import Divergence
from symdiff.training.ema import Average
from symdiff.training.guard import LIMIT, Guard
from symdiff.training.log import Log
from symdiff.training.memory import keep_freed_memory
from symdiff.training.muon import PreciseMuon, orthogonalize
from symdiff.training.optimizer import Optimizer
from symdiff.training.schedule import learning_rate
from symdiff.training.signals import Interruption


@pytest.mark.parametrize(("size", "batch"), [(10, 3), (7, 7), (5, 12), (1, 4), (64, 16)])
def test_every_epoch_shows_every_structure_once_and_every_batch_is_full(size, batch):
    order = Order(size, batch, seed=4)
    steps = math.lcm(size, batch) // batch * 2
    batches = [order.batch(step) for step in range(steps)]
    assert all(len(b) == batch for b in batches)
    epochs = torch.cat(batches).view(-1, size)
    assert (epochs.sort(1).values == torch.arange(size)).all()


def test_the_order_depends_on_seed_and_epoch_and_not_on_the_way_there():
    order = Order(100, 30, seed=1)
    late = order.batch(9)
    assert torch.equal(late, Order(100, 30, seed=1).batch(9))
    assert not torch.equal(order.batch(0), Order(100, 30, seed=2).batch(0))
    assert not torch.equal(
        torch.cat([order.batch(k) for k in range(10)])[:100], torch.cat([order.batch(k) for k in range(10)])[100:200]
    )


def test_batches_by_size_hold_the_same_structures_and_pad_little():
    sizes = torch.randint(3, 30, (1000,), generator=torch.Generator().manual_seed(0))
    plain, grouped = Order(1000, 25, seed=3), Order(1000, 25, seed=3, sizes=sizes)
    windows = [torch.cat([order.batch(step) for step in range(WINDOW)]) for order in (plain, grouped)]
    assert torch.equal(windows[0].sort().values, windows[1].sort().values)
    filled = [sum(sizes[b].sum() for b in found) / sum(len(b) * sizes[b].max() for b in found)
              for found in ([order.batch(step) for step in range(80)] for order in (plain, grouped))]  # fmt: skip
    assert filled[0] < 0.65 and filled[1] > 0.88
    order_of_sizes = torch.tensor(
        [[float(sizes[grouped.batch(w * WINDOW + k)].float().mean()) for k in range(WINDOW)] for w in range(50)]
    )
    first = order_of_sizes.argmin(1).bincount(minlength=WINDOW).double()
    assert ((first - 50 / WINDOW) ** 2 / (50 / WINDOW)).sum() < 62  # chi-square with 15 degrees of freedom: p < 2e-7
    assert torch.equal(Order(1000, 25, seed=3, sizes=sizes).batch(33), grouped.batch(33))


def test_permutations_are_uniform():
    counts = torch.zeros(6)
    for seed in range(600):
        a, b, _ = Order(3, 3, seed).batch(0).tolist()
        counts[2 * a + (b > (a == 0))] += 1
    assert ((counts - 100) ** 2 / 100).sum() < 40  # chi-square with 5 degrees of freedom: p < 2e-7


@pytest.mark.parametrize(("rows", "world"), [(8, 2), (7, 2), (5, 4), (2, 3)])
def test_shares_are_a_partition(rows, world):
    parts = [list(range(rows))[share(rows, rank, world)] for rank in range(world)]
    assert sum(parts, []) == list(range(rows))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_uses_of_chance_have_different_seeds():
    seeds = {seed_for(seed, use) for seed in range(10) for use in ("order", "noise", "dropout", "samples")}
    assert len(seeds) == 40


def test_the_learning_rate_warms_up_and_falls_to_nothing():
    rates = [learning_rate(step, 100, 2.0, 10) for step in range(100)]
    assert rates[0] > 0 and max(rates) == rates[10] == 2.0 and rates[-1] < 1e-2
    assert all(a < b for a, b in zip(rates[:10], rates[1:11], strict=True))
    assert all(a > b for a, b in zip(rates[10:-1], rates[11:], strict=True))
    assert learning_rate(4, 5, 1.0, 5) == pytest.approx(5 / 6)


def test_the_average_is_the_written_out_sum():
    module = nn.Linear(2, 1, bias=False)
    average, expected = Average(module, 0.5), module.weight.detach().clone()
    for step, value in enumerate([1.0, 3.0, -2.0, 4.0]):
        nn.init.constant_(module.weight, value)
        average.update(step)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * value
    torch.testing.assert_close(average.weights["weight"], expected)
    with average.swap_in():
        torch.testing.assert_close(module.weight.detach(), expected)
    assert (module.weight == 4.0).all()


def with_new_storage(module: nn.Module) -> None:
    """As Accelerate's ``prepare_model`` and DistributedDataParallel may do."""
    for parameter in module.parameters():
        parameter.data = parameter.data.clone()


def with_new_parameters(module: nn.Module) -> None:
    """As ``Module.to`` does under ``torch.__future__.set_overwrite_module_params_on_conversion``."""
    for owner in module.modules():
        for name, parameter in owner._parameters.items():
            owner._parameters[name] = None if parameter is None else nn.Parameter(parameter.detach().clone())


@pytest.mark.parametrize("kind", ["adamw", "muon"])
@pytest.mark.parametrize("replace", [with_new_storage, with_new_parameters])
def test_what_a_wrapper_replaces_is_followed(kind, replace):
    """Weights, average and optimizer: nothing keeps a parameter, or its storage, that is no longer the module's."""

    def train(replace_before: tuple[int, ...]) -> tuple[dict, dict, dict]:
        torch.manual_seed(0)
        module = Blocks()
        average, optimizer = Average(module, 0.9), Optimizer(module, kind, 0.01)
        for step in range(6):
            if step in replace_before:
                replace(module)
            module.zero_grad()
            module(torch.randn(5, 4)).square().mean().backward()
            optimizer.step(0.1, torch.tensor(1.0), torch.tensor(0.0))
            average.update(step)
        with average.swap_in():
            averaged = {name: p.detach().clone() for name, p in module.named_parameters()}
        return dict(module.named_parameters()), averaged, optimizer.state()

    for one, other in zip(train(()), train((0, 3)), strict=True):
        assert one.keys() == other.keys() and one
        assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())


class Blocks(nn.Module):
    """Two matrices inside ``blocks`` and one outside."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Linear(4, 3)
        self.blocks = nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 3, bias=False)])

    def forward(self, x):
        return self.blocks[1](self.blocks[0](self.enter(x)))


def descend(kind: str, steps: int = 6, skipped: int = 3, clip: float = 1.0) -> tuple[Blocks, Optimizer]:
    """Steps on random regression whose gradients are far above ``clip``; the step ``skipped`` is not finite."""
    torch.manual_seed(0)
    module = Blocks()
    optimizer = Optimizer(module, kind, 0.01)
    for step in range(steps):
        module.zero_grad()
        module(torch.randn(5, 4) * 100).square().mean().backward()
        norm = torch.nn.utils.get_total_norm([p.grad for p in module.parameters()])
        if step == skipped:
            module.enter.weight.grad.fill_(math.nan)
            norm = torch.tensor(math.nan)
        optimizer.step(0.1, (norm / clip).clamp(min=1.0), torch.tensor(float(step == skipped)))
    return module, optimizer


def test_the_fused_step_clips_and_skips():
    """It does what clipping by the norm and leaving out the step would do."""
    torch.manual_seed(0)
    plain = Blocks()
    adamw = torch.optim.AdamW(
        [{"params": [p for p in plain.parameters() if p.ndim == d], "weight_decay": w} for d,
            w in ((2, 0.01), (1, 0.0))],
        lr=0.1, betas=(0.9, 0.99),
    )  # fmt: skip
    for step in range(6):
        adamw.zero_grad()
        plain(torch.randn(5, 4) * 100).square().mean().backward()
        if step != 3:
            torch.nn.utils.clip_grad_norm_(plain.parameters(), 1.0)
            adamw.step()
    ours, optimizer = descend("adamw")
    for a, b in zip(ours.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)
    assert optimizer.state()["enter.weight/step"] == 5


@pytest.mark.parametrize("kind", ["adamw", "muon"])
def test_a_skipped_step_changes_nothing(kind):
    one, first = descend(kind, steps=3, skipped=-1)
    other, second = descend(kind, steps=4, skipped=3)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert all(torch.equal(value, second.state()[key]) for key, value in first.state().items())


def test_muon_takes_the_matrices_of_the_blocks():
    state = descend("muon")[1].state()
    assert {key for key in state if key.endswith("momentum_buffer")} == {
        f"blocks.{k}.weight/momentum_buffer" for k in (0, 1)
    }
    assert {key.rpartition("/")[0] for key in state} == set(dict(Blocks().named_parameters()))


@pytest.mark.parametrize("shape", [(8, 8), (4, 12), (12, 4)])
def test_precise_muon_is_muon_without_its_rounding(shape):
    """Of PyTorch's steps up to bfloat16; a gradient that differs in its last digit gives a step that does so."""

    def train(kind: type, shift: float, steps: int = 5) -> torch.Tensor:
        draw = torch.Generator().manual_seed(0)
        weight = nn.Parameter(torch.randn(*shape, generator=draw))
        optimizer = kind([weight], lr=0.1, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
        for _ in range(steps):
            weight.grad = torch.randn(*shape, generator=draw) * (1 + shift * torch.randn(*shape, generator=draw))
            optimizer.step()
        return weight.detach()

    difference = (train(PreciseMuon, 0) - train(torch.optim.Muon, 0)).abs().max()
    assert 0 < difference < 0.05
    assert (train(PreciseMuon, 0) - train(PreciseMuon, 1e-7)).abs().max() < 1e-5
    singular = torch.linalg.svdvals(
        orthogonalize(
            torch.randn(*shape, generator=torch.Generator().manual_seed(1)), (3.4445, -4.775, 2.0315), 5, 1e-7
        )
    )
    assert singular.min() > 0.3 and singular.max() < 1.3


@pytest.mark.parametrize("kind", ["adamw", "muon"])
def test_only_matrices_decay(kind):
    groups = [g for part in Optimizer(Blocks(), kind, 0.1).parts for g in part.param_groups]
    assert all(g["weight_decay"] == (0.1 if p.ndim == 2 else 0.0) for g in groups for p in g["params"])
    assert sum(len(g["params"]) for g in groups) == 5


@pytest.mark.parametrize("kind", ["adamw", "muon"])
def test_the_state_of_the_optimizer_comes_back(kind):
    module, optimizer = descend(kind)
    fresh = Optimizer(module, kind, 0.01)
    fresh.restore(optimizer.state())
    assert fresh.state().keys() == optimizer.state().keys()
    assert all(torch.equal(value, fresh.state()[key]) for key, value in optimizer.state().items())


def test_the_guard_counts_and_latches():
    guard = Guard(torch.device("cpu"))
    losses = [1.0, math.nan, 1.0, *[math.inf] * LIMIT, 1.0]
    flags = [float(guard.check(k, torch.tensor(loss), torch.tensor(1.0))) for k, loss in enumerate(losses, 1)]
    assert flags == [float(not math.isfinite(loss)) for loss in losses]
    assert (guard.skipped, guard.stopped_at) == (LIMIT + 1, 3 + LIMIT)
    assert float(guard.check(99, torch.tensor(1.0), torch.tensor(math.nan))) == 1.0


def divergence(batch_size: int, losses: list[float]) -> Divergence:
    own = Divergence(batch_size, torch.device("cpu"))
    for step, loss in enumerate(losses):
        own.observe(step, torch.tensor(loss))
    return own


@pytest.mark.parametrize(("batch_size", "steps"), [(256, 1), (64, 1), (20, 4), (1, 10)])
def test_the_first_loss_is_the_median_over_enough_structures(batch_size, steps):
    own = divergence(batch_size, [5.0, 1.0, 3.0, 2.0, *[4.0] * 30, 1e9])
    assert own.first == {1: 5.0, 4: 2.0, 10: 4.0}[steps]
    assert not own.check(3 * own.first) and own.check(3.1 * own.first) and not own.check(math.nan)
    again = divergence(batch_size, [])
    again.restore(json.loads(json.dumps(own.state())))
    assert again.first == own.first


def test_losses_that_are_not_finite_or_negative_are_no_standard():
    assert divergence(20, [math.nan, math.inf, 2.0, math.nan]).first == 2.0
    lost = divergence(20, [math.nan] * 4)
    assert not lost.check(1e30) and lost.state() == [None] * 4
    negative = divergence(64, [-2.0])
    assert not negative.check(-5.0) and not negative.check(1.9) and negative.check(2.1)


def snapshot(step: int) -> Snapshot:
    return Snapshot(
        step, {"weights": {"a": torch.full((3,), float(step)), "b": torch.tensor(step)}}, {"skipped": 2, "x": 0.1}
    )


def test_states_come_back_and_the_last_two_are_kept(tmp_path):
    checkpoints = Checkpoints(tmp_path / "state")
    assert checkpoints.latest() == (None, [])
    for step in (5, 10, 15, 123456789):
        checkpoints.save(snapshot(step))
    assert sorted(p.name for p in (tmp_path / "state").iterdir()) == ["step-00000015", "step-123456789"]
    found, wrong = checkpoints.latest()
    assert (found.step, found.record["x"], wrong) == (123456789, 0.1, [])
    assert torch.equal(found.tensors["weights"]["a"], snapshot(123456789).tensors["weights"]["a"])
    checkpoints.save(snapshot(15))


@pytest.mark.parametrize("harm", ["cut", "flip", "lost", "extra", "no sums", "temporary"])
def test_a_damaged_state_is_passed_over_and_named(tmp_path, harm):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(snapshot(1))
    newest = checkpoints.save(snapshot(2))
    file = newest / "weights.safetensors"
    data = file.read_bytes()
    match harm:
        case "cut":
            file.write_bytes(data[:-3])
        case "flip":
            file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        case "lost":
            file.unlink()
        case "extra":
            (newest / "stray").write_text("")
        case "no sums":
            (newest / "SHA256SUMS").unlink()
        case "temporary":
            newest.rename(tmp_path / ".writing-00000002")
    found, wrong = checkpoints.latest()
    assert found.step == 1
    assert len(wrong) == (harm != "temporary")
    checkpoints.save(snapshot(3))
    assert sealed.damage(tmp_path / "step-00000003", ENDINGS) is None
    assert not list(tmp_path.glob(".*"))


def test_only_damaged_states_is_an_error(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    (checkpoints.save(snapshot(1)) / "state.json").write_text("{}")
    with pytest.raises(UserError, match="state.json was altered"):
        checkpoints.latest()


def test_a_failing_disk_leaves_the_state_before(tmp_path, monkeypatch):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(snapshot(1))

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        UserError,
        match=r"step 2 could not be saved \(No space left on device\); the last good state is .*step-00000001",
    ):
        checkpoints.save(snapshot(2))
    assert [p.name for p in tmp_path.iterdir()] == ["step-00000001"]
    assert checkpoints.latest()[0].step == 1


def test_the_log_forgets_what_came_after_the_state(tmp_path):
    path = tmp_path / "log.jsonl"
    log = Log(path)
    for step in (2, 4, 6):
        log.write("train", step, loss=step / 3)
    log.close()
    with path.open("ab") as file:
        file.write(b'{"kind": "train", "st')
    log = Log(path, 4)
    log.write("train", 6, loss=0.5)
    log.sync()
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [2, 4, 6]
    log.close()


def test_the_first_signal_is_noted_and_the_second_acts():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    with pytest.raises(KeyboardInterrupt), Interruption() as interruption:
        os.kill(os.getpid(), signal.SIGINT)
        assert interruption.received == signal.SIGINT
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def test_freed_memory_can_be_kept_or_the_answer_is_no():
    assert keep_freed_memory() in (True, False)

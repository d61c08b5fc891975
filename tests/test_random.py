"""Random numbers belong to their rows, and are uniform."""

from __future__ import annotations

import pytest
import torch

from symdiff.random import Streams, integers, mix, normal, uniform
from symdiff.testing import chi_square


def test_a_row_has_its_numbers_in_any_batch():
    together = Streams(5, torch.arange(10), epoch=3)
    first, second = uniform((10, 4), together), normal((10, 2, 3), together)
    for rows in (torch.tensor([7]), torch.tensor([9, 2, 0])):
        apart = Streams(5, rows, epoch=3)
        assert torch.equal(uniform((len(rows), 4), apart), first[rows])
        assert torch.equal(normal((len(rows), 2, 3), apart), second[rows])


def test_selected_streams_go_on_from_where_they_stand():
    streams = Streams(1, torch.arange(6))
    uniform((6,), streams)
    part = streams.select(torch.tensor([4, 1]))
    assert torch.equal(uniform((2, 3), part), uniform((6, 3), streams)[[4, 1]])


@pytest.mark.parametrize(("narrow", "wide"), [((4,), (9,)), ((4, 4), (9, 7)), ((2, 3, 2), (5, 8, 3))])
def test_padding_the_draw_keeps_what_was_drawn(narrow, wide):
    few, many = (Streams(0, torch.arange(3)).bits(*shape) for shape in (narrow, wide))
    assert torch.equal(few, many[:, *(slice(size) for size in narrow)])


def test_the_entries_of_a_draw_are_independent():
    rows = 20_000
    draws = (uniform((rows, 3, 3), Streams(3, torch.arange(rows))) * 8).long().flatten(1)
    for one in range(9):
        for other in range(one):
            cells = draws[:, one] * 8 + draws[:, other]
            assert chi_square(torch.bincount(cells, minlength=64), torch.ones(64)) > 1e-7


def test_rows_seeds_epochs_and_draws_differ():
    def draw(seed: int, row: int, epoch: int) -> list[float]:
        streams = Streams(seed, torch.tensor([row]), epoch)
        return [uniform((1,), streams).item(), uniform((1,), streams).item()]

    seen = [u for seed in (0, 1, -1) for row in (0, 1, 2) for epoch in (0, 1, 2) for u in draw(seed, row, epoch)]
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", ["streams", "torch", "none"])
def test_uniform_fills_the_open_interval_evenly(kind, dtype):
    rows = 20_000
    generator = {"streams": Streams(2, torch.arange(rows)), "torch": torch.Generator().manual_seed(2), "none": None}[
        kind
    ]
    if generator is None:
        torch.manual_seed(2)
    draws = uniform((rows, 5), generator, torch.empty(0, dtype=dtype))
    assert draws.dtype == dtype
    assert 0 < draws.min() < draws.max() < 1
    for view in (draws.flatten(), draws[:, 0], draws[:, 4]):
        assert chi_square(torch.bincount((view * 64).long(), minlength=64), torch.ones(64)) > 1e-6
    pairs = (draws[:, 0] * 8).long() * 8 + (draws[:, 1] * 8).long()
    assert chi_square(torch.bincount(pairs, minlength=64), torch.ones(64)) > 1e-6


@pytest.mark.parametrize("kind", ["streams", "torch"])
def test_integers_are_uniform_and_the_digits_of_uniform_numbers(kind):
    rows = 20_000

    def generator():
        return {"streams": Streams(8, torch.arange(rows)), "torch": torch.Generator().manual_seed(2)}[kind]

    draws = integers(52, (rows, 3), generator())
    assert draws.min() >= 0 and draws.max() < 2**52
    assert chi_square(torch.bincount((draws >> 46).flatten(), minlength=64), torch.ones(64)) > 1e-6
    if kind == "streams":
        exact = uniform((rows, 3), generator(), torch.empty(0, dtype=torch.float64))
        assert torch.equal((draws.double() + 0.5) * 2.0**-52, exact)


def test_neighboring_rows_and_epochs_are_independent():
    one, next_ = (
        uniform((20_000,), Streams(0, torch.arange(20_000))),
        uniform((20_000,), Streams(0, torch.arange(1, 20_001), 1)),
    )
    cells = (one * 8).long() * 8 + (next_ * 8).long()
    assert chi_square(torch.bincount(cells, minlength=64), torch.ones(64)) > 1e-6


def test_normal_has_the_normal_law():
    draws = normal((50_000, 2), Streams(4, torch.arange(50_000)), torch.empty(0, dtype=torch.float64)).flatten()
    cells = (torch.special.ndtr(draws) * 50).long()
    assert chi_square(torch.bincount(cells, minlength=50), torch.ones(50)) > 1e-6


def test_numbers_do_not_depend_on_the_machine():
    assert mix(torch.tensor([0, 1, -1])).tolist() == [0, 6238072747940578789, -5417735806833148549]
    assert Streams(0, torch.tensor([0])).bits(2).tolist() == [[1133422962717406637, 8782057392699995934]]


def test_mix_is_a_bijection():
    x = torch.arange(-50_000, 50_000) << 3
    assert len(mix(x).unique()) == len(x)


def test_streams_must_match_the_rows():
    with pytest.raises(ValueError, match="3 streams, the draw has 4 rows"):
        uniform((4,), Streams(0, torch.arange(3)))

"""Row r of a sample depends on the seed and r: not on the count, not on the batch size."""

from __future__ import annotations

import pytest
import torch
from scipy.stats import chisquare

from symdiff.config import recipe
from symdiff.domains.molecule import MolecularGraph
from symdiff.errors import UserError
from symdiff.pipeline import Pipeline, assemble
from symdiff.sampling.batches import BLOCK, padded_size, plan
from symdiff.sampling.request import Request, parse_sizes
from symdiff.state import node_mask
from symdiff.workers import each

SIZES = [0.0, 0.0, 0.1, 0.0, 0.1, 0.2, 0.1, 0.1, 0.1, 0.3]
TEXT = """\
name: small
data: {dataset: small-molecules}
denoiser: {kind: NodeTransformer, width: 64, layers: 2, heads: 4}
process: {kind: Flow, stochasticity: 2.0}
breaker: {kind: SymPE, canonicalizer: {kind: Stored}, code: {kind: NodeCode, nodes: 9, dim: 8}}
sampling: {steps: 4}
"""


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    torch.manual_seed(1)
    domain, chosen = MolecularGraph(["C", "N", "O", "F"]), recipe.load(TEXT)
    marginals = {"atom": [0.7, 0.1, 0.15, 0.05], "bond": [0.5, 0.3, 0.15, 0.05]}
    return Pipeline.of(assemble(chosen, domain, marginals), domain, SIZES, chosen)


def equal(one, other) -> bool:
    return torch.equal(one.mask, other.mask) and all(torch.equal(one[name], other[name]) for name in one.schema)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_batch_size_changes_nothing(pipeline, precision):
    want = pipeline.sample(Request(150, seed=3), precision=precision)
    for size in (1, 33, 64, 128):
        assert equal(pipeline.sample(Request(150, seed=3), batch_size=size, precision=precision).state(), want.state())


def test_the_count_changes_nothing(pipeline):
    few, many = pipeline.sample(Request(7, seed=3)).state(), pipeline.sample(Request(90, seed=3)).state()
    assert equal(few, type(few)(many.mask[:7], many.schema, {name: many[name][:7] for name in many.schema}))


def test_another_seed_gives_other_samples(pipeline):
    assert not equal(pipeline.sample(Request(20, 5, seed=3)).state(), pipeline.sample(Request(20, 5, seed=4)).state())


@pytest.mark.parametrize("threads", [1, 2])
def test_the_network_gives_a_row_the_same_result_in_every_batch(pipeline, threads):
    """Float32 products of other shapes may round otherwise; of the shapes that are sampled they do not."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        sizes = torch.arange(384) % 9 + 1
        mask = node_mask(sizes)
        x = pipeline.process.prior(mask)
        z, t = pipeline.breaker.prior(mask), torch.full((384,), 0.5)
        with torch.no_grad():
            whole = pipeline.denoiser(x, t, z)
            for rows in (slice(0, BLOCK), slice(BLOCK, 3 * BLOCK), slice(100, 100 + 8 * BLOCK)):
                part = pipeline.denoiser(x.select(rows), t[rows], z.select(rows))
                assert all(torch.equal(part[name], whole[name][rows]) for name in part.schema)
    finally:
        torch.set_num_threads(before)


def test_samples_are_well_formed(pipeline):
    samples = pipeline.sample(40)
    state = samples.state()
    assert len(samples) == 40 and state["bond"].max() < 4 and torch.equal(state["bond"], state["bond"].mT)
    assert [mol.GetNumAtoms() for mol in samples.objects()] == state.num_nodes.tolist()


def test_progress_adds_up(pipeline):
    done = []
    pipeline.sample(100, 3, batch_size=32, progress=done.append)
    assert sum(done) == pytest.approx(100)


# sizes


def test_sizes_follow_the_histogram():
    counts = Request(20_000).draw_sizes(SIZES).bincount(minlength=len(SIZES))
    expected = torch.tensor(SIZES) * 20_000
    assert counts[expected == 0].sum() == 0
    assert chisquare(counts[expected > 0], expected[expected > 0].double()).pvalue > 1e-6


def test_sizes_within_bounds_follow_the_histogram_there():
    counts = Request(20_000, (5, 8)).draw_sizes(SIZES).bincount(minlength=len(SIZES))
    expected = torch.tensor(SIZES[5:9], dtype=torch.float64)
    assert counts[5:9].sum() == 20_000
    assert chisquare(counts[5:9], expected / expected.sum() * 20_000).pvalue > 1e-6


def test_a_fixed_size_is_kept():
    assert Request(3, 7).draw_sizes(SIZES).tolist() == [7, 7, 7]


@pytest.mark.parametrize("bounds", [0, (10, 12), (8, 5), (0, 3), (3, 3)])
def test_sizes_that_cannot_be_are_refused(bounds):
    with pytest.raises(UserError, match="num_nodes"):
        Request(3, bounds).draw_sizes(SIZES)


def test_more_nodes_than_the_model_can_have_is_a_users_mistake(pipeline):
    with pytest.raises(UserError, match="cannot sample structures of up to 12 nodes: the code has 9 nodes"):
        pipeline.sample(Request(2, 12))


@pytest.mark.parametrize(
    "settings",
    [{"request": 0}, {"request": 1, "sampler": 0}, {"request": 1, "batch_size": 0}, {"request": 1, "precision": "fp8"}],
)
def test_values_out_of_range_are_refused(pipeline, settings):
    with pytest.raises(UserError):
        pipeline.sample(**settings)


def test_every_row_is_planned_once_and_fits():
    batches = plan(Request(500), SIZES, 40)
    assert torch.cat([batch.rows for batch in batches]).sort().values.tolist() == list(range(500))
    for batch in batches:
        assert len(batch.rows) <= 64 and batch.sizes.max() <= batch.nodes <= 9


def test_padding_is_bounded_and_depends_on_the_size_alone():
    for size in range(1, 400):
        padded = padded_size(size, 400)
        assert size <= padded <= max(size + 3, 1.25 * size)
        assert padded_size(padded, 400) == padded
    assert padded_size(8, 9) == 8 and padded_size(9, 9) == 9 and padded_size(12, 9) == 12


@pytest.mark.parametrize(("text", "sizes"), [(None, None), ("9", 9), ("5-9", (5, 9))])
def test_sizes_on_a_command_line(text, sizes):
    assert parse_sizes(text) == sizes


@pytest.mark.parametrize("text", ["", "a", "5-", "-5", "1-2-3", "5.5", "²"])
def test_bad_sizes_on_a_command_line(text):
    with pytest.raises(UserError, match="--num-nodes"):
        parse_sizes(text)


def test_batches_side_by_side_are_those_one_after_the_other(pipeline):
    threads = torch.get_num_threads()
    try:
        found = []
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            found.append(pipeline.sample(Request(100, seed=4), 3, batch_size=32, precision="bf16").state())
            assert torch.get_num_threads() == count
    finally:
        torch.set_num_threads(threads)
    assert all(equal(found[0], other) for other in found[1:])


def test_an_error_in_a_batch_reaches_the_caller():
    def fail(item: int) -> int:
        if item == 3:
            raise UserError("three")
        return item

    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        assert each(lambda item: item, range(5), torch.device("cpu")) == list(range(5))
        with pytest.raises(UserError, match="three"):
            each(fail, range(5), torch.device("cpu"))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)

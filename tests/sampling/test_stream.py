"""Samples are written block after block.

The file is the one that all of them at once give, and is whole or not there.
"""

from __future__ import annotations

import gc
import gzip
import weakref
from itertools import count

import numpy as np
import pytest
import torch

from symdiff.breaking.nothing import Nothing
from symdiff.cli import sample as verb
from symdiff.config import recipe
from symdiff.denoisers.lattice import LatticeConvolution
from symdiff.diffusion import Diffusion
from symdiff.domains.graph import Graph
from symdiff.domains.lattice import SpinLattice
from symdiff.domains.molecule import MolecularGraph
from symdiff.domains.molecule3d import Molecule3D
from symdiff.errors import UserError
from symdiff.pipeline import Pipeline, assemble
from symdiff.processes.masked import Masked
from symdiff.sampling import request as requests
from symdiff.sampling.chain import Chain
from symdiff.sampling.importance import Importance
from symdiff.sampling.request import Request
from symdiff.sampling.samples import Samples
from symdiff.sampling.stream import block_size, pack, unpack
from symdiff.state import Categorical, schema_to_plain
from symdiff.storage.atomic import open_output, write_file
from symdiff.storage.growing import Growing, split
from tests.sampling import worlds

FLAT = """\
name: small
data: {dataset: none}
denoiser: {kind: NodeTransformer, width: 64, layers: 1, heads: 4}
process: {kind: Flow}
breaker: {kind: SymPE, canonicalizer: {kind: Stored}, code: {kind: NodeCode, nodes: 9, dim: 4}}
sampling: {steps: 2}
"""
SPACE = """\
name: small
data: {dataset: none}
denoiser: {kind: InFrame, distances: 4, waves: 1, denoiser: {kind: NodeTransformer, width: 64, layers: 1, heads: 4}}
process:
  kind: Product
  parts:
    - {fields: [atom, bond], process: {kind: Flow}}
    - {fields: [position], process: {kind: Gaussian, schedule: {kind: FlowMatchEulerDiscrete}, centered: [position]}}
breaker: {kind: SymPE, anchor: none, canonicalizer: {kind: Frames, nodes: stored},
  code: {kind: FrameCode, nodes: 9, dim: 4}}
sampling: {steps: 2}
"""
SIZES = [0.0, 0.0, 0.1, 0.0, 0.1, 0.2, 0.1, 0.1, 0.1, 0.3]


def lattice() -> Pipeline:
    domain, schema = SpinLattice("square", conditions=["temperature"]), {"spin": Categorical("node", 2)}
    process = Masked(schema_to_plain(schema), evenly=True)
    noisy = schema_to_plain({**process.noisy_schema(), "temperature": domain.schema["temperature"]})
    return Pipeline.of(
        Diffusion(
            LatticeConvolution(schema_to_plain(schema), noisy, {}, lattice="square", width=16, layers=1),
            process,
            Nothing(),
        ),
        domain,
        [0.0] * 16 + [1.0],
    )


MODELS = {
    "molecules": (
        lambda: (FLAT, MolecularGraph(["C", "N", "O"]), {"atom": [0.7, 0.1, 0.2], "bond": [0.7, 0.2, 0.05, 0.05]}),
        (".smi", ".csv", ".sdf", ".npz", ".safetensors", ".graphml", ".smi.gz"),
    ),
    "graphs": (
        lambda: (FLAT, Graph(2, 3), {"node": [0.7, 0.3], "edge": [0.7, 0.2, 0.1]}),
        (".graphml", ".npz", ".safetensors"),
    ),
    "plain graphs": (lambda: (FLAT, Graph(), {"node": [1.0], "edge": [0.7, 0.3]}), (".graphml", ".npz")),
    "molecules3d": (
        lambda: (SPACE, Molecule3D(["H", "C", "O"]), {"atom": [0.5, 0.3, 0.2], "bond": [0.7, 0.1, 0.1, 0.1]}),
        (".sdf", ".xyz", ".extxyz", ".npz", ".xyz.gz", ".png"),
    ),
}


def model(name: str) -> Pipeline:
    torch.manual_seed(0)
    if name == "spins":
        return lattice()
    text, domain, marginals = MODELS[name][0]()
    chosen = recipe.load(text)
    return Pipeline.of(assemble(chosen, domain, marginals), domain, SIZES, chosen)


def request(pipeline: Pipeline, rows: int, seed: int = 3) -> Request:
    given = (
        pipeline.domain.options.read_condition({"temperature": "2.5", "size": "4"})
        if pipeline.domain.conditions
        else None
    )
    return Request(rows, condition=given, seed=seed)


def objects(pipeline: Pipeline, rows: int):
    return verb.objects(pipeline.stream(request(pipeline, rows), 2), [])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "ending"),
    [
        *((name, ending) for name, (_, endings) in MODELS.items() for ending in endings),
        ("spins", ".npz"),
        ("spins", ".png"),
    ],
)
def test_block_after_block_the_file_is_that_of_all_at_once(name, ending, tmp_path, monkeypatch):
    monkeypatch.setattr("symdiff.sampling.stream.LARGEST", 32)
    pipeline = model(name)
    assert len(list(pipeline.stream(request(pipeline, 70), 2))) == 3
    pipeline.sample(request(pipeline, 70), 2).write(tmp_path / f"whole{ending}")
    for portion in (4096, 7):
        monkeypatch.setattr(split, "__defaults__", (portion,))
        pipeline.domain.write(objects(pipeline, 70), tmp_path / f"parts{ending}")
        assert (tmp_path / f"parts{ending}").read_bytes() == (tmp_path / f"whole{ending}").read_bytes()


@pytest.mark.parametrize("name", [*MODELS, "spins"])
def test_an_error_between_two_blocks_leaves_nothing(name, tmp_path):
    pipeline = model(name)

    def broken():
        yield from pipeline.sample(request(pipeline, 5), 2).objects()
        raise UserError("no more")

    for ending in (*MODELS.get(name, ((), (".npz",)))[1],):
        if ending != ".png":
            write_file(tmp_path / f"a{ending}", "before")
            with pytest.raises(UserError, match="^no more$"):
                pipeline.domain.write(broken(), tmp_path / f"a{ending}")
    assert {path.name for path in tmp_path.iterdir()} == {
        f"a{ending}" for ending in MODELS.get(name, ((), (".npz",)))[1] if ending != ".png"
    }


@pytest.mark.parametrize("weighed", [False, True])
def test_samples_travel_between_processes_as_they_are(weighed):
    pipeline = model("spins" if weighed else "molecules3d")
    sampler = Importance(pipeline.diffusion, 4, pipeline.domain.log_density) if weighed else 2
    samples = pipeline.sample(request(pipeline, 40), sampler)
    again, state = unpack(pack(samples), pipeline.domain), samples.state()
    assert list(again.state().schema) == list(state.schema) and torch.equal(again.state().mask, state.mask)
    assert all(torch.equal(again.state()[name], state[name]) for name in state.schema)
    assert not weighed or torch.equal(again.weigh().log_weights, samples.weigh().log_weights)


@pytest.mark.parametrize("lost", [0, 5, 40, 70])
def test_a_chain_goes_on_from_block_to_block(lost, monkeypatch):
    """``lost``: so many of the first samples have no weight."""
    pipeline = lattice()
    samples = pipeline.sample(request(pipeline, 70), Importance(pipeline.diffusion, 4, pipeline.domain.log_density))
    weighted = samples.weigh()
    log_weights = torch.where(torch.arange(70) < lost, -torch.inf, weighted.log_weights)
    whole, parts = Chain(1), Chain(1)
    (one,) = whole([Samples(pipeline.domain, [weighted.x], [torch.arange(70)], [log_weights])])
    blocks = [
        Samples(pipeline.domain, [weighted.x.select(rows)], [rows], [log_weights[rows]])
        for rows in torch.arange(70).split(32)
    ]
    found = list(parts(blocks))
    assert [len(block) for block in found] == [32, 32, 6] and parts.effective_share == pytest.approx(
        whole.effective_share, nan_ok=True
    )
    assert torch.equal(torch.cat([block.state()["spin"] for block in found]), one.state()["spin"])
    expected = weighted.x["spin"][0 if lost == 70 else lost]
    assert torch.equal(one.state()["spin"][0], expected)
    if lost == 0:
        streams = requests.Streams(1, torch.arange(70), requests.CHAIN)
        assert torch.equal(one.state()["spin"], weighted.x.select(weighted.chain(streams))["spin"])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["molecules", "spins"])
def test_processes_share_the_rows_of_one_file(name, tmp_path):
    model(name).save(tmp_path / "checkpoint")
    options = ("--temperature", 2.5, "--size", 4, "--metropolis") if name == "spins" else ("--seed", 2)
    ending = "npz" if name == "spins" else "csv"
    for world in (1, 2, 3):
        (tmp_path / str(world)).mkdir()
        words = (
            "sample",
            tmp_path / "checkpoint",
            "--count",
            200,
            "--steps",
            3,
            *options,
            "--device",
            "cpu",
            "--out",
            tmp_path / str(world) / f"a.{ending}",
        )
        assert worlds.run(world, *words) == [0] * world
        assert sorted(path.name for path in (tmp_path / str(world)).iterdir()) == sorted(
            path.name for path in (tmp_path / "1").iterdir()
        )
        assert (tmp_path / str(world) / f"a.{ending}").read_bytes() == (tmp_path / "1" / f"a.{ending}").read_bytes()


# memory


def test_a_block_is_bounded():
    domain = MolecularGraph(["C", "N", "O"])
    assert block_size(domain, 9) == 8192 and block_size(domain, 500) == 64 and block_size(domain, 5000) == 32


@pytest.fixture
def frozen():
    """What is in memory by now is left out of ``gc.collect()``, which a hundred times would take minutes."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("frozen")
@pytest.mark.parametrize(
    ("name", "ending"),
    [(name, ending) for name, (_, endings) in MODELS.items() for ending in endings if ending != ".png"],
)
def test_writers_hold_few_structures_at_a_time(name, ending, tmp_path, monkeypatch):
    """A million molecules are 8 GB: what was written is let go."""
    monkeypatch.setattr(split, "__defaults__", (7,))
    pipeline, alive, most = model(name), weakref.WeakSet(), []
    few = pipeline.sample(Request(20), 2)

    def fresh():
        for _ in range(5):
            for obj in few.objects():
                gc.collect()  # graphs of networkx refer to themselves
                alive.add(obj)
                most.append(len(alive))
                yield obj

    pipeline.domain.write(fresh(), tmp_path / f"a{ending}")
    assert max(most) <= 20 + 7 + 7 and len(most) == 100


# storage


def test_what_is_written_in_parts_is_what_is_written_at_once(tmp_path):
    parts = [f"line {k} é\n" for k in range(5000)]
    for name in ("a.txt", "a.txt.gz"):
        write_file(tmp_path / name, "".join(parts))
        with open_output(tmp_path / f"b{name}") as output:
            for part in parts:
                output(part)
        assert (tmp_path / f"b{name}").read_bytes() == (tmp_path / name).read_bytes()
    assert gzip.decompress((tmp_path / "a.txt.gz").read_bytes()).decode() == "".join(parts)


def test_arrays_grow_on_the_disk(tmp_path):
    rows = np.arange(60, dtype=np.float32).reshape(10, 2, 3)
    with Growing(tmp_path) as arrays:
        for part in (rows[:0], rows[:4], rows[4:]):
            arrays.append("x", part)
        arrays.append("empty", np.zeros((0, 2), np.int8))
        assert np.array_equal(arrays["x"], rows) and arrays["x"].dtype == np.float32 and arrays["empty"].shape == (0, 2)
        assert "x" in arrays and "y" not in arrays and list(tmp_path.iterdir()) == []
        with pytest.raises(ValueError, match="x: expected float32"):
            arrays.append("x", rows.astype(np.float64))
    with pytest.raises(UserError, match="cannot be written"), Growing(tmp_path / "nowhere") as arrays:
        arrays.append("x", rows)


def test_items_are_split_as_they_come():
    numbers = count()
    portions = split(numbers, 3)
    assert next(portions) == [0, 1, 2] and next(numbers) == 3
    assert list(split([1, 2, 3, 4], 3)) == [[1, 2, 3], [4]] and list(split([], 3)) == []

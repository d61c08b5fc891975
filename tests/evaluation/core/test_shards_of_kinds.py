"""Every kind of samples in shards: killed and gone on with, by any number of workers, it gives the same folder."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import networkx
import numpy as np
import pytest

from symdiff_evaluation.core.command import run
from symdiff_evaluation.core.evaluation import evaluate
from symdiff_evaluation.core.execution import Execution
from symdiff_evaluation.core.limits import Undetermined
from symdiff_evaluation.core.shards import Shards
from symdiff_evaluation.core.write import format_metrics, write
from symdiff_evaluation.graphs.forms import hash_forms
from symdiff_evaluation.graphs.graph import SimpleGraph
from symdiff_evaluation.graphs.works import identity as identity_of_graph
from symdiff_evaluation.molecules3d.works import identity as identity_of_geometry

SMILES = (
    "\n".join([*(f"{'C' * (k % 9 + 1)}{'NOF'[k % 3]}" for k in range(40)), "C.C", "C(", "", "c1ccccc1Cc1ccccc1"]) + "\n"
)
FRAMES = (
    "3\n\nO 0 0 0.119\nH 0 0.763 -0.477\nH 0 -0.763 -0.477\n",
    "5\n\nC 0 0 0\nH 0.629 0.629 0.629\nH -0.629 -0.629 0.629\nH -0.629 0.629 -0.629\nH 0.629 -0.629 -0.629\n",
    "4\n\nC 0 0 0\nH 1.08 0 0\nH -0.54 0.935 0\nH -0.54 -0.935 0\n",  # a radical
    "1\n\nNe 0 0 0\n",  # every rotation is its own
    "2\n\nCl 0 0 0\nH 0 0 1.27\n",  # no element of EDM's tables
    "2\n\nC 0 0 0\nXx 0 0 1\n",
    "5\n\nC 0 0 0\nF 1.35 0 0\nCl -0.59 1.66 0\nBr -0.65 -0.92 1.59\nH -0.36 -0.51 -0.89\n",
)
FEW = """name: few
about: Some of them.
samples: 100
reference: none
kind: molecule-3d
metrics: [edm.molecule_stability, perceived.validity, perceived.undetermined, shape.asymmetric_share, shape.log_order]
"""


def put_graphs(path, count, seed, **more):
    """Random labeled trees; record 3 joins a node to itself, record 5 has a cycle."""
    generator = np.random.default_rng(seed)
    edges = [np.array([(generator.integers(0, v), v) for v in range(1, 6 + k % 4)]) for k in range(count)]
    edges[2] = np.array([[0, 0]])
    edges[4] = np.array([[0, 1], [1, 2], [0, 2]])
    sizes = [int(part.max()) + 1 for part in edges]
    ptr = np.cumsum([0, *map(len, edges)])
    labels = generator.integers(0, 2, sum(sizes))
    np.savez(path, num_nodes=sizes, edge_ptr=ptr, edges=np.concatenate(edges), node_label=labels, **more)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kinds")
    (folder / "a.smi").write_text(SMILES)
    (folder / "a.xyz").write_text("".join(FRAMES))
    (folder / "many.xyz").write_text("".join(FRAMES) * 14)
    (folder / "few.yaml").write_text(FEW)
    put_graphs(folder / "a.npz", 20, 0)
    put_spins(folder / "s.npz", 60, 2)
    put_graphs(folder / "tree.npz", 30, 1, split=np.repeat([0, 2], [20, 10]))
    return folder


PROGRAM = """
import os, signal, sys
from symdiff_evaluation.core import parallel as processes, shards
from symdiff_evaluation.core.command import run
from symdiff_evaluation.core.execution import Execution
from symdiff_evaluation.core.shards import Shards
from symdiff_evaluation.graphs import works as graphs
from symdiff_evaluation.spins import works as spins

file, protocol, reference, workers, size, stop = sys.argv[1:]
write, written = shards._write, []

def counted(*given):
    write(*given)
    written.append(1)
    if len(written) == int(stop):
        os.kill(os.getpid(), signal.SIGKILL)

shards.SHARD, shards._write = int(size), counted
processes._ALONE, graphs._CHUNK, spins._MOST = 0, 4, 8  # so that there is something for other processes
run([file], "out", protocol, reference, execution=Execution(int(workers), Shards("s")))
print(len(written), file=sys.stderr)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "protocol", "reference", "size", "stop", "rest"),
    [
        ("a.smi", "molecule-graph", "none", 7, 3, 4),
        (
            "many.xyz",
            "few.yaml",
            "none",
            16 * 70,
            2,
            3,
        ),  # of 84 molecules: one shard by EDM's rule, two each of bonds and shapes
        ("a.npz", "graph", "tree.npz", 16 * 12, 4, 6),  # of 19 graphs: two shards each of five works
        ("s.npz", "lattice", "none", 2048 * 3, 1, 2),  # of 59 configurations: eight blocks
    ],
)
def test_a_killed_command_goes_on(place, tmp_path, monkeypatch, file, protocol, reference, size, stop, rest):
    """SIGKILL in the middle.

    The second run works on what is left, with other workers, writes the same folder and cleans up.
    """
    for source in place.iterdir():
        (tmp_path / source.name).symlink_to(source)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(Path(one).absolute()) for one in sys.path if one)}

    def command(workers, stop):
        given = [sys.executable, "-c", PROGRAM, file, protocol, reference, str(workers), str(size), str(stop)]
        return subprocess.run(given, cwd=tmp_path, env=environment, capture_output=True, text=True)

    killed = command(1, stop)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert len(list((tmp_path / "s").rglob("*.json.gz"))) == stop and not (tmp_path / "out").exists()
    done = command(3, 99)
    assert done.returncode == 0 and done.stderr.strip() == str(rest), done.stderr
    assert not (tmp_path / "s").exists()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("symdiff_evaluation.spins.works._MOST", 8)
    run([file], tmp_path / "whole", protocol, reference, execution=Execution())
    for name in ("metrics.json", "samples.csv", "report.html"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


WORKS = ("edm", "perceptions", "strains", "shapes")


def test_molecules_in_space_are_read_back_as_they_were(place, tmp_path, monkeypatch):
    """Without limits on processes, so that it can be counted; two molecules in a shard, one of them undetermined."""
    from symdiff_evaluation.molecules3d import perception, works

    monkeypatch.setattr("symdiff_evaluation.core.shards.SHARD", 16 * 2)
    real, each, calls = perception.perceive, works.run_each, []
    monkeypatch.setattr(
        perception, "perceive", lambda one: Undetermined("iterations") if len(one.numbers) == 4 else real(one)
    )
    monkeypatch.setattr(
        works, "run_each", lambda work, items, *more: calls.append(len(items)) or each(work, items, *more)
    )
    file, shards = [place / "a.xyz"], Shards(tmp_path / "s")
    whole = evaluate(file, execution=Execution(0))
    made, told = evaluate(file, execution=Execution(0, shards)), []
    write(made, tmp_path / "made")
    calls.clear()
    again = evaluate(file, execution=Execution(0, shards, lambda count, what="": None, told.append))
    write(again, tmp_path / "again")
    assert not calls and sum(told) == 4 * 6
    for name in WORKS:
        assert (
            repr(getattr(whole.samples, name))
            == repr(getattr(made.samples, name))
            == repr(getattr(again.samples, name))
        ), name
    for name in ("metrics.json", "samples.csv", "report.html"):
        assert (tmp_path / "made" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    assert format_metrics(again) == format_metrics(whole)
    path = tmp_path / "s" / "shapes" / "000001.json.gz"
    path.write_bytes(path.read_bytes()[:-9])
    assert format_metrics(evaluate(file, execution=Execution(0, shards))) == format_metrics(whole) and calls == [2]


def test_graphs_are_read_back_as_they_were(place, tmp_path, monkeypatch):
    from symdiff_evaluation.graphs import works

    monkeypatch.setattr("symdiff_evaluation.core.shards.SHARD", 16 * 8)
    real, calls = works.find_automorphisms, []
    monkeypatch.setattr(
        works, "find_automorphisms", lambda graph: calls.append(graph) or (real(graph) if graph.num_nodes < 9 else None)
    )
    file, reference, shards = [place / "a.npz"], place / "tree.npz", Shards(tmp_path / "s")
    whole = evaluate(file, reference=reference)
    made = evaluate(file, reference=reference, execution=Execution(shards=shards))
    rows = list(whole.kind.list_rows(whole.samples, whole.reference))
    assert rows == list(made.kind.list_rows(made.samples, made.reference)) and format_metrics(made) == format_metrics(
        whole
    )
    calls.clear()
    again = evaluate(file, reference=made.reference, execution=Execution(shards=shards))
    assert rows == list(again.kind.list_rows(again.samples, again.reference)) and format_metrics(
        again
    ) == format_metrics(whole)
    assert not calls and None in again.samples.symmetries
    path = tmp_path / "s" / "symmetry" / "000002.json.gz"
    path.write_bytes(b"\x1f\x8b" + path.read_bytes())
    assert (
        format_metrics(evaluate(file, reference=made.reference, execution=Execution(shards=shards)))
        == format_metrics(whole)
        and len(calls) == 3
    )


def test_a_hash_does_not_depend_on_its_portion():
    """Graphs that are regular, which takes a search, and of several sizes."""
    graphs = []
    for n in (8, 10, 9, 16, 13, 10, 12):
        edges = sorted(tuple(sorted(edge)) for edge in networkx.random_regular_graph(4, n, seed=n).edges)
        graphs.append(SimpleGraph(n, np.array(edges)))
    together = hash_forms(graphs)
    assert together[1] == together[5] and len(set(together.tolist())) == 6
    assert np.array_equal(together, np.concatenate([hash_forms([graph]) for graph in graphs]))


def test_identities_tell_items_apart(place):
    samples = evaluate([place / "a.xyz"], place / "few.yaml", execution=Execution(0)).samples
    one = samples[1]
    others = [
        one._replace(charge=-1),
        one._replace(numbers=one.numbers[::-1]),
        one._replace(positions=one.positions + 1e-15),
        samples[0],
    ]
    assert len({identity_of_geometry(item) for item in (one, *others)}) == 5
    edges, labels = np.array([[0, 1], [1, 2]]), np.array([0, 1])
    graphs = [
        SimpleGraph(3, edges),
        SimpleGraph(4, edges),
        SimpleGraph(3, edges[:1]),
        SimpleGraph(2, edges[:1], labels),
        SimpleGraph(2, edges[:1], None, labels[:1]),
    ]
    assert len({identity_of_graph(graph) for graph in graphs}) == 5


def put_spins(path, count, seed, **more):
    """On a 4 x 4 lattice, record 3 with a zero."""
    spins = np.random.default_rng(seed).choice(np.array([-1, 1], np.int8), (count, 4, 4))
    spins[2, 1, 1] = 0
    np.savez(path, spins=spins, temperature=np.repeat([2.0, 3.0], [count - 9, 9]), **more)


@pytest.mark.slow
def test_configurations_are_read_back_as_they_were(place, tmp_path, monkeypatch):
    """Each sample with couplings of its own; two blocks of eight in a shard."""
    from symdiff_evaluation.spins import works

    monkeypatch.setattr(works, "_MOST", 8)
    monkeypatch.setattr("symdiff_evaluation.core.shards.SHARD", 2 * works._COST)
    real, calls = works.observe, []
    monkeypatch.setattr(works, "observe", lambda block: calls.append(len(block)) or real(block))
    put_spins(
        tmp_path / "own.npz",
        40,
        3,
        coupling=np.random.default_rng(4).choice([-1.0, 1.0], (40, 4, 4, 2)),
        field=np.ones((4, 4)),
    )
    file, shards = [tmp_path / "own.npz"], Shards(tmp_path / "s")
    whole = evaluate(file)
    made, told = evaluate(file, execution=Execution(shards=shards)), []
    rows = list(whole.kind.list_rows(whole.samples, None))
    assert rows == list(made.kind.list_rows(made.samples, None)) and format_metrics(made) == format_metrics(whole)
    assert len(list((tmp_path / "s").rglob("*.json.gz"))) == 3
    calls.clear()
    again = evaluate(file, execution=Execution(1, shards, lambda count, what="": None, told.append))
    assert (
        rows == list(again.kind.list_rows(again.samples, None))
        and format_metrics(again) == format_metrics(whole)
        and not calls
        and told == [16, 16, 7]
    )
    path = tmp_path / "s" / "observations" / "000002.json.gz"
    path.write_bytes(path.read_bytes()[:-9])
    assert format_metrics(evaluate(file, execution=Execution(shards=shards))) == format_metrics(whole) and calls == [7]


def test_several_blocks_are_one(monkeypatch):
    """Every observable of a block is that of the function that it is named after, for any blocks."""
    from symdiff_evaluation.spins import works
    from symdiff_evaluation.spins.correlation import powers_near, structure_factor, two_point
    from symdiff_evaluation.spins.observables import order_parameter, waves
    from symdiff_evaluation.spins.samples import from_arrays
    from symdiff_evaluation.spins.symmetry import images, space_group, stabilizer_orders

    rng = np.random.default_rng(0)
    s = rng.choice(np.array([-1, 1], np.int8), (30, 4, 6))
    spins = from_arrays({"spins": s, "coupling": np.array([1.0, 0.5]) * np.ones((4, 6, 2))})
    monkeypatch.setattr(works, "_MOST", 7)
    found, group = spins.observations, space_group((4, 6))
    assert (
        np.array_equal(found.stabilizer, stabilizer_orders(s, group)) and (found.symmetries == spins.group.order).all()
    )
    assert np.array_equal(found.kept, stabilizer_orders(s, spins.group))
    assert np.array_equal(np.stack([found.least, found.own]), np.stack(images(s, spins.group)))
    assert np.allclose(found.structure_factor, structure_factor(s), atol=1e-12)
    for k, wave in enumerate(waves((4, 6))):
        assert np.array_equal(found.orders[:, k], order_parameter(s, wave)) and np.allclose(
            found.powers[:, k], powers_near(s, wave), atol=1e-12
        )
    assert all(np.allclose(found.lines[axis], two_point(s, axis), atol=1e-12) for axis in (0, 1))
    for one in (spins, *spins.parts):
        again = works.restore(json.loads(json.dumps(works.to_plain(one.observations))))
        assert all(
            np.array_equal(getattr(again, name), getattr(found, name))
            for name in ("energy", "powers", "least", "power")
        )


def test_more_records_than_blocks(tmp_path):
    """What is kept without being asked goes by the number of configurations."""
    put_spins(tmp_path / "a.npz", 20, 0)
    evaluate([tmp_path / "a.npz"], execution=Execution(shards=Shards(tmp_path / "s", above=19)))
    assert not (tmp_path / "s").exists()  # 19 are sound
    evaluate([tmp_path / "a.npz"], execution=Execution(shards=Shards(tmp_path / "s", above=18)))
    assert len(list((tmp_path / "s").rglob("*.json.gz"))) == 1

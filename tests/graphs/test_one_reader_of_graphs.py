"""One reader a format: graphs and spins get the same verdict in the same words from import and from evaluation."""

from __future__ import annotations

import gzip
import io
from collections import Counter
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from safetensors.numpy import save
from typer.testing import CliRunner

from symdiff.cli.main import app
from symdiff.data import importing
from symdiff.data.importer import ImportSettings
from symdiff.data.importing import import_files
from symdiff.domains.graph import Graph
from symdiff.domains.kinds import recognize
from symdiff.errors import UserError
from symdiff.graphs.files import read_graphs
from symdiff_evaluation.core.evaluation import evaluate
from symdiff_evaluation.core.kinds import load_kind
from symdiff_evaluation.core.sample_files import SampleFiles

CASES = Path(__file__).parents[1] / "cases"
RING = nx.to_numpy_array(nx.cycle_graph(5), dtype=int)
PATH = nx.to_numpy_array(nx.path_graph(3), dtype=int)


def npz(**arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{name: np.asarray(value) for name, value in arrays.items()})
    return buffer.getvalue()


def npy(array) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(array))
    return buffer.getvalue()


def columns(**changes) -> dict:
    """Two paths and a triangle."""
    whole = {
        "num_nodes": [2, 3, 3],
        "edge_ptr": [0, 1, 3, 6],
        "edges": [[0, 1], [0, 1], [1, 2], [0, 1], [1, 2], [0, 2]],
        **changes,
    }
    return {name: np.asarray(value) for name, value in whole.items() if value is not None}


def graphml(*graphs) -> bytes:
    return (
        b"".join(line.encode() + b"\n" for line in nx.generate_graphml(graphs[0]))
        if len(graphs) == 1
        else _several(graphs)
    )


def _several(graphs) -> bytes:
    writer = nx.readwrite.graphml.GraphMLWriter()
    writer.add_graphs(graphs)
    buffer = io.BytesIO()
    writer.dump(buffer)
    return buffer.getvalue()


def labeled(label, graph=None):
    graph = graph or nx.path_graph(3)
    graph.nodes[1]["label"] = label
    return graph


def dump(*blocks) -> bytes:
    """As DiGress writes them: ``(labels of nodes, matrix)``."""
    text = ""
    for nodes, matrix in blocks:
        rows = "".join("".join(f"{value} " for value in row) + "\n" for row in matrix)
        text += f"N={len(nodes)}\nX: \n{''.join(f'{value} ' for value in nodes)}\nE: \n{rows}\n"
    return text.encode()


def padded(*matrices, size=6):
    return np.stack([np.pad(matrix, (0, size - len(matrix))) for matrix in matrices])


DUMP = dump(([0, 2, 1], PATH), ([0] * 5, RING), ([1, 1], [[0, 2], [2, 0]]))
GRAPHS = {
    "columns.npz": npz(**columns()),
    "columns.safetensors": save(columns()),
    "labels.npz": npz(**columns(node_label=[0, 1, 0, 1, 2, 0, 0, 1], edge_label=[1, 2, 1, 1, 1, 3])),
    "labels-from-0.npz": (CASES / "f10_k5_edge_labels.npz").read_bytes(),
    "split.npz": npz(**columns(split=[0, 2, 1])),
    "split-words.npz": (CASES / "f13_split_words.npz").read_bytes(),
    "split-other-words.npz": npz(**columns(split=["train", "tset", "train"])),
    "split-3.npz": npz(**columns(split=[0, 3, 1])),
    "single-nodes.npz": (CASES / "f13_single.npz").read_bytes(),
    "loop.npz": npz(**columns(edges=[[0, 1], [0, 1], [1, 1], [0, 1], [1, 2], [0, 2]])),
    "parallel.npz": npz(**columns(edges=[[0, 1], [0, 1], [1, 0], [0, 1], [1, 2], [0, 2]])),
    "outside.npz": npz(**columns(edges=[[0, 1], [0, 7], [1, 2], [-1, 1], [1, 2], [0, 2]])),
    "empty-graph.npz": npz(**columns(num_nodes=[2, 3, 3, 0], edge_ptr=[0, 1, 3, 6, 6])),
    "negative-size.npz": npz(**columns(num_nodes=[2, -3, 3])),
    "enormous.npz": npz(**columns(num_nodes=[2, 2**62, 3])),
    "label-out.npz": npz(**columns(node_label=[0, -1, 0, 1, 7_000, 0, 0, 1])),
    "falling.npz": npz(**columns(edge_ptr=[0, 4, 3, 6])),
    "floats.npz": npz(**columns(edges=np.zeros((6, 2)))),
    "no-pointers.npz": npz(**columns(edge_ptr=None)),
    "short.npz": npz(**columns(edge_ptr=[0, 1, 3, 5])),
    "other.npz": npz(a=[1, 2, 3]),
    "dense.npz": npz(arr_0=RING, arr_1=PATH, arr_2=RING * 0),
    "dense-floats.npz": npz(arr_0=RING.astype(float), arr_1=PATH.astype(np.float32)),
    "dense-bool.npz": npz(arr_0=RING.astype(bool)),
    "dense-labels.npz": npz(arr_0=RING * 2, arr_1=PATH),
    "stacked.npz": npz(arr_0=padded(RING, PATH)),
    "stacked.npy": npy(padded(RING, PATH)),
    "stacked-sizes.npz": npz(adj=padded(RING, PATH), num_nodes=[6, 3], split=["train", "test"]),
    "one-matrix.npy": npy(RING),
    "directed.npy": npy(np.triu(RING)),
    "weights.npz": npz(arr_0=RING * 0.3, arr_1=PATH),
    "not-a-number.npz": npz(arr_0=RING * np.nan, arr_1=PATH),
    "negative.npz": npz(arr_0=-RING, arr_1=PATH),
    "diagonal.npz": npz(arr_0=RING + np.eye(5, dtype=int), arr_1=PATH),
    "beyond-labels.npz": npz(arr_0=RING * 1e300, arr_1=PATH),
    "complex.npz": npz(arr_0=RING * 1j),
    "directed-path.graphml": (CASES / "f07_directed_path.graphml").read_bytes(),
    "directed-cycle.graphml": (CASES / "f07_directed_cycle.graphml").read_bytes(),
    "directed-pair.graphml": (CASES / "f07_directed_pair.graphml").read_bytes(),
    "half-directed.graphml": graphml(nx.path_graph(3), nx.path_graph(3, nx.DiGraph)),
    "a.graphml": graphml(nx.path_graph(3), nx.cycle_graph(4), nx.Graph()),
    "a.graphml.gz": gzip.compress(graphml(nx.path_graph(3), nx.cycle_graph(4)), mtime=0),
    "a.xml.txt": graphml(nx.path_graph(3)),
    "multi.graphml": graphml(nx.MultiGraph([(0, 1), (0, 1), (1, 2)])),
    "loop.graphml": graphml(nx.Graph([(0, 1), (1, 1)])),
    "some-labels.graphml": graphml(labeled(1)),
    "words-as-labels.graphml": graphml(labeled("carbon")),
    "square.graphml": graphml(labeled("\u00b2")),
    "fractions.graphml": graphml(labeled(1.5), nx.path_graph(2)),
    "infinite.graphml": graphml(labeled(1e308), nx.path_graph(2)).replace(b"1e+308", b"1e400"),
    "endless.graphml": graphml(labeled(12345), nx.path_graph(2)).replace(b"12345", b"9" * 4301),
    "entities.graphml": b'<!DOCTYPE x [<!ENTITY a "b">]>' + graphml(nx.path_graph(3)),
    "none.graphml": b'<graphml xmlns="http://graphml.graphdrawing.org/xmlns"></graphml>',
    "generated_samples1.txt": DUMP,
    "generated_samples1.txt.gz": gzip.compress(DUMP, mtime=0),
    "dump-plain.txt": dump(([0] * 5, RING), ([0] * 3, PATH)),
    "dump-directed.txt": dump(([0] * 5, np.triu(RING)), ([0] * 3, PATH)),
    "dump-loop.txt": dump(([0] * 5, RING + np.eye(5, dtype=int)), ([0] * 3, PATH)),
    "dump-short.txt": dump(([0] * 5, RING[:4]), ([0] * 3, PATH)),
    "dump-digit.txt": dump(([0, "\u00b2", 0], PATH), ([0] * 3, PATH)),
    "dump-endless.txt": dump(([0, "9" * 4301, 0], PATH), ([0] * 3, PATH)),
    "dump-sizes.txt": DUMP + b"N=\xc2\xb2\nX:\n0\nE:\n0\nN=" + b"9" * 5000 + b"\nN=-1\nN=0\nX:\nE:\nN=2\nwhat\n",
}  # fmt: skip


def lattice(**changes) -> bytes:
    spins = np.where(np.random.default_rng(0).random((6, 4, 4)) < 0.5, 1, -1).astype(np.int8)
    whole = {
        "spins": spins,
        "lattice": "square",
        "model": "ising",
        "states": 2,
        "temperature": np.full(6, 2.0),
        **changes,
    }
    return npz(**{name: value for name, value in whole.items() if value is not None})


def spoiled(place, value, shape=(6, 4, 4)):
    array = np.ones(shape)
    array[place] = value
    return array


SPINS = {
    "plain.npz": lattice(),
    "bare.npz": lattice(lattice=None, model=None, states=None, temperature=None),
    "bare.safetensors": save({"spins": np.ones((3, 4, 4), np.int8)}),
    "one.npz": lattice(spins=np.ones((4, 4), np.int8), temperature=2.0),
    "coupling.npz": lattice(coupling=np.ones((6, 4, 4, 2)), field=np.zeros((4, 4))),
    "uniform.npz": lattice(coupling=[1.0, 0.5], field=0.25, temperature=1.5),
    "turned.npz": lattice(coupling=np.arange(32.0).reshape(4, 4, 2), directions=[[0, 1], [-1, 0]]),
    "floats.npz": lattice(spins=np.ones((6, 4, 4))),
    "half.npz": lattice(spins=spoiled((1, 2, 3), 0.5)),
    "zero.npz": lattice(spins=spoiled((1, 2, 3), 0)),
    "truth.npz": lattice(spins=np.ones((6, 4, 4), bool)),
    "cold.npz": lattice(temperature=[2.0, 0, 2, 2, 2, 2]),
    "all-cold.npz": lattice(temperature=-1.0),
    "nan.npz": lattice(coupling=spoiled((2, 0, 0, 0), np.nan, (6, 4, 4, 2))),
    "infinite.npz": lattice(field=spoiled((4, 1, 1), np.inf)),
    "double.npz": lattice(field=spoiled((4, 1, 1), 1e300)),
    "shared-nan.npz": lattice(field=np.nan),
    "potts.npz": lattice(model="potts", states=3, spins=np.arange(96).reshape(6, 4, 4) % 3),
    "potts-label.npz": lattice(model="potts", states=3, spins=np.arange(96).reshape(6, 4, 4) % 95 % 4),
    "no-states.npz": lattice(model="potts", states=None),
    "a-word.npz": lattice(model="pots"),
    "two-words.npz": lattice(lattice=["square", "cubic"]),
    "lattice.npz": lattice(lattice="hexagonal"),
    "states.npz": lattice(states=3),
    "sides.npz": lattice(field=np.ones((6, 4, 5))),
    "counts.npz": lattice(temperature=np.ones(5)),
    "thin.npz": lattice(spins=np.ones((6, 1, 4), np.int8)),
    "unknown.npz": lattice(spin=np.ones(3)),
    "words.npz": lattice(spins=np.full((6, 4, 4), "up")),
    "no-spins.npz": lattice(spins=None, coupling=np.ones((6, 4, 4, 2))),
    "split.npz": lattice(split=["train", "test", "valid", "train", "train", "train"]),
    "split-3.npz": lattice(split=[0, 1, 2, 3, 0, 0]),
    "far.npz": lattice(coupling=np.ones((4, 4, 1)), directions=[[2**60, 1]]),
    "opposite.npz": lattice(coupling=np.ones((4, 4, 2)), directions=[[0, 1], [0, -1]]),
}


def imported(path: Path, out: Path) -> tuple[str, dict, int]:
    """The line with which import refuses a file, or "", the broken records by kind of reason, and their number."""
    try:
        dataset = import_files([path], out, ImportSettings(max_nodes=1024))
    except UserError as error:
        assert "\n" not in str(error) and not out.exists()
        return str(error), {}, 0
    return "", dataset.meta["left_out"], dataset.meta["rows"]


def evaluated(path: Path) -> tuple[str, dict, int]:
    try:
        found = evaluate([path], reference="none")
    except UserError as error:
        assert "\n" not in str(error)
        return str(error), {}, 0
    return "", dict(Counter(reason for reason in found.kind.count_failures(found.samples).elements())), found.total


@pytest.fixture(autouse=True)
def tolerant(monkeypatch):
    monkeypatch.setattr(importing, "TOLERATED", 1.0)


@pytest.mark.parametrize("name", [*GRAPHS, *(f"spins-{name}" for name in SPINS)])
def test_both_verbs_say_the_same_of_every_file(name, tmp_path):
    content = GRAPHS[name] if name in GRAPHS else SPINS[name.removeprefix("spins-")]
    path = tmp_path / name
    path.write_bytes(content)
    one, other = imported(path, tmp_path / "set"), evaluated(path)
    if not one[0] and not other[0]:
        assert one == other
    elif "no configuration could be read (" in one[0]:  # all are broken: nothing to train on, and a score of 0
        assert not other[0] and sum(other[1].values()) == other[2] and next(iter(other[1])) in one[0]
    else:
        assert one[0].replace(str(path), name) == other[0].replace(str(path), name).removesuffix(
            ": say it with --protocol"
        )


VERDICTS = {
    "labels-from-0.npz": {}, "split-words.npz": {}, "single-nodes.npz": {"empty": 1}, "loop.npz": {"loop": 1},
    "parallel.npz": {"parallel edges": 1},
    "outside.npz": {"node": 2}, "label-out.npz": {"label": 2}, "dense.npz": {}, "stacked.npy": {},
    "weights.npz": {"weight": 1},
    "negative.npz": {"label": 1}, "diagonal.npz": {"loop": 1}, "half-directed.graphml": {"directed": 1},
    "a.graphml": {"empty": 1}, "some-labels.graphml": {},
    "generated_samples1.txt": {}, "dump-directed.txt": {"directed": 1}, "dump-short.txt": {"syntax": 1},
    "dump-digit.txt": {"label": 1},
    "dump-sizes.txt": {"syntax": 3, "size": 1, "empty": 1}, "enormous.npz": {"too large": 1},
}  # fmt: skip


@pytest.mark.parametrize("name", VERDICTS)
def test_what_is_wrong_with_graphs(name, tmp_path):
    (tmp_path / name).write_bytes(GRAPHS[name])
    assert evaluated(tmp_path / name)[:2] == ("", VERDICTS[name])


@pytest.mark.parametrize(
    "name", ["directed-path.graphml", "directed-cycle.graphml", "directed-pair.graphml", "directed.npy"]
)
def test_directed_graphs_are_refused_as_directed(name, tmp_path):
    (tmp_path / name).write_bytes(GRAPHS[name])
    for verb in (["data", "import"], ["evaluate", "--reference", "none"]):
        done = CliRunner().invoke(app, [*verb, str(tmp_path / name), "--out", str(tmp_path / "out")])
        assert (
            done.exit_code == 2 and "no graph can be read: directed" in done.output and not (tmp_path / "out").exists()
        )


def test_edge_labels_that_start_at_0_are_kept_apart(tmp_path):
    path = CASES / "f10_k5_edge_labels.npz"
    graphs = evaluate([path], reference="none")
    assert len(set(graphs.samples.hashes.tolist())) == 3 and {one.order for one in graphs.samples.symmetries} == {
        10,
        12,
    }
    assert any("edge labels start at 0" in note for note in graphs.notes)
    dataset = import_files([path], tmp_path / "set")
    assert dataset.domain.edge_classes == 3 and set(dataset.columns.arrays["edge"].tolist()) == {1, 2}
    assert any("edge labels start at 0" in note for note in dataset.meta["notes"])


def test_words_of_a_split_are_read(tmp_path):
    path = CASES / "f13_split_words.npz"
    assert import_files([path], tmp_path / "set").meta["splits"] == {"train": 12, "valid": 0, "test": 12}
    found = evaluate([CASES / "f13_single.npz"], reference=str(path))
    assert found.reference.count == 12 and "mmd.ratio" in found.estimates


@pytest.mark.parametrize(
    "name", ["dense.npz", "stacked.npz", "stacked.npy", "dense-floats.npz", "dump-plain.txt", "one-matrix.npy"]
)
def test_the_same_graphs_in_every_format(name, tmp_path):
    (tmp_path / name).write_bytes(GRAPHS[name])
    found = read_graphs(tmp_path / name)
    for graph in (graph for graph in found.graphs if graph.num_nodes == 5 and len(graph.edges)):
        assert graph.edges.tolist() == sorted(sorted(edge) for edge in nx.cycle_graph(5).edges)
        assert graph.node_labels is None and graph.edge_labels is None
    assert recognize(tmp_path / name) == "graph" and found.graphs[0].num_nodes == 5


def test_padding_is_told_from_isolated_nodes(tmp_path):
    (tmp_path / "a.npz").write_bytes(GRAPHS["stacked.npz"])
    (tmp_path / "b.npz").write_bytes(GRAPHS["stacked-sizes.npz"])
    one, other = read_graphs(tmp_path / "a.npz"), read_graphs(tmp_path / "b.npz")
    assert [graph.num_nodes for graph in one.graphs] == [5, 3] and "taken as padding" in one.notes[0]
    assert [graph.num_nodes for graph in other.graphs] == [6, 3] and not other.notes and other.split.tolist() == [0, 2]


def test_dumps_of_molecules_are_molecules_where_their_labels_are_known(tmp_path):
    """Ethanol, pyridine with aromatic bonds, and a carbon with five bonds."""
    pyridine = np.roll(np.eye(6, dtype=int), 1, 1) * 4
    methane = np.zeros((6, 6), int)
    methane[0, 1:] = methane[1:, 0] = 1
    path = tmp_path / "generated_samples1.txt"
    path.write_bytes(
        dump(
            ([0, 0, 2], PATH),
            ([1, 0, 0, 0, 0, 0], pyridine + pyridine.T),
            ([0] * 6, methane),
            ([0, 7], [[0, 1], [1, 0]]),
        )
    )
    found = evaluate(SampleFiles([path], atoms=["C", "N", "O", "F"]), reference="none")
    assert [judged.canonical for judged in found.samples.verdicts] == ["CCO", "c1ccncc1", None, None]
    dataset = import_files([path], tmp_path / "set", ImportSettings(atoms=["C", "N", "O", "F"]))
    assert len(dataset) == 2 and dataset.meta["left_out"] == {"valence": 1, "element": 1} == dict(
        found.kind.count_failures(found.samples)
    )
    with pytest.raises(UserError, match="holds graphs, whose labels are no atoms by themselves; --atoms tells"):
        evaluate([path], protocol="molecule-graph", reference="none")
    with pytest.raises(UserError, match="atoms: expected a label such as 'C'"):
        evaluate(SampleFiles([path], atoms=["C", "Q"]), reference="none")
    with pytest.raises(UserError, match="only labels of molecules as graphs stand for atoms"):
        import_files([CASES / "f03_qm9_raw.xyz"], tmp_path / "xyz", ImportSettings(atoms=["C"]))


def test_what_is_written_is_read_by_the_evaluation(tmp_path):
    domain, graphs = Graph(3, 4), [nx.cycle_graph(4), nx.path_graph(2)]
    graphs[0].nodes[2]["label"], graphs[0].edges[0, 1]["label"] = 2, 3
    for suffix in (".npz", ".safetensors", ".graphml"):
        domain.write(graphs, tmp_path / f"a{suffix}")
        found = load_kind("graph").read(SampleFiles([tmp_path / f"a{suffix}"]))
        assert found.graphs[0].node_labels.tolist() == [0, 0, 2, 0] and found.graphs[0].edge_labels.tolist() == [
            3,
            1,
            1,
            1,
        ]

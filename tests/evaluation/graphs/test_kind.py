"""Graphs through the whole evaluation: from a file to numbers, rows and pages."""

import csv
import json

import networkx
import numpy as np
import pytest

from symdiff.errors import UserError
from symdiff_evaluation.__main__ import main
from symdiff_evaluation.core.evaluation import evaluate
from symdiff_evaluation.core.storage import list_shipped
from symdiff_evaluation.core.write import write
from symdiff_evaluation.graphs.kind import load_reference, write_from_file


def put(path, graphs, **more):
    edges = [np.array(graph.edges, np.int64).reshape(-1, 2) for graph in graphs]
    ptr = np.concatenate([[0], np.cumsum([len(part) for part in edges])])
    np.savez(path, num_nodes=[len(graph) for graph in graphs], edge_ptr=ptr, edges=np.concatenate(edges), **more)
    return path


def trees(count, seed):
    generator = np.random.default_rng(seed)
    return [networkx.from_prufer_sequence(generator.integers(0, 20, 18).tolist()) for _ in range(count)]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("graphs")
    put(folder / "tree.npz", trees(60, 0), split=np.repeat([0, 2], [40, 20]))
    samples = [
        *trees(20, 1),
        networkx.cycle_graph(20),
        networkx.star_graph(19),
        networkx.star_graph(19),
        *trees(40, 0)[:1],
    ]
    put(folder / "samples.npz", samples)
    return folder


def test_numbers_by_hand(place):
    found = evaluate([place / "samples.npz"], reference=place / "tree.npz")
    assert found.protocol.kind == "graph" and found.reference.rule == "tree"
    values = {name: estimate.value for name, estimate in found.estimates.items()}
    assert values["readable"] == values["connected"] == 1
    assert values["validity"] == pytest.approx(23 / 24)
    assert values["uniqueness"] == pytest.approx(23 / 24)
    assert values["novelty"] == pytest.approx(22 / 23)
    assert values["vun"] == pytest.approx(21 / 24)
    assert values["mmd.clustering"] == pytest.approx(0, abs=1e-12)
    star = [
        row
        for row in found.kind.list_rows(found.samples, found.reference)
        if row[3] == 19 and row[6] == np.prod(np.arange(1.0, 20))
    ]
    assert [row[7] for row in star] == ["true", "false"]


def test_the_folder(place):
    out = write(evaluate([place / "samples.npz"], reference=place / "tree.npz"), place / "out")
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["symmetry.asymmetric_share"]["count"] == 24
    with (out / "samples.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert rows[20]["valid"] == "false" and rows[20]["reason"] == "not a tree: 1 independent cycles"
    assert rows[0]["novel"] == "true" and rows[23]["novel"] == "false"
    text = (out / "report.html").read_text()
    assert all(
        f'<section id="{name}"' in text
        for name in ("numbers", "distributions", "symmetry", "samples", "failures", "about")
    )


def test_arrays_and_graphml_are_the_same(place, tmp_path):
    graphs = trees(20, 1)
    put(tmp_path / "a.npz", graphs)
    writer = networkx.readwrite.graphml.GraphMLWriter()
    writer.add_graphs(graphs)
    writer.dump(str(tmp_path / "a.graphml"))
    one, other = (
        evaluate([tmp_path / name], reference=place / "tree.npz").estimates for name in ("a.npz", "a.graphml")
    )
    assert {name: e.value for name, e in one.items()} == {name: e.value for name, e in other.items()}


def test_a_key_without_a_type_is_one_of_strings(tmp_path):
    source = networkx.path_graph(3)
    networkx.set_node_attributes(source, {k: k % 2 for k in source}, "label")
    text = "\n".join(networkx.generate_graphml(source)).replace(' attr.type="long"', "")
    (tmp_path / "a.graphml").write_text(text)
    assert evaluate([tmp_path / "a.graphml"]).samples.graphs[0].node_labels.tolist() == [0, 1, 0]
    (tmp_path / "a.graphml").write_text(text.replace(">1<", ">one<"))
    with pytest.raises(
        UserError,
        match="a.graphml: no graph can be read: label: expected a whole number from 0 to 4094 as "
        "every node label, got .one.",
    ):
        evaluate([tmp_path / "a.graphml"])


def test_a_broken_graph_costs_no_other(tmp_path):
    np.savez(
        tmp_path / "a.npz", num_nodes=[3, 3, 3], edge_ptr=[0, 2, 4, 5], edges=[[0, 1], [1, 2], [0, 0], [1, 2], [0, 2]]
    )
    found = evaluate([tmp_path / "a.npz"])
    assert found.total == 3 and found.kind.count_failures(found.samples) == {"loop": 1}
    assert found.estimates["readable"].value == pytest.approx(2 / 3) and found.estimates["connected"].value == 0.5
    assert "validity" not in found.estimates and any("Left out: validity" in note for note in found.notes)


def test_the_shipped_references_have_the_published_baselines():
    assert list_shipped("graph") == ["lobster", "planar", "sbm", "tree"]
    golden = {"planar": (0.00019, 0.0310, 0.00054, 0.0038), "sbm": (0.00085, 0.0332, 0.0255, 0.0027)}
    for name, values in golden.items():
        baseline = load_reference(name).baseline
        for kind, value in zip(("degree", "clustering", "orbit", "spectral"), values, strict=True):
            assert baseline[kind] == pytest.approx(value, abs=5.1 * 10 ** (np.floor(np.log10(value)) - 2)), (name, kind)


def test_a_reference_survives_writing_and_other_kinds_are_refused(place, tmp_path):
    made = write_from_file(place / "tree.npz", tmp_path / "mine", "tree", "by hand")
    again = load_reference(tmp_path / "mine.json")
    assert again.count == made.count == 40 and (again.hashes == made.hashes).all() and again.baseline == made.baseline
    with pytest.raises(UserError, match="expected one of graph, got one of molecule-graph"):
        load_reference("qm9-train")
    (tmp_path / "a.smi").write_text("C\n")
    with pytest.raises(UserError, match="expected one of molecule-graph, got one of graph"):
        evaluate([tmp_path / "a.smi"], reference="planar")


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"num_nodes": [2], "edges": [[0, 1]]}, "expected the arrays num_nodes, edge_ptr and edges"),
        ({"num_nodes": [2], "edge_ptr": [0, 1, 2], "edges": [[0, 1]]}, "one entry more than num_nodes"),
        ({"num_nodes": [2], "edge_ptr": [0, 1], "edges": [[0.5, 1]]}, "expected integers"),
        ({"num_nodes": [2], "edge_ptr": [0, 1], "edges": [[0, 1]], "node_label": [1]}, "one for each of 2 nodes"),
    ],
)
def test_mistakes_are_one_line(tmp_path, capsys, arrays, told):
    np.savez(tmp_path / "a.npz", **arrays)
    assert main([str(tmp_path / "a.npz"), "--out", str(tmp_path / "out")]) == 2
    printed = capsys.readouterr().err
    assert told in printed and printed.count("\n") == 1 and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("names", "worked_out"),
    [
        (["readable", "connected"], set()),
        (["uniqueness"], {"hashes"}),
        (["symmetry.log_order"], {"symmetries"}),
        (["validity"], set()),
    ],
)
def test_no_more_is_worked_out_than_is_asked_for(names, worked_out, tmp_path):
    found = evaluate([networkx.path_graph(4), networkx.cycle_graph(4)], names, "planar")
    write(found, tmp_path / "out")
    assert {
        name for name in ("hashes", "symmetries", "unlabeled_symmetries", "descriptors") if found.samples.knows(name)
    } == worked_out
    assert set(found.samples._rule_results) == ({"planar"} if "validity" in names else set())

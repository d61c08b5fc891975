"""Samples as objects of other packages: the same structures in every form, in the order of their rows."""

from __future__ import annotations

import base64

import numpy as np
import pytest
import torch

import symdiff
from symdiff.domains.graph import Graph
from symdiff.domains.lattice import SpinLattice
from symdiff.domains.molecule import MolecularGraph
from symdiff.domains.molecule3d import Molecule3D
from symdiff.domains.points import PointCloud
from symdiff.errors import UserError
from symdiff.sampling.samples import Samples
from symdiff.state import Categorical, Real, State, node_mask

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # of PyG, when it is imported
SIZES = torch.tensor([3, 5, 2, 5])
ROWS = torch.tensor([2, 0, 3, 1])


def draw(domain, sizes: torch.Tensor = SIZES) -> Samples:
    """Random structures in two batches, whose rows are not in order."""
    generator, mask = torch.Generator().manual_seed(0), node_mask(sizes)
    values = {}
    for name, field in domain.schema.items():
        shape = field.shape(*mask.shape)
        if isinstance(field, Categorical):
            value = torch.randint(field.classes, shape, generator=generator)
        else:
            value = torch.randn(shape, generator=generator)
            value = value.abs() + 0.1 if name == "temperature" else value
        if field.symmetric:
            value = value.triu(1) + value.triu(1).mT
        if field.axes != "whole":
            inside = mask if field.axes == "node" else mask[:, :, None] & mask[:, None]
            value = value * inside.reshape(*inside.shape, *[1] * (value.ndim - inside.ndim))
        values[name] = value
    state = State(mask, domain.schema, values)
    return Samples(domain, [state.select(slice(0, 1)), state.select(slice(1, None))], [ROWS[:1], ROWS[1:]])


MOLECULES = MolecularGraph(["C", "N+", "O-"])
IN_SPACE = Molecule3D(["H", "C", "O"])
GRAPHS = Graph(3, 4)
SPINS = SpinLattice(sides=[2, 3], conditions=["temperature"])
CLOUDS = PointCloud({"position": {"kind": "Real", "axes": "node", "dim": 1, "vector": 3}}, {"y": Real("whole", 2)})


def test_arrays_are_those_of_the_structures_without_padding():
    for domain in (MOLECULES, IN_SPACE, GRAPHS, CLOUDS):
        samples = draw(domain)
        state = samples.state()
        for row, arrays in enumerate(samples.to_numpy()):
            size = int(state.num_nodes[row])
            for name, field in domain.schema.items():
                expected = state[name][row].numpy()
                inside = (slice(size),) * {"node": 1, "pair": 2, "whole": 0}[field.axes]
                assert np.array_equal(arrays[name], expected[inside])


@pytest.mark.parametrize("domain", [MOLECULES, IN_SPACE], ids=["graph", "3d"])
def test_molecules_are_the_same_in_every_form(domain):
    samples = draw(domain)
    for mol, graph, data in zip(samples.to_rdkit(), samples.to_networkx(), samples.to_pyg(), strict=True):
        assert mol.GetNumAtoms() == len(graph) == data.num_nodes
        for atom in mol.GetAtoms():
            place, charge = atom.GetIdx(), atom.GetFormalCharge()
            assert graph.nodes[place]["atom"] == atom.GetSymbol() + ("+" if charge > 0 else "-" if charge < 0 else "")
            assert (int(data.z[place]), int(data.charge[place])) == (atom.GetAtomicNum(), charge)
        orders = {
            frozenset((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())): int(bond.GetBondTypeAsDouble())
            for bond in mol.GetBonds()
        }
        assert orders == {frozenset(ends): order for *ends, order in graph.edges(data="order")}
        both = {tuple(ends): int(order) for ends, order in zip(data.edge_index.T.tolist(), data.edge_attr, strict=True)}
        assert both == {pair: order for ends, order in orders.items() for pair in (tuple(ends), tuple(ends)[::-1])}


def test_positions_are_the_same_in_every_form():
    samples = draw(IN_SPACE)
    forms = zip(samples.to_rdkit(), samples.to_networkx(), samples.to_pyg(), samples.to_ase(), strict=True)
    for arrays, (mol, graph, data, atoms) in zip(samples.to_numpy(), forms, strict=True):
        for positions in (
            mol.GetConformer().GetPositions(),
            [graph.nodes[node]["position"] for node in graph],
            data.pos.numpy(),
            atoms.positions,
        ):
            assert np.allclose(positions, arrays["position"][:, 0], atol=1e-6)


def test_graphs_come_back_from_every_form():
    samples = draw(GRAPHS)
    records = GRAPHS.codec.records(samples.state())
    for objects in (samples.to_networkx(), samples.to_pyg()):
        for obj, record in zip(objects, records, strict=True):
            again = GRAPHS.encode(obj)
            assert all(np.array_equal(again[name], record[name]) for name in record)


def test_spins_have_the_axes_of_the_lattice():
    samples = draw(SPINS, torch.tensor([6, 6, 6, 6]))
    state = samples.state()
    for row, arrays in enumerate(samples.to_numpy()):
        assert np.array_equal(arrays["spins"].reshape(-1), 1 - 2 * state["spin"][row].numpy())
        assert arrays["spins"].shape == (2, 3) and arrays["temperature"] == state["temperature"][row, 0]


def test_clouds_as_pyg():
    samples = draw(CLOUDS)
    for data, arrays in zip(samples.to_pyg(), samples.to_numpy(), strict=True):
        assert np.array_equal(data.pos, arrays["position"][:, 0]) and np.array_equal(data.y[0], arrays["y"])


def test_a_form_that_makes_no_sense_is_refused():
    with pytest.raises(UserError, match="no form as RDKit molecules; to_numpy gives their arrays"):
        draw(GRAPHS).to_rdkit()
    with pytest.raises(UserError, match="no form as ASE atoms"):
        draw(MOLECULES).to_ase()


def test_representations_say_what_it_is_without_tensors():
    samples = draw(MOLECULES)
    assert repr(samples) == "Samples(4 of MolecularGraph, 2 to 5 nodes)"
    text = repr(samples.state())
    assert text.startswith("State(4 structures of 2 to 5 nodes, padded to 5, on cpu\n") and "tensor" not in text
    assert "  bond: Categorical(axes='pair', classes=4, undirected=True), (4, 5, 5) int64" in text
    assert repr(samples.state().select(slice(0, 0))).startswith("State(0 structures of no nodes")


@pytest.mark.parametrize("domain", [MOLECULES, IN_SPACE, GRAPHS, SPINS], ids=lambda domain: type(domain).__name__)
def test_a_notebook_shows_a_picture(domain):
    html = draw(domain, torch.tensor([6, 6, 6, 6]))._repr_html_()
    content = html.partition("base64,")[2].partition('"')[0]
    assert base64.b64decode(content).startswith(b"\x89PNG") and "Samples(4 of " in html


def test_a_notebook_shows_text_where_there_is_no_picture():
    assert draw(CLOUDS)._repr_html_() == "<pre>Samples(4 of PointCloud, 2 to 5 nodes)</pre>"


def test_load_sample_and_convert():
    samples = symdiff.load("qm9-graph").sample(3, 4)
    assert [mol.GetNumAtoms() for mol in samples.to_rdkit()] == [len(graph) for graph in samples.to_networkx()]

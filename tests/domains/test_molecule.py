"""Molecules: SMILES -> State -> SMILES, whatever the order of the atoms; anything decodes."""

from __future__ import annotations

from pathlib import Path

import networkx
import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.rdBase import BlockLogs

from symdiff.chemistry import kekule
from symdiff.data.sets.enumeration import ATOMS, enumerate_molecules
from symdiff.domains.base import domain_from_spec
from symdiff.domains.graph import Graph
from symdiff.domains.molecule import MolecularGraph
from symdiff.errors import UserError
from symdiff.groups.permutations import Symmetric
from symdiff.random import Streams
from symdiff.state import State

LABELS = ["C", "N", "O", "F", "S", "Cl", "Br", "I", "P", "N+", "O-", "C-", "N-", "S+", "O+"]
DOMAIN = MolecularGraph(LABELS)
LISTED = [line.split()[0] for line in (Path(__file__).parents[1] / "molecules.smi").read_text().splitlines()]


def small() -> list[str]:
    labels, bonds = enumerate_molecules(5)
    pick = np.random.RandomState(0).permutation(len(labels))[:800]
    schema = MolecularGraph(ATOMS).schema
    values = {"atom": torch.from_numpy(labels[pick]).long(), "bond": torch.from_numpy(bonds[pick]).long()}
    return MolecularGraph(ATOMS).codec.smiles(State(torch.ones(values["atom"].shape, dtype=torch.bool), schema, values))


def flat(smiles: str) -> str:
    return Chem.MolToSmiles(Chem.MolFromSmiles(smiles), isomericSmiles=False)


def shuffled(smiles: str, seed: int) -> Chem.Mol:
    mol = Chem.MolFromSmiles(smiles)
    return Chem.RenumberAtoms(mol, np.random.RandomState(seed).permutation(mol.GetNumAtoms()).tolist())


@pytest.fixture(scope="module")
def smiles() -> list[str]:
    return LISTED + small()


def test_the_list_is_long_enough(smiles):
    assert len(smiles) >= 1000 and len(set(LISTED)) == len(LISTED)


@pytest.mark.slow
def test_any_graph_of_atoms_is_drawn(tmp_path):
    draws, count = torch.Generator().manual_seed(0), 640
    labels = torch.randint(len(LABELS), (count, 9), generator=draws)
    dense = torch.rand(count, 1, 1, generator=draws)
    bonds = torch.randint(1, 4, (count, 9, 9), generator=draws) * (torch.rand(count, 9, 9, generator=draws) < dense)
    bonds = bonds.triu(1) + bonds.triu(1).transpose(1, 2)
    state = State(torch.ones(count, 9, dtype=torch.bool), DOMAIN.schema, {"atom": labels, "bond": bonds})
    for k in range(0, count, 64):
        DOMAIN.codec.draw(DOMAIN.codec.decode(state.select(torch.arange(k, k + 64))), tmp_path / "a.png")
        assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_round_trip_is_the_canonical_smiles(smiles):
    state = DOMAIN.collate([DOMAIN.encode(text) for text in smiles])
    assert DOMAIN.codec.smiles(state) == [flat(text) for text in smiles]


def test_round_trip_under_node_permutations(smiles):
    state = DOMAIN.collate([DOMAIN.encode(text) for text in smiles])
    group = Symmetric()
    moved = group.act(group.sample(state.mask, Streams(3, torch.arange(len(state)))), state)
    assert DOMAIN.codec.smiles(moved) == [flat(text) for text in smiles]


def test_isomorphic_molecules_are_stored_identically(smiles):
    for seed, text in enumerate(smiles[::5]):
        first, second = DOMAIN.encode(text), DOMAIN.encode(shuffled(text, seed))
        assert all(np.array_equal(first[name], second[name]) for name in first), text


def test_stored_in_the_order_of_the_canonical_smiles():
    record = DOMAIN.encode("OC(=O)CN")
    assert flat("OC(=O)CN") == "NCC(=O)O"
    assert [LABELS[k] for k in record["atom"]] == ["N", "C", "C", "O", "O"]
    assert record["edges"].tolist() == [[0, 1], [1, 2], [2, 3], [2, 4]] and record["bond"].tolist() == [1, 1, 2, 1]


def test_kekule_forms_of_one_molecule_are_one_graph():
    first, second = DOMAIN.encode("CC1=CC=CC(C)=C1C"), DOMAIN.encode("CC1=C(C)C(C)=CC=C1")
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_hydrogens_are_nodes_behind_the_heavy_atoms():
    domain = MolecularGraph(["C", "O", "H", "N+", "O-"])
    record = domain.encode("CO")
    assert [domain.atoms[k] for k in record["atom"]] == ["C", "O", "H", "H", "H", "H"]
    assert record["edges"].tolist() == [[0, 1], [0, 2], [0, 3], [0, 4], [1, 5]]
    texts = ["CO", "C", "C[N+](=O)[O-]", "C1CO1", "[H][H]"]
    state = domain.collate([domain.encode(text) for text in texts])
    assert domain.codec.smiles(state) == [flat(text) for text in texts]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("[Si](C)(C)(C)C", "atom Si is not among"),
        ("[NH2-]", None),
        ("C[O]", "radical"),
        ("[CH2]", "radical"),
        ("C(C)(C)(C)(C)C", "valence"),
        ("c1cccc1", "aromaticity"),
        ("C(", "syntax: RDKit cannot read this as SMILES"),
        ("", "empty: no text"),
        ("*C", "query: atom 1 stands for several elements"),
        ("[O-2]", "atom O-2 is not among"),
        ("CN->[Fe]", "bonds: bond 2 is dative, not single, double or triple"),
        (7, "expected a SMILES string or an RDKit molecule, got int"),
        ("C" * 513, "too large: 513 atoms, at most 512 are read"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(given, reason):
    if reason is None:
        DOMAIN.encode(given)
        return
    with pytest.raises(UserError, match=reason):
        DOMAIN.encode(given)


def test_encoding_leaves_the_given_molecule_alone():
    mol = Chem.MolFromSmiles("C[C@H](N)C(=O)[O-]")
    before = Chem.MolToSmiles(mol)
    DOMAIN.encode(mol)
    assert Chem.MolToSmiles(mol) == before


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@example(seed=21225301, nodes=4, density=1.0)
@given(st.integers(0, 2**31), st.integers(1, 12), st.floats(0, 1))
def test_garbage_decodes_and_is_written(tmp_path_factory, seed, nodes, density):
    generator = torch.Generator().manual_seed(seed)
    sizes = torch.randint(0, nodes + 1, (4,), generator=generator)
    mask = torch.arange(nodes) < sizes[:, None]
    atom = torch.randint(len(LABELS), (4, nodes), generator=generator) * mask
    bond = torch.randint(1, 4, (4, nodes, nodes), generator=generator)
    bond = (bond * (torch.rand(4, nodes, nodes, generator=generator) < density)).triu(1)
    bond = (bond + bond.mT) * (mask[:, :, None] & mask[:, None])
    state = State(mask, DOMAIN.schema, {"atom": atom, "bond": bond})
    mols, verdicts = DOMAIN.decode(state), DOMAIN.codec.inspect(state)
    assert [mol.GetNumAtoms() for mol in mols] == sizes.tolist()
    assert all((text is None) != (reason is None) for text, reason in verdicts)
    folder = tmp_path_factory.mktemp("garbage")
    filled = [mol for mol in mols if mol.GetNumAtoms()]
    for suffix in (".smi", ".csv", ".sdf", ".npz", ".safetensors", ".graphml"):
        path = folder / f"molecules{suffix}"
        DOMAIN.write(filled, path)
        again = DOMAIN.read(path)
        assert [mol.GetNumAtoms() for mol in again] == [mol.GetNumAtoms() for mol in filled]
        valid = [text is not None for text, _ in verdicts if text != ""]
        if suffix in (".smi", ".csv"):  # RDKit cannot read some SMILES that it writes, such as [OH+]=[IH]
            valid = [text is not None and rereads(text) for text, _ in verdicts if text != ""]
        assert [kekule.problem(mol) is None for mol in again] == valid


def rereads(text: str) -> bool:
    """Whether RDKit reads its own canonical SMILES."""
    with BlockLogs():
        return Chem.MolFromSmiles(text) is not None


@pytest.mark.slow
@pytest.mark.parametrize(
    "suffix", [".smi", ".csv", ".sdf", ".smi.gz", ".npz", ".safetensors", ".graphml", ".graphml.gz"]
)
def test_files_keep_the_molecules(tmp_path, suffix):
    state = DOMAIN.collate([DOMAIN.encode(text) for text in LISTED])
    path = tmp_path / f"molecules{suffix}"
    DOMAIN.write(DOMAIN.decode(state), path)
    again = DOMAIN.collate([DOMAIN.encode(mol) for mol in DOMAIN.read(path)])
    assert DOMAIN.codec.smiles(again) == [flat(text) for text in LISTED]
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [".npz", ".safetensors", ".graphml"])
def test_graphs_keep_every_atom_in_its_place(tmp_path, suffix):
    """Hydrogens as nodes, charges, fragments, a single atom; and no molecule at all."""
    domain, path = MolecularGraph(["H", "C", "N+", "O", "O-"]), tmp_path / f"molecules{suffix}"
    state = domain.collate([domain.encode(text) for text in ("C[N+](=O)[O-]", "O", "CO.C#C")])
    domain.write(domain.decode(state), path)
    again = domain.read(path)
    for mol, other in zip(domain.decode(state), again, strict=True):
        assert [(a.GetSymbol(), a.GetFormalCharge()) for a in mol.GetAtoms()] == [
            (a.GetSymbol(), a.GetFormalCharge()) for a in other.GetAtoms()
        ]
        bonds = [
            {(b.GetBeginAtomIdx(), b.GetEndAtomIdx(), b.GetBondTypeAsDouble()) for b in m.GetBonds()}
            for m in (mol, other)
        ]
        assert bonds[0] == bonds[1]
    domain.write([], path)
    assert domain.read(path) == []


@pytest.mark.parametrize(
    ("smiles", "error"),
    [
        ("[CH3]", "molecule 2: hydrogens: their number at atom 1"),
        ("[NH3]->[Cu]", "molecule 2: bonds: bond 1 is dative"),
    ],
)
def test_what_a_graph_cannot_hold_is_refused(tmp_path, smiles, error):
    with pytest.raises(UserError, match=error):
        DOMAIN.write([Chem.MolFromSmiles("c1ccccc1"), Chem.MolFromSmiles(smiles)], tmp_path / "molecules.npz")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"element": [6, 250]}, "molecule 1: element: atom 2 is none of the elements 1 to 118"),
        ({"element": None}, "holds graphs, whose labels are no atoms"),
        ({"element": [6.0, 6.0]}, "element, charge: expected integers"),
        ({"charge": [0, -128]}, "molecule 1: charge: atom 2 has a charge beyond 15"),
        ({"order": [4]}, "molecule 1: order: expected bonds"),
        ({"edges": [[0, 2]]}, "molecule 1: atom: expected numbers from 0 to 1, got 2"),
        ({"edges": [[1, 1]]}, "molecule 1: loop: an edge joins atom 1 to itself"),
    ],
)
def test_broken_graphs_are_refused(tmp_path, changes, error):
    arrays = {
        "num_nodes": [2],
        "edge_ptr": [0, 1],
        "edges": [[1, 0]],
        "element": [6, 8],
        "charge": [0, 0],
        "order": [1],
        **changes,
    }
    np.savez(tmp_path / "a.npz", **{name: np.array(value) for name, value in arrays.items() if value is not None})
    with pytest.raises(UserError, match=error):
        DOMAIN.read(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("attributes", "error"),
    [
        ({"element": "Xx"}, "molecule 1: element: expected the symbol of an element, its charge apart, got 'Xx'"),
        ({}, "molecule 1: element: expected the symbol of an element, its charge apart, got None"),
        ({"element": "C", "charge": 0.5}, "molecule 1: charge: expected a whole number"),
        ({"element": "N+"}, "molecule 1: element: expected the symbol of an element, its charge apart"),
        ({"element": "C", "charge": 16}, "molecule 1: charge: atom 1 has a charge beyond 15"),
    ],
)
def test_drawings_that_are_no_molecules_are_refused(tmp_path, attributes, error):
    graph = networkx.Graph()
    graph.add_node(0, **attributes)
    networkx.write_graphml(graph, tmp_path / "a.graphml")
    with pytest.raises(UserError, match=error):
        DOMAIN.read(tmp_path / "a.graphml")


def test_molecules_are_no_plain_graphs(tmp_path):
    DOMAIN.write([Chem.MolFromSmiles("CO")], tmp_path / "a.npz")
    with pytest.raises(UserError, match="holds molecules"):
        Graph().read(tmp_path / "a.npz")


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(UserError, match="cannot be written"):
        DOMAIN.write([], tmp_path / "missing" / "molecules.smi")
    with pytest.raises(UserError, match=r"expected a file that ends in .smi, .csv, .sdf, .graphml, .npz, .safetensors"):
        DOMAIN.write([], tmp_path / "molecules.mol2")
    with pytest.raises(
        UserError, match=r"molecules.extxyz: this format needs coordinates.*expected .smi, .csv, .sdf, .graphml"
    ):
        DOMAIN.write([], tmp_path / "molecules.extxyz")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("a.smi", b"CC\nC(\n", "record 2: syntax: RDKit cannot read this as SMILES"),
        (
            "a.csv",
            b"name,molecule\nx,CC\n",
            "expected a column 'smiles', got the columns name, molecule; name the column of SMILES with --column",
        ),
        ("a.csv", b'smiles\n"' + b"C" * 200_000, "record 1: too long: over 10000 characters"),
        ("a.smi", b"\xff\xfe\x00", "expected UTF-8"),
        ("a.smi.gz", b"not gzip", "cannot be read"),
        ("a.sdf", b"\n\n\n nonsense\nM  END\n$$$$\n", "record 1: syntax: the counts line says"),
        ("a.mol2", b"", "is of a format that is not read; evaluation/README.md says how to convert it to .sdf"),
    ],
)
def test_broken_files_are_refused(tmp_path, name, content, error):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=error):
        DOMAIN.read(tmp_path / name)


def test_the_spec_builds_the_domain():
    again = domain_from_spec(DOMAIN.spec)
    assert isinstance(again, MolecularGraph) and again.spec == DOMAIN.spec and again.schema == DOMAIN.schema


@pytest.mark.parametrize(
    "spec",
    [
        {"kind": "MolecularGrph", "atoms": ["C"]},
        {"kind": "MolecularGraph"},
        {"kind": "MolecularGraph", "atoms": []},
        {"atoms": ["C"]},
    ],
)
def test_a_wrong_spec_is_a_user_error(spec):
    with pytest.raises(UserError):
        domain_from_spec(spec)


@pytest.mark.parametrize("label", ["C", "N+", "O-", "Fe+2", "Cl", "S-2"])
def test_labels_name_element_and_charge(label):
    assert kekule.label(*kekule.parse_label(label)) == label


@pytest.mark.parametrize("label", ["", "c", "Xx", "N++", "+"])
def test_a_wrong_label_is_a_user_error(label):
    with pytest.raises(UserError, match="expected a label such as"):
        kekule.parse_label(label)

"""Molecules in space: RDKit, ASE, PyG and files -> State and back; what cannot be a molecule is told in one line."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from rdkit import Chem
from rdkit.Chem import AllChem

from symdiff.chemistry.geometry import Geometry, bare, geometry_of, to_ase, to_pyg, to_rdkit
from symdiff.chemistry.perception import BOHR, connectivity, perceive
from symdiff.chemistry.reading import read_geometries
from symdiff.domains.base import domain_from_spec
from symdiff.domains.molecule3d import Molecule3D
from symdiff.errors import UserError
from symdiff.random import Streams
from symdiff.state import State, node_mask
from symdiff.testing import action_law_error

ATOMS = ["H", "C", "N", "O", "F", "N+", "O-"]
SMILES = ["C", "c1ccccc1", "CC(=O)O", "C[N+](=O)[O-]", "C#N", "O[C@H]1C[C@@H]1F", "[H][H]"]
BONDED, PLAIN = Molecule3D(ATOMS), Molecule3D(ATOMS, bonds=False)


def embedded(smiles: str) -> Chem.Mol:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    AllChem.EmbedMolecule(mol, randomSeed=1)
    AllChem.MMFFOptimizeMolecule(mol)
    return mol


@pytest.fixture(scope="module")
def molecules() -> list[Chem.Mol]:
    return [embedded(smiles) for smiles in SMILES]


def batch(domain: Molecule3D, molecules: list) -> State:
    return domain.collate([domain.encode(mol) for mol in molecules])


def spheres(x: State) -> list[list[float]]:
    """The sorted distances from the center, structure by structure: what no order of the atoms changes."""
    return [
        sorted(row[:size])
        for row, size in zip(x["position"][:, :, 0].norm(dim=-1).tolist(), x.num_nodes.tolist(), strict=True)
    ]


def assert_same(x: State, y: State, tolerance: float = 1e-5) -> None:
    """Equal but for the order of atoms that the graph does not tell apart."""
    assert torch.equal(x.mask, y.mask) and torch.equal(x["atom"], y["atom"])
    if "bond" in x.schema:
        assert torch.equal(x["bond"], y["bond"])
    for a, b in zip(spheres(x), spheres(y), strict=True):
        np.testing.assert_allclose(a, b, atol=tolerance)


@pytest.mark.parametrize("settings", [{}, {"bonds": False}, {"chiral": True, "max_nodes": 9}])
def test_the_group_acts_and_the_spec_comes_back(settings, random_state):
    domain = Molecule3D(ATOMS, **settings)
    x = random_state(domain.schema, node_mask(torch.tensor([5, 2, 1, 4])), 1)
    assert action_law_error(domain.group, x, Streams(0, torch.arange(4))) < 1e-9
    again = domain_from_spec(domain.spec)
    assert again.spec == domain.spec and dict(again.schema) == dict(domain.schema)
    determinants = torch.linalg.det(domain.group.sample(x.mask.repeat(20, 1), torch.Generator().manual_seed(0))[1])
    assert bool((determinants > 0).all()) == domain.chiral


def test_atoms_are_centred_hydrogens_behind_their_atom(molecules):
    x = batch(BONDED, molecules)
    assert x["position"].sum(1).abs().max() < 1e-4
    for row, size in enumerate(x.num_nodes.tolist()):
        atoms = [ATOMS[label] for label in x["atom"][row, :size].tolist()]
        for k, atom in enumerate(atoms[:size]):
            if atom == "H" and len(set(atoms)) > 1:
                heavy = max(j for j in range(k) if atoms[j] != "H")
                assert x["bond"][row, heavy, k] == 1
    assert BONDED.codec.smiles(x) == [
        Chem.CanonSmiles(Chem.MolToSmiles(Chem.MolFromSmiles(s), isomericSmiles=False)) for s in SMILES
    ]


def test_any_order_of_the_atoms_gives_the_same_record(molecules):
    for mol in molecules:
        order = np.random.RandomState(0).permutation(mol.GetNumAtoms()).tolist()
        assert_same(batch(BONDED, [mol]), batch(BONDED, [Chem.RenumberAtoms(mol, order)]))
        assert_same(batch(PLAIN, [mol]), batch(PLAIN, [Chem.RenumberAtoms(mol, order)]))


@pytest.mark.parametrize("ending", ["sdf", "sdf.gz", "xyz", "extxyz", "extxyz.gz", "npz"])
@pytest.mark.parametrize("domain", [BONDED, PLAIN])
def test_files_come_back(domain, ending, molecules, tmp_path):
    x = batch(domain, molecules)
    domain.write(domain.decode(x), tmp_path / f"a.{ending}")
    back = domain.read(tmp_path / f"a.{ending}")
    if not domain.bonds and ending.startswith("xyz"):  # a plain .xyz holds no formal charges
        back = [mol for mol, smiles in zip(back, SMILES, strict=True) if "+" not in smiles]
        x = batch(domain, [mol for mol, smiles in zip(molecules, SMILES, strict=True) if "+" not in smiles])
    assert_same(x, batch(domain, back), 2e-4)
    domain.write([], tmp_path / f"b.{ending}")
    assert domain.read(tmp_path / f"b.{ending}") == []


def test_pictures(molecules, tmp_path):
    x = batch(BONDED, molecules)
    broken = x.with_values(position=x["position"] * float("nan"))
    for name, objs in (
        ("a", BONDED.decode(x)),
        ("b", []),
        ("c", PLAIN.decode(batch(PLAIN, molecules))),
        ("d", BONDED.codec.geometries(broken)),
    ):
        assert BONDED.draw(objs, tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_pyg_comes_back(molecules):
    pytest.importorskip("torch_geometric", reason="torch-geometric, an extra, is not installed")
    for domain in (BONDED, PLAIN):
        x = batch(domain, molecules)
        data = domain.codec.to_pyg(x)
        assert data[0].num_nodes == 5 and domain.bonds == ("edge_index" in data[0])
        assert_same(x, batch(domain, data))
    lonely = to_pyg(bare([6], [[0, 0, 0]]))
    assert len(geometry_of(lonely).element) == 1


def test_ase_comes_back(molecules):
    pytest.importorskip("ase", reason="ASE, an extra, is not installed")
    for domain in (BONDED, PLAIN):
        x = batch(domain, molecules)
        atoms = domain.codec.to_ase(x)
        assert atoms[0].get_chemical_symbols() == ["C", "H", "H", "H", "H"]
        assert_same(x, batch(domain, atoms))
    assert to_ase(molecules[3]).arrays["formal_charge"].sum() == 0


def test_anything_decodes_and_is_written(random_state, tmp_path):
    for domain in (BONDED, PLAIN):
        x = random_state(domain.schema, node_mask(torch.tensor([9, 4, 1, 7])), 3)
        mols = domain.decode(x)
        assert [mol.GetNumAtoms() for mol in mols] == [9, 4, 1, 7]
        verdicts = domain.codec.inspect(x)
        assert len(verdicts) == 4 and all((smiles is None) != (reason is None) for smiles, reason in verdicts)
        for ending in ("sdf", "npz", "xyz", "extxyz"):
            domain.write(mols, tmp_path / f"a.{ending}")
            assert len(domain.read(tmp_path / f"a.{ending}")) == 4


def test_bonds_are_perceived_where_there_are_none(molecules):
    for mol in molecules:
        known = geometry_of(mol)
        found = perceive(Geometry(known.element, np.zeros_like(known.charge), known.position))
        assert np.array_equal(connectivity(known), known.edges)
        assert np.array_equal(found.edges, known.edges) and np.array_equal(found.charge, known.charge)


def test_radicals_have_no_smiles(molecules):
    x = batch(BONDED, molecules[:1])
    methyl = State(x.mask[:, :4], x.schema, {n: x[n][:, :4, :4] if n == "bond" else x[n][:, :4] for n in x.schema})
    assert BONDED.codec.inspect(methyl) == [(None, "radical")]
    nowhere = x.with_values(position=torch.full_like(x["position"], torch.inf))
    assert PLAIN.codec.inspect(nowhere.only("atom", "position")) == [(None, "coordinates are not finite")]


WATER = "O 0 0 0\nH 0.76 0.59 0\nH -0.76 0.59 0\n"
METHANE = np.array([[0, 0, 0], [1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) * 0.629


def xyz(*blocks: str, comment: str = "") -> str:
    return "".join(f"{block.count(chr(10))}\n{comment}\n{block}" for block in blocks)


def methane(**changes) -> Geometry:
    settings = {"element": np.array([6, 1, 1, 1, 1]), "position": METHANE, **changes}
    return bare(**settings)


def moved(row: int, point: list) -> np.ndarray:
    position = METHANE.copy()
    position[row] = point
    return position


BAD = {
    "overlap": (
        lambda: methane(position=moved(4, METHANE[3] + 0.05)),
        "overlap: atoms 4 and 5 are 0.087 angstrom apart",
    ),
    "nan": (lambda: methane(position=moved(2, [0, np.nan, 0])), "coordinates: atom 3 is at"),
    "infinite": (lambda: methane(position=moved(0, [np.inf, 0, 0])), "coordinates: atom 1 is at"),
    "far": (lambda: methane(position=moved(2, [0, 1e30, 0])), "coordinates: atom 3 is at .0, 1e.30, 0."),
    "fraction": (lambda: bare([6.5, 1, 1, 1, 1], METHANE), "element: expected a whole number, got 6.5"),
    "no number": (lambda: bare([np.nan, 1, 1, 1, 1], METHANE), "element: expected a whole number, got nan"),
    "no charge": (lambda: methane(charge=[np.inf, 0, 0, 0, 0]), "charge: expected a whole number, got inf"),
    "no atoms": (lambda: bare(np.zeros(0, int), np.zeros((0, 3))), "^empty: no atom$"),
    "too many": (lambda: bare(np.ones(10**5, int), np.zeros((10**5, 3))), "too large: 100000 atoms, at most 512"),
    "unknown element": (
        lambda: methane(element=np.array([14, 1, 1, 1, 1]), position=METHANE * 1.35),
        "atom Si is not among H, C",
    ),
    "charged": (
        lambda: bare([7, 1, 1, 1, 1], METHANE * 0.93, total=1),
        "charge: \\+1 in all, the formal charges of atoms are \\+0",
    ),
    "bohr": (lambda: methane(position=METHANE * BOHR), "coordinates look like bohr"),
    "no coordinates": (lambda: Chem.MolFromSmiles("C"), "no coordinates"),
    "text": (lambda: "CCO", "expected an RDKit molecule, an ASE Atoms or a PyG Data with z and pos, got str"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_molecule_is_told_in_one_line(name):
    make, message = BAD[name]
    with pytest.raises(UserError, match=message) as error:
        PLAIN.encode(make())
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: bare([6, 1, 1], METHANE[:3]), "radical: 2 unpaired electrons"),
        (
            lambda: bare([7, 1, 1, 1, 1], METHANE * 0.93),
            "charge: no bonds and charges of its atoms make a total charge of .0",
        ),
        (lambda: bare([6, 1], METHANE[:3]), "expected .n,. elements and .n, 3. positions"),
        (lambda: bare([0, 1], METHANE[:2]), "element: atom 1 has the atomic number 0"),
        (lambda: embedded("[CH3]"), "hydrogens: their number at atom 1 does not follow"),
        (lambda: embedded("CCl"), "atom Cl is not among"),
    ],
)
def test_bonds_need_whole_molecules(make, message):
    with pytest.raises(UserError, match=message):
        BONDED.encode(make())


def test_ions_are_molecules_where_their_atoms_are_known():
    ammonium = bare([7, 1, 1, 1, 1], METHANE * 0.93, total=1)
    assert BONDED.codec.smiles(BONDED.collate([BONDED.encode(ammonium)])) == ["[NH4+]"]
    with pytest.raises(UserError, match="atom N\\+ is not among H, N"):
        Molecule3D(["H", "N"]).encode(ammonium)


def test_one_atom_is_a_structure():
    assert PLAIN.encode(bare([9], [[3.0, 1, 1]]))["position"].tolist() == [[[0, 0, 0]]]


FILES = {
    "element": (xyz(WATER, WATER.replace("O", "Ox"), WATER), "element: atom 1 is 'Ox'"),
    "words": (
        xyz(WATER, WATER.replace("0.59", "up"), WATER),
        "syntax: atom 2: expected three coordinates, got '0.76 up 0'",
    ),
    "short line": (
        xyz(WATER, WATER.replace("-0.76 0.59 0", "1"), WATER),
        "syntax: atom 3: expected an element and three coordinates, got 'H 1'",
    ),
    "unit": (xyz(WATER) + xyz(WATER, comment="units=inch") + xyz(WATER), "unit: 'inch' is none (valid: "),
    "charge": (
        xyz(WATER) + xyz(WATER, comment="charge=some") + xyz(WATER),
        "charge: expected a whole number from -999 to 999, got 'some'",
    ),
    "endless charge": (
        xyz(WATER) + xyz(WATER, comment="charge=" + "9" * 50) + xyz(WATER),
        "charge: expected a whole number from -999 to 999, got '9999",
    ),
    "properties": (
        xyz(WATER) + xyz(WATER, comment="Properties=pos:R:3") + xyz(WATER),
        "syntax: Properties: expected species and pos:R:3, got 'pos:R:3'",
    ),
    "too few announced": (xyz(WATER) + "2\n\n" + WATER + xyz(WATER), "syntax: expected 2 atoms, more follow"),
    "too many announced": (xyz(WATER) + "4\n\n" + WATER + xyz(WATER), "syntax: expected 4 atoms, got 3"),
    "far too many announced": (
        xyz(WATER) + "99999999\n\n" + WATER + xyz(WATER),
        "too large: 99999999 atoms, at most 512 are read",
    ),
    "no count": (xyz(WATER) + "three\n\n" + WATER + xyz(WATER), "syntax: expected the number of atoms, got 'three'"),
    "negative count": (xyz(WATER) + "-3\n\n" + WATER + xyz(WATER), "syntax: expected the number of atoms, got '-3'"),
    "endless count": (
        xyz(WATER) + "9" * 5000 + "\n\n" + WATER + xyz(WATER),
        "syntax: expected the number of atoms, got '9999",
    ),
    "a digit that is none": (
        xyz(WATER) + "³\n\n" + WATER + xyz(WATER),
        "syntax: expected the number of atoms, got '³'",
    ),
    "many": (xyz(WATER, "H 0 0 0\n" * 100_000, WATER), "too large: 100000 atoms, at most 512 are read"),
}


def entries(path):
    """Of every record its geometry, or the reason why there is none."""
    return [record.reason if geometry is None else geometry for record, geometry in read_geometries(path, 512)]


@pytest.mark.parametrize("name", FILES)
def test_a_broken_entry_keeps_its_neighbors(name, tmp_path):
    text, message = FILES[name]
    (tmp_path / "a.xyz").write_text(text, encoding="utf-8")
    found = entries(tmp_path / "a.xyz")
    assert len(found) == 3 and [isinstance(one, str) for one in found] == [False, True, False]
    assert found[1].startswith(message)
    with pytest.raises(UserError, match=f"a.xyz: molecule 2: {message.partition(':')[0]}"):
        BONDED.read(tmp_path / "a.xyz")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("99999999\n\nH 0 0 0\n", "too large: 99999999 atoms, at most 512 are read"),
        ("three\n", "syntax: expected the number of atoms, got 'three'"),
        ("-1\n\n", "syntax: expected the number of atoms, got '-1'"),
        ("3\n", "syntax: expected 3 atoms, got 0"),
    ],
)
def test_counts_that_lie_are_told(text, message, tmp_path):
    (tmp_path / "a.extxyz").write_text(text)
    assert entries(tmp_path / "a.extxyz") == [message]


def test_units_and_numbers_are_read(tmp_path):
    scaled = "".join(
        f"{e} {' '.join(str(v * BOHR) for v in p)}\n" for e, p in zip([6, 1, 1, 1, 1], METHANE.tolist(), strict=True)
    )
    (tmp_path / "a.xyz").write_text(xyz(scaled, comment="Units=Bohr") + "\n\n" + xyz(scaled))
    one, two = entries(tmp_path / "a.xyz")
    np.testing.assert_allclose(one.position, METHANE, atol=1e-5)
    assert BONDED.encode(one)["atom"].tolist() == [1, 0, 0, 0, 0]
    with pytest.raises(UserError, match="unit: coordinates look like bohr"):
        BONDED.encode(two)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda block: "nonsense\n", "syntax: a mol block has at least four lines"),
        (lambda block: block.replace(" H  ", " Xx ", 1), "element: atom 2 is 'Xx'"),
        (lambda block: block.replace(" H  ", " R# ", 1), "query: atom 2 stands for several elements"),
        (lambda block: block.replace(block.split("\n")[4][:10], f"{'nan':>10}", 1), "coordinates: atom 1 is at (nan, "),
        (
            lambda block: block.replace(block.split("\n")[4][:10], f"{'-inf':>10}", 1),
            "coordinates: atom 1 is at (-inf, ",
        ),
        (lambda block: block.replace("M  END\n", ""), "syntax: RDKit cannot read this as a mol block"),
    ],
)
def test_mol_blocks_keep_their_neighbors(change, message, molecules, tmp_path):
    block = Chem.MolToMolBlock(molecules[0])
    (tmp_path / "a.sdf").write_text(f"{block}$$$$\n{change(block)}$$$$\n{block}$$$$\n")
    found = entries(tmp_path / "a.sdf")
    assert [isinstance(one, str) for one in found] == [False, True, False] and found[1].startswith(message)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"z": [1], "pos": [[0, 0, 0]]}, "expected the arrays z, pos and offsets, lacks offsets"),
        ({"z": [1], "pos": [[0, 0]], "offsets": [0, 1]}, "expected z .n,., pos .n, 3."),
        ({"z": [1], "pos": [[0, 0, 0]], "offsets": [0, 2]}, "offsets: expected them to rise from 0 to 1"),
        ({"z": [1], "pos": [[0, 0, 0]], "offsets": [0.0, 1.0]}, "offsets: expected whole numbers .count . 1,."),
        ({"z": [1], "pos": [[0, 0, 0]], "offsets": [0, 1], "edges": [[0, 1]]}, "expected edges .E, 2. and order .E,."),
        ({"z": 6, "pos": [[0, 0, 0]], "offsets": [0, 1]}, "expected z .n,., pos .n, 3."),
        ({"z": ["C"], "pos": [[0, 0, 0]], "offsets": [0, 1]}, "a.npz: z: expected numbers, got <U1"),
        ({"z": [1], "pos": [["0", "0", "x"]], "offsets": [0, 1]}, "a.npz: pos: expected numbers, got <U1"),
        ({"z": [1.5], "pos": [[0, 0, 0]], "offsets": [0, 1]}, "molecule 1: element: expected a whole number, got 1.5"),
        ({"z": [0], "pos": [[0, 0, 0]], "offsets": [0, 1]}, "molecule 1: element: atom 1 has the atomic number 0"),
        (
            {"z": [1], "pos": [[0, 0, 0]], "offsets": [0, 1], "edges": [[0, 1]], "order": [1], "edge_offsets": [0, 1]},
            "molecule 1: graph: a bond to an atom",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_told(arrays, message, tmp_path):
    np.savez(tmp_path / "a.npz", **{name: np.array(value) for name, value in arrays.items()})
    with pytest.raises(UserError, match=message):
        PLAIN.read(tmp_path / "a.npz")


def test_the_layout_of_qm9s_geometries_is_read(tmp_path):
    np.savez(
        tmp_path / "a.npz",
        z=np.array([6, 1, 1, 1, 1, 8, 1, 1], np.uint8),
        pos=np.concatenate([METHANE, METHANE[:3]]),
        offsets=np.array([0, 5, 8]),
    )
    assert [mol.GetNumAtoms() for mol in PLAIN.read(tmp_path / "a.npz")] == [5, 3]
    assert to_rdkit(entries(tmp_path / "a.npz")[0]).GetNumBonds() == 0


def test_settings_and_endings_are_checked(tmp_path):
    with pytest.raises(UserError, match="atoms: expected different labels"):
        Molecule3D(["C", "C"])
    with pytest.raises(UserError, match="expected a file that ends in .sdf, .xyz, .extxyz, .npz, .png"):
        BONDED.write([], tmp_path / "a.smi")
    with pytest.raises(UserError, match="an .sdf file holds finite coordinates only"):
        BONDED.write([methane(position=moved(2, [0, np.nan, 0]))], tmp_path / "a.sdf")

"""One reader a format: training data and samples get the same verdict in the same words, record by record."""

from __future__ import annotations

import gzip
import pickle
import random
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import AllChem
from typer.testing import CliRunner

from symdiff.chemistry.formats import recognize
from symdiff.chemistry.reading import read_geometries
from symdiff.cli.main import app
from symdiff.data.geometries import of_files
from symdiff.data.importer import ImportSettings
from symdiff.data.importing import import_files
from symdiff.data.parsing import parse_here
from symdiff.domains.molecule_files import read_records, write
from symdiff.domains.molecule_files import read_records as read
from symdiff.errors import UserError
from symdiff_evaluation.core.evaluation import evaluate
from symdiff_evaluation.core.execution import Execution
from symdiff_evaluation.core.guess import guess
from symdiff_evaluation.molecules.read import read as read_samples
from symdiff_evaluation.molecules.verdict import judge
from symdiff_evaluation.molecules3d.perception import perceive
from symdiff_evaluation.molecules3d.read import read as read_samples3d

CASES = Path(__file__).parents[1] / "cases"
UNTRAINABLE = {"radical", "bonds", "hydrogens"}
"""What a graph of atoms and bonds cannot hold, although the molecule is valid."""
UNTRAINABLE3D = {
    "overlap",
    "unit",
    "charge",
    "no bonds fit the distances",
    "radical",
    "hydrogens",
    "valence",
    "perception",
}
"""What coordinates do not make a structure of, although they can be read."""

GOOD = ["CCO", "c1ccccc1O", "C[N+](=O)[O-]", "CC(=O)Nc1ccc(O)cc1", "[NH4+]", "C#N"]
ODD = [
    "", "C C", "C(", "C1CC(", "CÖ", "²", "[²H]C", "C*", "[#0]C", "C~C", "C$C", "C->[Fe]", "CC>>CC", "[CH3]", "C[O]",
        "C.CC", "[Na+].[Cl-]",
    "CC(C)(C)(C)C", "CN(C)(C)C", "ccC", "c1cccc1", "c1ccnc1", "C:CO", "C:C", "c1ccccc1:C", "Cb1=C(C)C=C(O)N1", "[#999]",
    "[#999]C", "[#118]", "[#119]", "[#262]", "[#" + "9" * 4301 + "]",
    "[2H]O", "[D]O", "[CH260]", "C[CH4+256]", "[Fe+10]", "[Fe+16]", "[Xe-99]", "[C+" + "9" * 50 + "]",
    "[" + "9" * 4301 + "C]", "C%" + "9" * 4301,
    "C" * 1001, "C" * 10_001, "(" * 5000, "C(=C)" + "(=C)" * 70, "\x00C", "=HYPERLINK(1)", "[C@@@]", "[CH3:1][OH:7]",
        "[H]", "[H][H]", "[H+]", "[He]",
]  # fmt: skip


def embedded(text, seed=1):
    mol = Chem.AddHs(Chem.MolFromSmiles(text))
    AllChem.EmbedMolecule(mol, randomSeed=seed)
    return mol


def xyz(mol, comment="", symbol=Chem.Atom.GetSymbol, columns=""):
    points = mol.GetConformer().GetPositions()
    rows = [
        f"{symbol(atom)} {' '.join(f'{value:.5f}' for value in point)}{columns}"
        for atom, point in zip(mol.GetAtoms(), points, strict=True)
    ]
    return f"{len(rows)}\n{comment}\n" + "".join(f"{row}\n" for row in rows)


ETHANOL = Chem.MolToMolBlock(Chem.MolFromSmiles("CCO"))
SPATIAL = embedded("CCO")
AMMONIUM = embedded("[NH4+]")
BLOCKS = {
    "sound": ETHANOL,
    "in 3D": Chem.MolToMolBlock(SPATIAL),
    "empty line before the end": ETHANOL.replace("M  END", "\nM  END"),
    "white space before the end": ETHANOL.replace("M  END", "   \nM  END"),
    "aromatic outside a ring": ETHANOL.replace("  1  2  1  0", "  1  2  4  0"),
    "no end": ETHANOL.replace("M  END\n", ""),
    "V3000": Chem.MolToV3KMolBlock(Chem.MolFromSmiles("CCO")),
    "V3000 with hydrogens and rings as patterns": Chem.MolToV3KMolBlock(Chem.MolFromSmiles("CCO"))
    .replace("M  V30 1 C", "M  V30 1 C", 1).replace(" 0\nM  V30 2 C", " 0 HCOUNT=3\nM  V30 2 C",
        1).replace("M  V30 1 1 1 2", "M  V30 1 1 1 2 TOPO=2"),
    "a digit that is none": ETHANOL.replace("  3  2  0", "  ³  2  0"),
    "more than there are": ETHANOL.replace("  3  2  0", "999  2  0"),
    "an element that is none": ETHANOL.replace(" O  ", " Xx ", 1),
    "deuterium": ETHANOL.replace(" O  ", " D  ", 1),
    "any atom": ETHANOL.replace(" O  ", " A  ", 1),
    "nowhere": ETHANOL.replace(ETHANOL.split("\n")[4][:10], f"{'nan':>10}", 1),
    "garbage": "garbage\n",
    "charge beyond a byte": ETHANOL.replace("M  END", "M  CHG  1   1 256\nM  END"),
    "radical": Chem.MolToMolBlock(Chem.MolFromSmiles("C[O]")),
    "salt": Chem.MolToMolBlock(Chem.MolFromSmiles("[Na+].[Cl-]")),
}  # fmt: skip
GEOMETRIES = {
    "sound": xyz(SPATIAL),
    "a comment": xyz(SPATIAL, "gdb 1 energy=-3.1"),
    "atomic numbers": xyz(SPATIAL, symbol=lambda atom: str(atom.GetAtomicNum())),
    "other cases": xyz(SPATIAL, symbol=lambda atom: atom.GetSymbol().lower()),
    "deuterium": xyz(SPATIAL, symbol=lambda atom: atom.GetSymbol().replace("H", "D")),
    "columns behind": xyz(SPATIAL, columns=" -0.5 1.0"),
    "extxyz": xyz(SPATIAL, 'Properties=species:S:1:pos:R:3:forces:R:3 pbc="F F F"', columns=" 1 2 3"),
    "extxyz by number": xyz(SPATIAL, "Properties=Z:I:1:pos:R:3", symbol=lambda atom: str(atom.GetAtomicNum())),
    "a charge": xyz(AMMONIUM, "charge=1"),
    "a charge with decimals": xyz(AMMONIUM, "charge=1.0"),
    "a total charge": xyz(AMMONIUM, "total_charge=1"),
    "a charge that is none": xyz(AMMONIUM, "charge=some"),
    "a charge of fifty digits": xyz(AMMONIUM, "charge=" + "9" * 50),
    "exponents of QM9": xyz(SPATIAL).replace("\n", " 0.1\n").replace("9 0.1\n", "9\n", 1).replace(" 0.1", " 1.5*^-6"),
    "QM9's lines behind the atoms": (CASES / "f03_qm9_raw.xyz").read_text(),
    "a unit": xyz(SPATIAL, "units=inch"),
    "an element that is none": xyz(SPATIAL, symbol=lambda atom: atom.GetSymbol().replace("O", "²")),
    "words": xyz(SPATIAL).replace("O ", "O up ", 1),
    "nowhere": xyz(SPATIAL).replace("O ", "O nan ", 1),
    "too far": xyz(SPATIAL).replace("O ", "O 1e400 ", 1),
    "two in one place": xyz(SPATIAL).replace("\n", "\n", 1) + "2\n\nH 0 0 0\nH 0 0 0.05\n",
    "fewer than announced": xyz(SPATIAL).replace("9\n", "10\n", 1),
    "more than announced": xyz(SPATIAL).replace("9\n", "8\n", 1),
    "nothing": "0\n\n",
    "endless": "9" * 5000 + "\n\nH 0 0 0\n",
    "a digit that is none": "³\n\nH 0 0 0\nH 0 0 0.7\nH 0 0 1.4\n",
    "columns without end": xyz(SPATIAL, "Properties=species:S:1:pos:R:" + "9" * 5000),
}


def lines(rows):
    return "".join(f"{row}\n" for row in rows).encode("utf-8", "surrogatepass")


def table(rows, mark=",", name="smiles"):
    return lines([mark.join(("name", name, "value")), *(mark.join(("x", row, "1")) for row in rows)])


FILES = {
    "a.smi": lines([*GOOD, *ODD]),
    "header.smi": lines(["SMILES", *GOOD, *ODD]),
    "names.txt": lines(f"{row} name" for row in GOOD),
    "a.smi.gz": gzip.compress(lines([*GOOD, *ODD]), mtime=0),
    "latin.smi": b"CCO\nC\xd6\nO\n",
    "mark.smi": b"\xef\xbb\xbfCCO\r\nC(\r\nO\r\n",
    "a.csv": table([*GOOD, *(text for text in ODD if "," not in text)]),
    "semicolons.csv": table([*GOOD, *ODD], ";"),
    "tabs.csv": table([*GOOD, *ODD], "\t"),
    "a.tsv": table([*GOOD, *ODD], "\t"),
    "table.txt": table(GOOD),
    "quotes.csv": b'name,smiles,note\nx,CCO,"a, b"\ny\nz,"C(",x\nx,"O\ny,N,\nz,CC,"two\nlines"\nz,C,"one\n\n',
    "stray.csv": b'name,smiles\n"x,CCO\ny,C\n' + b'z,"C\n' * 300,
    "a.sdf": "".join(f"{block}$$$$\n" for block in BLOCKS.values()).encode(),
    "data.sdf": f"{ETHANOL}>  <charge>\n1\n\n$$$$\n{ETHANOL}".encode(),
    "a.mol": ETHANOL.encode(),
    "blocks.txt": f"{ETHANOL}$$$$\n{ETHANOL}$$$$\n".encode(),
    "f01.sdf": (CASES / "f01_hcount.sdf").read_bytes(),
}
FILES3D = {
    **{f"{name}.xyz": text.encode() for name, text in GEOMETRIES.items()},
    "all.xyz": "".join(GEOMETRIES.values()).encode(),
    "all.extxyz.gz": gzip.compress("".join(GEOMETRIES.values()).encode(), mtime=0),
    "molecule_000.txt": xyz(SPATIAL).encode(),
    "periodic.extxyz": xyz(SPATIAL, 'Lattice="9 0 0 0 9 0 0 0 9" Properties=species:S:1:pos:R:3').encode(),
    "all.sdf": FILES["a.sdf"],
    "f01.sdf": FILES["f01.sdf"],
}


def outcome(work):
    """What a verb says of every record, or the one line with which it refuses the file."""
    try:
        return work()
    except UserError as error:
        assert "\n" not in str(error)
        return str(error)


def trained(path, column=None):
    return outcome(lambda: parse_here(list(read(path, column)), max_nodes=1000).reason)


def scored(path, column=None):
    return outcome(lambda: [judge(record).reason for record in read_samples(path, column)])


def agree(first, second, allowed):
    assert type(first) is type(second), (first, second)
    if isinstance(first, str):
        assert first == second
        return
    assert len(first) == len(second)
    for place, (one, other) in enumerate(zip(first, second, strict=True), 1):
        assert one == other or (not other and one.partition(":")[0] in allowed), (place, one, other)


@pytest.mark.parametrize("name", FILES)
def test_both_verbs_say_the_same_of_every_record(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(FILES[name])
    verdicts = trained(path)
    agree(verdicts, scored(path), UNTRAINABLE)
    assert isinstance(verdicts, list) and "" in verdicts


def test_what_is_right_is_read():
    """The verdicts themselves, where they are known."""
    path = CASES / "f01_hcount.sdf"
    assert trained(path) == [""] and judge(next(read_samples(path))).canonical == "CCO"
    parsed = {name: judge(record) for name, record in zip(BLOCKS, read_samples(_written("a.sdf")), strict=True)}
    for name in (
        "sound",
        "in 3D",
        "empty line before the end",
        "white space before the end",
        "V3000",
        "V3000 with hydrogens and rings as patterns",
    ):
        assert parsed[name].canonical == "CCO", name
    assert parsed["deuterium"].canonical == "CC"
    assert parsed["aromatic outside a ring"].reason == "aromaticity: bond 1 is aromatic outside a ring"
    assert parsed["an element that is none"].reason == "element: atom 3 is 'Xx'" and parsed[
        "any atom"
    ].reason.startswith("query: atom 3")


def _written(name):
    import tempfile

    path = Path(tempfile.mkdtemp()) / name
    path.write_bytes(FILES[name])
    return path


@pytest.mark.parametrize(("name", "texts"), [
    ("a.smi", [*GOOD, *(text.split(maxsplit=1)[0] if text.strip() else "" for text in ODD)]), ("header.smi", None),
    ("semicolons.csv", [*GOOD, *ODD]), ("a.tsv", [*GOOD, *ODD]),
    ("names.txt", GOOD), ("table.txt", GOOD), ("quotes.csv", ["CCO", "y", "C(", "O", "N", "CC", "C", ""]),
        ("stray.csv", None), ("latin.smi", ["CCO", "C\ufffd", "O"]),
    ("mark.smi", ["CCO", "C(", "O"]), ("blocks.txt", None), ("data.sdf", None), ("a.sdf", None),
])  # fmt: skip
def test_no_record_is_lost_and_none_costs_a_neighbor(name, texts):
    records = list(read(_written(name)))
    assert [record.number for record in records] == list(range(1, len(records) + 1))
    if texts is not None:
        assert [record.text for record in records] == [text[:200] if len(text) > 10_000 else text for text in texts]
    counts = {
        "header.smi": len(GOOD) + len(ODD),
        "stray.csv": 302,
        "blocks.txt": 2,
        "data.sdf": 2,
        "a.sdf": len(BLOCKS),
    }
    assert len(records) == counts.get(name, len(records))


@pytest.mark.parametrize("name", FILES3D)
def test_both_verbs_say_the_same_of_every_geometry(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(FILES3D[name])
    samples = outcome(lambda: list(read_samples3d(path).reasons))
    agree(outcome(lambda: imported(path)), samples, UNTRAINABLE3D)


def imported(path):
    """The reason of every molecule that ``import --coordinates`` leaves out."""
    from symdiff.data.geometries import _prepare

    molecules = [
        (record, None if geometry is None else _prepare(geometry, True, 1000))
        for record, geometry in read_geometries(path, 1000)
    ]
    return [record.reason or (str(one) if isinstance(one, UserError) else "") for record, one in molecules]


def test_geometries_of_all_dialects_are_read(tmp_path):
    known = {"a charge": "[NH4+]", "a charge with decimals": "[NH4+]", "a total charge": "[NH4+]"}
    for name in ("sound", "a comment", "atomic numbers", "other cases", "deuterium", "columns behind", "extxyz",
        "extxyz by number", "exponents of QM9",
                 "QM9's lines behind the atoms", *known):  # fmt: skip
        path = tmp_path / f"{name}.xyz"
        path.write_text(GEOMETRIES[name])
        dataset = of_files([path], {"name": name})
        assert dataset.domain.codec.smiles(dataset.batch([0])) == [known.get(name, "CCO")] and len(dataset) == 1, name
        samples = read_samples3d(path)
        assert samples.reasons == ("",) and samples[0].charge == (1 if name in known else 0), name
    path.write_bytes(FILES3D["all.xyz"])
    assert len(read_samples3d(path)) == len(GEOMETRIES)  # one holds two, one hides the next


def test_perceived_bonds_have_one_verdict(tmp_path):
    """What import leaves out for its bonds is what an evaluation calls invalid, in the same words."""
    texts = [
        "CCO",
        "c1ccccc1",
        "O=[N+]([O-])c1ccc([N+](=O)[O-])cc1",
        "CS(C)=O",
        "CN=[N+]=[N-]",
        "[CH3]",
        "C[O]",
        "[NH4+]",
        "O=C=O",
        "[He]",
    ]
    two = (
        xyz(SPATIAL).splitlines()
        + [f"{symbol} 20 {y} 0" for symbol, y in (("O", 0), ("H", 0.96))]
        + ["H 20.93 -0.24 0"]
    )
    blocks = [
        *(xyz(embedded(text)) for text in texts),
        "\n".join(["12", "", *two[2:], ""]),
        "2\n\nC 0 0 0\nC 0 0 5\n",
        "3\n\nC 0 0 0\nH 0 0 1\nF 0 0.9 0\n",
    ]
    path = tmp_path / "a.xyz"
    path.write_text("".join(blocks))
    samples = read_samples3d(path)
    perceived = dict(zip(samples.readable, map(perceive, (samples[k] for k in samples.readable)), strict=True))
    verdicts = [
        reason or (str(one) if isinstance(one := perceived[k], str) else one.reason)
        for k, reason in enumerate(samples.reasons)
    ]
    assert imported(path) == verdicts
    assert [not verdict for verdict in verdicts[:10]] == [True] * 5 + [False] * 3 + [True] * 2
    assert verdicts[10] == "fragments: 2 components" and verdicts[12]


def test_a_cell_is_passed_over_and_told(tmp_path):
    path = tmp_path / "periodic.extxyz"
    path.write_bytes(FILES3D["periodic.extxyz"])
    found = evaluate([path], "molecule-3d", "none", execution=Execution(0))
    assert "1 of 1 records: periodic: the cell is passed over" in found.notes
    assert import_files([path], tmp_path / "set").meta["notes"] == ["1 of 1 records: periodic: the cell is passed over"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.smi", "semicolons.csv", "a.sdf"])
def test_the_verbs_themselves_count_the_same(name, tmp_path):
    path, good = tmp_path / name, tmp_path / "good.smi"
    path.write_bytes(FILES[name])
    good.write_bytes(lines(GOOD * 60))
    left_out = Counter(import_files([path, good], tmp_path / "set", ImportSettings(max_nodes=1000)).meta["left_out"])
    found = evaluate([path, good], "molecule-graph", "none")
    refused = Counter(found.kind.count_failures(found.samples))
    assert {kind: count for kind, count in left_out.items() if kind not in UNTRAINABLE} == refused
    assert all(judged.reason for judged in found.samples.verdicts if judged.canonical is None)


def test_a_column_can_be_named_for_both_verbs(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(table([*GOOD, "C("], ";", "structure"))
    refusal = trained(path)
    assert (
        refusal == scored(path)
        and "got the columns name, structure, value; name the column of SMILES with --column" in refusal
    )
    agree(trained(path, "structure"), scored(path, "structure"), UNTRAINABLE)
    agree(trained(path, "structur"), scored(path, "structur"), UNTRAINABLE)
    run = CliRunner().invoke(
        app, ["evaluate", str(path), "--column", "structure", "--reference", "none", "--out", str(tmp_path / "report")]
    )
    assert run.exit_code == 0 and "syntax" in run.output
    assert import_files([path], tmp_path / "set", ImportSettings(column="Structure")).meta["rows"] == len(GOOD) + 1
    smiles = tmp_path / "a.smi"
    smiles.write_text("CCO\n")
    assert (
        trained(smiles, "structure")
        == scored(smiles, "structure")
        == f"{smiles}: has no columns; only a table, such as .csv or .tsv, has them"
    )


@pytest.mark.parametrize("column", [None, "smiles"])
def test_two_columns_of_one_name_are_refused(column):
    path = CASES / "f11_two_columns.csv"
    assert trained(path, column) == scored(path, column) == f"{path}: 2 columns are called 'smiles'; expected one"


REFUSED = {
    "a.pkl": pickle.dumps([1, 2]),
    "a.smi": pickle.dumps({"smiles": ["CCO"]}),
    "a.pt": b"PK\x03\x04nothing",
    "b.txt": b"PK\x03\x04nothing",
    "a.cif": b"data_x\nloop_\n",
    "b.smi": b"# made by hand\ndata_x\n_cell_length_a 3.0\nloop_\n_atom_site_label\n",
    "a.pdb": b"HEADER x\n",
    "b.sdf": b"@<TRIPOS>MOLECULE\n",
    "c.smi": "CCO\nCC\n".encode("utf-16"),
    "d.smi": b"N=3 \nX: \n0 1 0 \nE: \n0 1 0 \n1 0 1 \n0 1 0 \n",
    "e.smi.gz": b"not gzip",
    "f.smi.gz": gzip.compress(lines(GOOD * 50), mtime=0)[:-12],
    "g.smi.gz": gzip.compress((b"C" * 9999 + b"\n") * 2000, mtime=0),
    "h.csv": b"a,b\nCCO,1\n",
    "i.csv": b"smiles_a,smiles_b\nC,C\n",
    "j.csv": b"",
    "k.xyq": b"3\n",
}


@pytest.mark.parametrize("name", REFUSED)
def test_files_of_other_kinds_are_refused_in_the_same_words(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(REFUSED[name])
    refusal = trained(path)
    assert isinstance(refusal, str) and refusal == scored(path) and refusal.startswith(str(path))
    if name in ("a.pkl", "a.smi", "a.cif", "b.smi", "a.pdb", "b.sdf"):
        assert "evaluation/README.md" in refusal
    if name == "d.smi":  # graphs, which are no molecules
        assert guess([path]) == "graph" and len(import_files([path], tmp_path / "graphs")) == 1
        return
    with pytest.raises(UserError) as error:
        import_files([path], tmp_path / "set")
    assert str(error.value) == refusal
    with pytest.raises(UserError) as error:
        evaluate([path], None, "none")
    assert str(error.value) == refusal
    assert not (tmp_path / "set").exists()


def test_files_are_recognized_by_what_they_hold(tmp_path):
    kinds = {
        "molecule_000.txt": "xyz",
        "blocks.txt": "sdf",
        "table.txt": "table",
        "names.txt": "smiles",
        "a.tsv": "table",
        "a.mol": "sdf",
        "all.xyz": "xyz",
    }
    for name, kind in kinds.items():
        (tmp_path / name).write_bytes((FILES | FILES3D)[name])
        assert recognize(tmp_path / name) == kind
        assert guess([tmp_path / name]) == ("molecule-3d" if kind == "xyz" else "molecule-graph")
    assert import_files([tmp_path / "molecule_000.txt"], tmp_path / "set").domain.spec["kind"] == "Molecule3D"


def test_one_bad_row_ends_nothing(tmp_path):
    path = tmp_path / "a.smi"
    path.write_text("CCO\n[#999]\nC\n")
    found = evaluate([path], "molecule-graph", "none")
    assert [judged.reason for judged in found.samples.verdicts] == [
        "",
        "element: an atom has the atomic number 999",
        "",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.smi", "a.csv", "a.sdf", "all.xyz"])
def test_mutated_files_get_one_verdict(name, tmp_path):
    rng, sound, path = random.Random(name), (FILES | FILES3D)[name], tmp_path / name
    for _ in range(20):
        content = bytearray(sound)
        for _ in range(rng.randint(1, 6)):
            place = rng.randrange(len(content))
            content[place : place + rng.randint(0, 3)] = bytes(
                rng.choice(b'0123456789 \n\r\t.-+[]()CNOHcno#=$*,;"\x00\xb2\xff') for _ in range(rng.randint(0, 4))
            )
        path.write_bytes(content)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            if name == "all.xyz":
                agree(
                    outcome(lambda: imported(path)), outcome(lambda: list(read_samples3d(path).reasons)), UNTRAINABLE3D
                )
            else:
                agree(trained(path), scored(path), UNTRAINABLE)


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".npz", ".safetensors", ".graphml", ".graphml.gz"])
def test_graphs_of_atoms_are_trained_on_and_scored(ending, tmp_path):
    path = tmp_path / f"a{ending}"
    texts = [*GOOD * 6, "CO.C#C", "CN(C)(C)C"]
    write([Chem.MolFromSmiles(text, sanitize=False) for text in texts], path)
    agree(outcome(lambda: parse_here(list(read_records(path))).reason), scored(path), UNTRAINABLE)
    assert [reason.partition(":")[0] for reason in scored(path)][-2:] == ["fragments", "valence"]
    dataset = import_files([path], tmp_path / "set")
    assert guess([path]) == "molecule-graph" and dataset.domain.spec["kind"] == "MolecularGraph"
    assert len(dataset) == 6 * len(GOOD) and dataset.meta["left_out"] == {"fragments": 1, "valence": 1}


def test_flat_arrays_get_one_verdict(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {
        "offsets": np.array([0, 3, 3, 5, 7, 8]),
        "z": np.array([8, 1, 1, 1, 200, 6, 6, 9]),
        "pos": rng.normal(size=(8, 3)) * 3,
    }
    arrays["pos"][:3] = [[0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]]
    arrays["pos"][5] = arrays["pos"][6] + 0.01
    for k, more in enumerate(
        (
            {},
            {"charge": np.zeros(8, np.int8)},
            {"z": arrays["z"].astype(float)},
            {"z": arrays["z"] + 0.5},
            {"offsets": np.array([0, 9])},
        )
    ):
        path = tmp_path / f"{k}.npz"
        np.savez(path, **{**arrays, **more})
        samples = outcome(lambda path=path: list(read_samples3d(path).reasons))
        agree(outcome(lambda path=path: imported(path)), samples, UNTRAINABLE3D)
        if k < 3:
            assert [reason.partition(":")[0] for reason in samples] == ["", "empty", "element", "overlap", ""]

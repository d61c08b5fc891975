"""Properties of one's own: kept on import from every kind of file, missing values counted, conditions in recipes."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from rdkit import Chem
from typer.testing import CliRunner

from symdiff.cli.main import app
from symdiff.data.columns import choose_properties, read_asked
from symdiff.data.dataset import Dataset
from symdiff.data.importer import ImportSettings
from symdiff.data.importing import import_files
from symdiff.errors import UserError

SMILES = ["CCO", "CCN", "CCC", "CO", "CC", "CCCO", "C1CC1", "CCF", "CC=O", "CC#N", "COC", "CCCC", "CN", "OCCO", "NCCN"]
VALUES = [None if k % 5 == 4 else 1.5 * k - 3 for k in range(len(SMILES))]
TEXTS = ["" if value is None else f"{value}" for value in VALUES]


def asked(*texts):
    return ImportSettings(properties=tuple(read_asked(text) for text in texts))


def write_table(path):
    path.write_text("\n".join(["smiles,IC50 (nM)", *(f"{a},{b}" for a, b in zip(SMILES, TEXTS, strict=True))]))


def write_sdf(path):
    blocks = []
    for text, value in zip(SMILES, TEXTS, strict=True):
        data = f"> <other>\n9\n\n> <IC50 (nM)>\n{value}\n\n" if value else ""
        blocks.append(f"{Chem.MolToMolBlock(Chem.MolFromSmiles(text))}{data}$$$$\n")
    path.write_text("".join(blocks))


def write_extxyz(path):
    water = "O 0 0 0\nH 0.76 0.59 0\nH -0.76 0.59 0\n"
    comments = ("Properties=species:S:1:pos:R:3" + (f" IC50={value}" if value else "") for value in TEXTS)
    path.write_text("".join(f"3\n{comment}\n{water}" for comment in comments))


def write_graphml(path):
    text = ['<graphml xmlns="http://graphml.graphdrawing.org/xmlns">']
    text += ['<key id="d" for="graph" attr.name="IC50" attr.type="double"/>']
    for k, value in enumerate(TEXTS):
        nodes = "".join(f'<node id="{i}"/>' for i in range(3 + k))
        data = f'<data key="d">{value}</data>' if value else ""
        text.append(f'<graph edgedefault="undirected">{data}{nodes}<edge source="0" target="1"/></graph>')
    path.write_text("\n".join([*text, "</graphml>"]))


def numbers():
    return np.array([np.nan if value is None else value for value in VALUES])


def write_graph_arrays(path):
    count = len(VALUES)
    ends = np.tile([[0, 1]], (count, 1))
    np.savez(path, num_nodes=3 + np.arange(count), edge_ptr=np.arange(count + 1), edges=ends, IC50=numbers())


def write_spins(path):
    spins = np.where(np.random.default_rng(0).random((len(VALUES), 4, 4)) < 0.5, 1, -1).astype(np.int8)
    np.savez(path, spins=spins, IC50=numbers())


FILES = {
    "a.csv": (write_table, "IC50 (nM)"),
    "a.sdf": (write_sdf, "IC50 (nM)"),
    "a.extxyz": (write_extxyz, "IC50"),
    "a.graphml": (write_graphml, "IC50"),
    "a.npz": (write_graph_arrays, "IC50"),
    "spins.npz": (write_spins, "IC50"),
}


@pytest.mark.parametrize("name", FILES)
def test_values_come_back_in_their_units_from_every_kind_of_file(name, tmp_path):
    write, column = FILES[name]
    write(tmp_path / name)
    made = import_files([tmp_path / name], tmp_path / "set", asked(f"activity={column}[nM]"))
    dataset = Dataset.open(tmp_path / "set")
    assert made.meta["missing"] == {"activity": 3} and len(dataset) == len(VALUES)
    one = dataset.domain.properties["activity"]
    assert one.unit == "nM" and len(one.table) == len(one.nodes) == len(dataset.split("train"))
    found = dataset.domain.properties.read(dataset.batch(range(len(dataset))))["activity"]
    np.testing.assert_allclose(found, numbers(), rtol=1e-5, atol=1e-5)
    train = dataset.domain.properties.read(dataset.split("train").batch(range(len(one.table))))["activity"]
    assert np.nanmin(train) == pytest.approx(one.least, abs=1e-5) and np.nanmax(train) == pytest.approx(
        one.most, abs=1e-5
    )
    assert dataset.batch([4])["activity.absent"].tolist() == [1] and dataset.batch([4])["activity"].tolist() == [[0.0]]


def test_a_value_that_is_no_number_breaks_its_row_alone(tmp_path):
    (tmp_path / "a.csv").write_text("smiles,x\n" + "".join(f"{s},{k}\n" for k, s in enumerate(SMILES)) + "CCCN,>90\n")
    dataset = import_files([tmp_path / "a.csv"], tmp_path / "set", asked("x"))
    assert dataset.meta["left_out"] == {"property": 1} and len(dataset) == len(SMILES)
    assert "record 16" in dataset.meta["examples"]["property"] and "'>90'" in dataset.meta["examples"]["property"]


def test_several_properties_and_those_that_a_recipe_names(tmp_path):
    rows = [f"{s},{k},{-k}" for k, s in enumerate(SMILES)]
    (tmp_path / "a.csv").write_text("\n".join(["smiles,x,y", *rows]))
    dataset = import_files([tmp_path / "a.csv"], tmp_path / "set", asked("x[m]", "y"))
    assert dataset.domain.conditions == ("x", "x.absent", "y", "y.absent")
    some = choose_properties(dataset, ["y"])
    assert some.domain.conditions == ("y", "y.absent") and len(some) == len(dataset)
    assert some.batch(range(5))["y"].equal(dataset.batch(range(5))["y"])
    assert choose_properties(dataset, []).domain.conditions == ()
    with pytest.raises(UserError, match="set has no property 'yy' \\(did you mean 'y'"):
        choose_properties(dataset, ["yy"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected name, name"),
        ("IC50 (nM)", "expected a name of letters"),
        ("seed", "'seed' is an option of symdiff sample already"),
        ("a[b", "expected name"),
        ("none", "no column 'none'"),
        ("same", "same: property: expected finite numbers that are not all the same"),
        ("void", "void: property: no training structure has a value"),
        ("words", "words: expected a number, got 'word'"),
        ("atom=x", "properties.atom: the structures have a field of this name already"),
    ],
)
def test_what_cannot_be_kept_is_told_in_a_line(text, message, tmp_path):
    rows = [f"{s},{k},1,,word" for k, s in enumerate(SMILES)]
    (tmp_path / "a.csv").write_text("\n".join(["smiles,x,same,void,words", *rows]))
    command = ["data", "import", str(tmp_path / "a.csv"), "--out", str(tmp_path / "set"), "--property", text]
    result = CliRunner().invoke(app, command)
    told = str(result.exception) + result.output
    assert result.exit_code and message in told and not (tmp_path / "set").exists()


def test_other_files_have_no_properties(tmp_path):
    (tmp_path / "a.smi").write_text("\n".join(SMILES))
    with pytest.raises(UserError, match="has no columns, and so no 'x'"):
        import_files([tmp_path / "a.smi"], tmp_path / "set", asked("x"))
    nx.write_graphml(nx.path_graph(3), tmp_path / "a.graphml")
    with pytest.raises(UserError, match="no graph has the attribute 'x'"):
        import_files([tmp_path / "a.graphml"], tmp_path / "set", asked("x"))
    with pytest.raises(UserError, match="'x' is asked for twice"):
        import_files([tmp_path / "a.graphml"], tmp_path / "set", asked("x", "x"))

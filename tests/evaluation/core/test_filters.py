"""A list of substructures as MOSES publishes one.

By hand, its mistakes by line, in a protocol and on the command line.
"""

import json

import pytest
from rdkit import Chem

from symdiff.errors import UserError
from symdiff_evaluation.__main__ import main
from symdiff_evaluation.core import filters
from symdiff_evaluation.core import protocol as protocols
from symdiff_evaluation.core.evaluation import evaluate
from symdiff_evaluation.core.execution import Execution
from symdiff_evaluation.core.shards import Shards
from symdiff_evaluation.molecules import moses

LIST = 'names,smarts\nA1,[#6](-[#1])=[#8]\nA2,"[F,Cl].[F,Cl]"\n'
PROTOCOL = """name: mine
about: Filters.
samples: 5
reference: none
mcf: lists/mine.csv
metrics: [moses.filters, moses.filters.without_mcf]
"""
TEXTS = ["CC=O", "CC(C)=O", "FCC", "FCCCl", "C[NH3+]", "C("]  # an aldehyde, and two halogens, fail


@pytest.fixture
def place(tmp_path):
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "mine.csv").write_text(LIST)
    (tmp_path / "mine.yaml").write_text(PROTOCOL)
    (tmp_path / "a.smi").write_text("\n".join(TEXTS) + "\n")
    return tmp_path


def test_hydrogens_are_atoms(place):
    found = filters.load(place / "lists" / "mine.csv")
    assert found.smarts == ("[#6](-[#1])=[#8]", "[F,Cl].[F,Cl]") and len(found.sha256) == 64
    passed = {text: filters.passes(Chem.MolFromSmiles(text), found.smarts) for text in TEXTS[:4]}
    assert passed == {"CC=O": False, "CC(C)=O": True, "FCC": True, "FCCCl": False}
    features = moses.read("CC=O", found.smarts)
    assert (
        features.mcf is False
        and moses.read("CC=O").mcf is None
        and moses.restore(json.loads(json.dumps(moses.to_plain(features)))) == features
    )


def test_a_protocol_names_it(place):
    found = evaluate([place / "a.smi"], place / "mine.yaml").estimates
    assert found["moses.filters"].value == pytest.approx(2 / 5) and found[
        "moses.filters.without_mcf"
    ].value == pytest.approx(4 / 5)
    assert found["moses.filters"].count == 5 and found["moses.filters"].undecided == 0


def test_shards_of_another_list_are_not_read(place):
    shards = Shards(place / "s")
    evaluate([place / "a.smi"], place / "mine.yaml", execution=Execution(shards=shards))
    (place / "lists" / "mine.csv").write_text("smarts\n[#9]\n")
    assert evaluate([place / "a.smi"], place / "mine.yaml", execution=Execution(shards=shards)).estimates[
        "moses.filters"
    ].value == pytest.approx(2 / 5)
    (place / "lists" / "mine.csv").write_text("smarts\n[#99]\n")
    assert evaluate([place / "a.smi"], place / "mine.yaml", execution=Execution(shards=shards)).estimates[
        "moses.filters"
    ].value == pytest.approx(4 / 5)


def test_the_command(place, capsys):
    given = [
        str(place / "a.smi"),
        "--out",
        str(place / "out"),
        "--protocol",
        "molecule-graph-moses",
        "--reference",
        "none",
        "--workers",
        "1",
    ]
    assert main(given) == 0
    told = capsys.readouterr().out
    assert "--mcf FILE" in " ".join(told.split())
    assert main([*given, "--mcf", str(place / "lists" / "mine.csv"), "--json"]) == 0
    about = json.loads((place / "out" / "about.json").read_text())
    assert about["mcf"]["patterns"] == 2 and json.loads(capsys.readouterr().out)["moses.filters"][
        "value"
    ] == pytest.approx(2 / 5)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1: expected a header with the column 'smarts', got ''"),
        ("A1,[#6]\n", "line 1: expected a header"),
        ("names,smart\nA1,C\n", "line 1: expected a header with the column 'smarts', got 'names,smart'"),
        ("names,smarts\n", "expected at least one line below the header"),
        ("names,smarts\nA1,C\nA2,[#6\n", "line 3: expected SMARTS that RDKit reads, got '[#6'"),
        ("names,smarts\nA1,\n", "line 2: expected SMARTS that RDKit reads, got ''"),
        ("names,smarts\nA1,C,N\n", "line 2: expected 2 columns, got 3"),
        ('names,smarts\nA1,"C\n', "line 2: no row of a table"),
        ("names,smarts\n\nA1,\xff\n", "line 3: expected SMARTS"),
    ],
)
def test_mistakes_are_one_line(place, capsys, text, told):
    (place / "lists" / "mine.csv").write_text(text)
    assert main([str(place / "a.smi"), "--out", str(place / "out"), "--protocol", str(place / "mine.yaml")]) == 2
    printed = capsys.readouterr().err
    assert "mine.csv" in printed and told in printed and printed.count("\n") == 1 and not (place / "out").exists()


def test_other_mistakes(place):
    (place / "lists" / "mine.csv").write_bytes(b"names,smarts\nA1,\xff\n")
    with pytest.raises(UserError, match="mine.csv: line 2: expected UTF-8, got the byte 0xff"):
        protocols.load(place / "mine.yaml")
    with pytest.raises(UserError, match="no such file"):
        protocols.load("molecule-graph-moses").with_mcf(place / "missing.csv")
    with pytest.raises(UserError, match="molecule-graph has no moses.filters; molecule-graph-moses has"):
        protocols.load("molecule-graph").with_mcf(place / "lists" / "mine.csv")
    (place / "mine.yaml").write_text(PROTOCOL.replace("lists/mine.csv", "3"))
    with pytest.raises(UserError, match="mcf: expected str, got 3"):
        protocols.load(place / "mine.yaml")

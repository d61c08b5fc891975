"""Files of samples: what is read, what is a broken record, what is a user's mistake."""

import gzip
import random

import pytest

from symdiff.errors import UserError
from symdiff_evaluation.molecules.read import read
from symdiff_evaluation.molecules.verdict import judge

BLOCK = "\n  hand\n\n  1  0  0  0  0  0  0  0  0  0999 V2000\n    0.0000    0.0000    0.0000 {}   0  0\nM  END\n$$$$\n"


def texts(path):
    return [(record.number, record.text, record.reason.split(":")[0]) for record in read(path)]


def test_lines(tmp_path):
    path = tmp_path / "a.smi"
    path.write_bytes(b"smiles\r\nCCO ethanol\r\n\r\nC\tmethane\n" + b"C" * 10_001 + b"\nO")
    got = texts(path)
    assert got[:3] == [(1, "CCO", ""), (2, "", "empty"), (3, "C", "")]
    assert got[3][2] == "too long" and got[4] == (5, "O", "")


def test_gzip_is_the_same(tmp_path):
    content = b"CCO\n\nC(\n"
    (tmp_path / "a.txt").write_bytes(content)
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(content))
    assert texts(tmp_path / "a.txt") == texts(tmp_path / "a.txt.gz")


def test_tables(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('index,SMILES,note\n1,CCO,"a, b"\n2\n3,"C(",x\n4,"O\n5,N,\n\n')
    assert [(n, reason) for n, _, reason in texts(path)] == [
        (1, ""),
        (2, "table"),
        (3, ""),
        (4, ""),
        (5, ""),
        (6, "empty"),
    ]
    assert [record.text for record in read(path)][4] == "N"
    path.write_text("smiles_gdb17,other\nCCO,1\n")
    assert texts(path) == [(1, "CCO", "")]
    path.write_text("a,b\nCCO,1\n")
    with pytest.raises(UserError, match="column 'smiles'"):
        list(read(path))


def test_blocks(tmp_path):
    path = tmp_path / "a.sdf"
    huge = BLOCK.format("C").replace("  1  0  0", "999999999", 1)
    path.write_text(BLOCK.format("C") + "garbage\n$$$$\n" + huge + BLOCK.format("O").replace("$$$$\n", ""))
    got = [judge(record) for record in read(path)]
    assert [judged.canonical for judged in got] == ["C", None, None, "O"]
    assert [judged.reason.split(":")[0] for judged in got] == ["", "syntax", "syntax", ""]


def test_claims_are_checked_before_parsing(tmp_path):
    path = tmp_path / "a.sdf"
    v3000 = (
        "\n  hand\n\n  0  0  0  0  0  0  0  0  0  0999 V3000\n"
        "M  V30 BEGIN CTAB\nM  V30 COUNTS 99999999 0 0 0 0\nM  END\n$$$$\n"
    )
    path.write_text(v3000)
    assert [record.reason.split(":")[0] for record in read(path)] == ["too large"]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.xyz", b"", "ending"),
        ("a.smi.gz", b"not gzip", "cannot be read"),
        ("a.smi.gz", gzip.compress(b"CCO\n" * 1000, mtime=0)[:-12], "cannot be read"),
        ("missing.smi", None, "no such file"),
    ],
)
def test_mistakes(tmp_path, name, content, told):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=told):
        list(read(tmp_path / name))


@pytest.mark.parametrize("ending", ["smi", "csv", "sdf"])
def test_mutated_files_give_records(tmp_path, ending):
    """Whatever the bytes, a file is records with verdicts, or one error of the user."""
    rng = random.Random(ending)
    sound = {
        "smi": b"CCO\nc1ccccc1O\nC[C@H](N)C(=O)O\n[NH4+].[Cl-]\n",
        "csv": b"index,smiles\n1,CCO\n2,c1ccccc1O\n3,C[C@H](N)C(=O)O\n",
        "sdf": (BLOCK.format("C") + BLOCK.format("N")).encode(),
    }[ending]
    path = tmp_path / f"a.{ending}"
    for _ in range(150):
        content = bytearray(sound)
        for _ in range(rng.randint(1, 6)):
            place = rng.randrange(len(content))
            content[place : place + rng.randint(0, 3)] = bytes(rng.randrange(256) for _ in range(rng.randint(0, 4)))
        path.write_bytes(content)
        try:
            for record in read(path):
                judged = judge(record)
                assert (judged.canonical is None) == bool(judged.reason)
        except UserError as error:
            assert str(path) in str(error) and "\n" not in str(error)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000,
        "C(" * 900 + ")" * 900,
        "C1CC2CC3CC4CC5CC6CC7CC8CC9" * 30,
        "[" * 3000,
        "C%(99999)CC%(99999)",
        "[999C]",
        "[C+99]",
        "C" * 1000,
        "CC(C)(C)" * 200 + "C",
        "[U@OH30](C)(C)",
        "C~C",
        "C->[Fe]",
        "CC>>CC",
        "=HYPERLINK(1)",
        "\x00C",
    ],
)
def test_hostile_smiles(tmp_path, text):
    path = tmp_path / "a.smi"
    path.write_text(f"CCO\n{text}\nO\n")
    got = [judge(record).canonical for record in read(path)]
    assert got[0] == "CCO" and got[-1] == "O"

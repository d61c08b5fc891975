"""Importing users' files: what is broken is counted, too much of it stops, nothing is left behind."""

from __future__ import annotations

import errno
import gzip

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from symdiff.data import importer
from symdiff.data.dataset import Dataset
from symdiff.data.importer import ImportSettings
from symdiff.data.importing import import_files
from symdiff.data.parsing import parse, parse_here
from symdiff.domains import kinds
from symdiff.domains.arrays import pack
from symdiff.domains.file_kinds import FileKind
from symdiff.domains.graph import Graph
from symdiff.domains.molecule import MolecularGraph
from symdiff.errors import UserError
from symdiff.storage import atomic

GOOD = ["C", "CC", "CCO", "C#N", "c1ccncc1", "FC=O", "OCC1CC1", "N", "CC", "O=C=O", "C[N+](=O)[O-]", "CS(C)=O"]
BROKEN = ["C(", "C[O]", "CC.O"]


def names(path):
    return sorted(entry.name for entry in path.iterdir())


def test_smiles_are_imported_and_broken_rows_counted(tmp_path):
    (tmp_path / "m.smi").write_text(
        "smiles\n" + "\n".join(f"{text} name {k}" for k, text in enumerate(GOOD + GOOD[2:6] + BROKEN)) + "\n\n"
    )
    dataset = import_files([tmp_path / "m.smi"], tmp_path / "set")
    assert len(dataset) == 16 and dataset.meta["rows"] == 20 and dataset.meta["duplicates"] == 5
    assert dataset.meta["left_out"] == {"syntax": 1, "radical": 1, "fragments": 1, "empty": 1}
    assert dataset.symbols == ("C", "O", "N", "F", "N+", "O-", "S")  # by frequency, then by atomic number
    assert dataset.domain.codec.smiles(dataset.batch([0, 6, 10])) == ["C", "OCC1CC1", "C[N+](=O)[O-]"]
    assert dataset.meta["source"]["files"][0]["file"] == "m.smi"
    assert names(tmp_path) == ["m.smi", "set"]


def test_more_than_a_fifth_broken_stops(tmp_path):
    (tmp_path / "m.smi").write_text("\n".join(GOOD[:8] + BROKEN))
    with pytest.raises(
        UserError, match=r"3 of 11 rows are broken, at most a fifth .*radical: 1.*; nothing was written"
    ):
        import_files([tmp_path / "m.smi"], tmp_path / "set")
    assert names(tmp_path) == ["m.smi"]


def test_csv_columns_and_splits(tmp_path):
    rows = [f'{k},"{text}",{["train", "val", "test"][k % 3]}' for k, text in enumerate(GOOD)]
    with gzip.open(tmp_path / "m.csv.gz", "wt") as file:
        file.write("id,molecule,part\n" + "\n".join(rows))
    dataset = import_files(
        [tmp_path / "m.csv.gz"], tmp_path / "set", ImportSettings(column="molecule", split_column="part")
    )
    assert dataset.meta["splits"] == {"train": 4, "valid": 4, "test": 4}
    with pytest.raises(UserError, match=r"no column 'molecules' \(did you mean 'molecule'\?\)"):
        import_files([tmp_path / "m.csv.gz"], tmp_path / "other", ImportSettings(column="molecules"))
    with pytest.raises(UserError, match="split: expected one of train, valid, test, got '0'"):
        import_files([tmp_path / "m.csv.gz"], tmp_path / "other", ImportSettings(column="molecule", split_column="id"))


def test_sdf_and_hydrogens(tmp_path):
    domain = MolecularGraph(["C", "N", "O", "F", "S", "N+", "O-"])
    domain.write(domain.decode(domain.collate([domain.encode(text) for text in GOOD])), tmp_path / "m.sdf")
    dataset = import_files([tmp_path / "m.sdf"], tmp_path / "set", ImportSettings(hydrogens=True))
    assert dataset.symbols[0] == "H" and len(dataset) == 12 and dataset.num_nodes[0] == 5
    smiles = domain.codec.smiles(domain.collate([domain.encode(text) for text in GOOD]))
    assert dataset.domain.codec.smiles(dataset.batch(torch.arange(12))) == smiles


def test_equal_molecules_share_a_split(tmp_path):
    (tmp_path / "m.smi").write_text("\n".join(["CCO", "OCC", "C(O)C"] * 5 + GOOD))
    dataset = import_files([tmp_path / "m.smi"], tmp_path / "set")
    assert len(dataset.columns.arrays["split"][:15].unique()) == 1


def test_graphs_of_several_files(tmp_path):
    domain = Graph(edge_classes=3)
    graphs = [nx.path_graph(n) for n in range(1, 6)]
    graphs[3].edges[0, 1]["label"] = 2
    domain.write(graphs, tmp_path / "a.graphml")
    domain.write(graphs, tmp_path / "b.npz")
    dataset = import_files([tmp_path / "a.graphml", tmp_path / "b.npz"], tmp_path / "set", ImportSettings(max_nodes=4))
    assert dataset.meta["left_out"] == {"too large": 2} and len(dataset) == 8
    assert dataset.domain.spec == {"kind": "Graph", "node_classes": 1, "edge_classes": 3, "max_nodes": 4}
    assert dataset.meta["duplicates"] == 4 and dataset.meta["order"] == "source"


def test_the_split_of_npz_files_is_kept(tmp_path):
    edges, stops = np.array([[0, 1], [0, 1], [1, 2]]), np.array([0, 1, 3])
    np.savez(tmp_path / "g.npz", num_nodes=np.array([2, 3]), edge_ptr=stops, edges=edges, split=np.array([2, 0]))
    assert import_files([tmp_path / "g.npz"], tmp_path / "set").meta["splits"] == {"train": 1, "valid": 0, "test": 1}


@pytest.mark.parametrize(
    ("files", "settings", "error"),
    [
        ([], {}, "no files"),
        (["m.smi", "g.graphml"], {}, "expected files of one kind, got molecules in m.smi; graphs in g.graphml"),
        (["m.smi"], {"column": "smiles"}, "only a table, such as .csv or .tsv, has them"),
        (["g.graphml"], {"hydrogens": True}, "columns and hydrogens are settings for molecules"),
        (["empty.smi"], {}, "no molecule could be read .1 empty: empty.smi, record 1: no text."),
        (["none.smi"], {}, "no such file"),
        (["m.pdb"], {}, "no such file"),
        (["m.pkl"], {}, "no such file"),
        (["m.cif"], {}, "no such file"),
        (["m.smy"], {}, "did you mean '.smi'"),
        (["bad.smi"], {}, "no molecule could be read"),
    ],
)
def test_what_cannot_be_imported_writes_nothing(tmp_path, files, settings, error):
    (tmp_path / "m.smi").write_text("CC\n")
    (tmp_path / "empty.smi").write_text("\n")
    (tmp_path / "bad.smi").write_text("((\n")
    domain = MolecularGraph(["C"])
    domain.write(domain.decode(domain.collate([domain.encode("CC")])), tmp_path / "m.sdf")
    Graph().write([nx.path_graph(2)], tmp_path / "g.graphml")
    before = names(tmp_path)
    with pytest.raises(UserError, match=error):
        import_files([tmp_path / name for name in files], tmp_path / "set", ImportSettings(**settings))
    assert names(tmp_path) == before


def test_an_existing_folder_is_left_alone(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "m.smi").write_text("CC\n")
    with pytest.raises(UserError, match="exists already"):
        import_files([tmp_path / "m.smi"], tmp_path / "set")
    assert names(tmp_path / "set") == []


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "m.smi").write_text("\n".join(GOOD))
    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(UserError, match="No space left on device"):
        import_files([tmp_path / "m.smi"], tmp_path / "set")
    assert names(tmp_path) == ["m.smi"]


@pytest.mark.slow
def test_worker_processes_give_what_this_process_gives():
    rows = (GOOD + BROKEN) * 80
    seen: list[tuple[int, int]] = []
    here, there = parse_here(rows), parse(rows, workers=2, progress=lambda *call: seen.append(call))
    assert here.reason == there.reason and seen == [(1200, 1200)]
    for name in ("num_nodes", "num_edges", "element", "charge", "edges", "order"):
        first, second = getattr(here, name), getattr(there, name)
        assert first.dtype == second.dtype and np.array_equal(first, second)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(max_size=30), st.text("CNOcno()[]=#+-1%.@/\\H*>~$:", max_size=30)))
def test_any_text_is_a_molecule_or_a_reason(text):
    parsed = parse_here([text])
    assert parsed.reason[0] or parsed.num_nodes[0] > 0


def test_rows_that_are_too_long_are_not_parsed():
    assert parse_here(["C" * 10_000_000], max_nodes=9).reason == ["too long: over 10000 characters"]
    assert parse_here(["C" * 10], max_nodes=9).reason == ["too large: 10 atoms, at most 9 are read"]


def test_a_kind_of_ones_own_is_recognized_and_imported(tmp_path, monkeypatch):
    """Numbers of nodes, one a line, are paths of so many: one more kind of files, without a change to the package."""
    monkeypatch.setattr(kinds, "_KINDS", dict(kinds._KINDS))
    kinds.register(FileKind("path", "paths", lambda path, wanted: path.suffix == ".paths"))
    (tmp_path / "a.paths").write_text("3\n5\n")
    with pytest.raises(UserError, match="a.paths: holds paths, which are not imported"):
        import_files([tmp_path / "a.paths"], tmp_path / "set")

    def read(paths, meta, settings):
        domain = Graph()
        records = [domain.encode(nx.path_graph(int(line))) for path in paths for line in path.read_text().split()]
        arrays = {**pack(records, domain.schema), "split": np.zeros(len(records), np.uint8)}
        return Dataset.from_arrays(domain, arrays, {"order": "source", "rows": len(records), "left_out": {}, **meta})

    monkeypatch.setitem(importer.IMPORTERS, "path", importer.Importer(read))
    assert import_files([tmp_path / "a.paths"], tmp_path / "set").num_nodes.tolist() == [3, 5]
    with pytest.raises(UserError, match="settings for molecules as graphs; these are files of paths"):
        import_files([tmp_path / "a.paths"], tmp_path / "other", ImportSettings(column="smiles"))
    with pytest.raises(UserError, match="got paths in a.paths; graphs in b.graphml"):
        Graph().write([nx.path_graph(2)], tmp_path / "b.graphml")
        import_files([tmp_path / "a.paths", tmp_path / "b.graphml"], tmp_path / "both")

"""Named data sets: found, built once, checked; without their files one line that says what to do."""

from __future__ import annotations

import io
import os
import tarfile

import numpy as np
import pytest
import torch

from symdiff.data.download import Remote
from symdiff.data.registry import open_dataset
from symdiff.data.sets import moses as moses_module
from symdiff.data.sets import qm9 as qm9_module
from symdiff.data.sets.enumeration import ATOMS, enumerate_molecules
from symdiff.data.sets.qm9 import _originals, edm_split, smiles_table
from symdiff.data.sets.table import TABLE
from symdiff.domains.molecule import MolecularGraph
from symdiff.errors import UserError
from symdiff.state import State


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SYMDIFF_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SYMDIFF_DATA", raising=False)
    return tmp_path / "cache"


@pytest.mark.slow
def test_small_molecules_need_no_data_and_are_built_once(cache):
    dataset = open_dataset("small-molecules")
    assert len(dataset) == 5453 and dataset.symbols == ATOMS and dataset.meta["duplicates"] == 0
    stamp = (cache / "datasets" / "small-molecules").stat().st_mtime_ns
    assert len(open_dataset("small-molecules").split("train")) == 4368
    assert (cache / "datasets" / "small-molecules").stat().st_mtime_ns == stamp
    assert open_dataset(cache / "datasets" / "small-molecules").meta == dataset.meta
    assert open_dataset("small-molecules", order="breadth").meta["order"] == "breadth"


def test_a_damaged_cache_is_named(cache):
    folder = cache / "datasets" / "planar"
    folder.mkdir(parents=True)
    with pytest.raises(UserError, match=f"{folder}: not a data set folder"):
        open_dataset("planar")


def test_unknown_names_are_user_errors(cache):
    with pytest.raises(UserError, match="no data set or folder 'qm8' .did you mean 'qm9'"):
        open_dataset("qm8")


DRAWN = {
    "community-graphs",
    "erdos-renyi",
    "symmetric-graphs",
    "max-cut",
    "independent-set",
    "removed-links",
    "triangular",
    "spin-tori",
}
COMPUTED = DRAWN | {
    name for name in TABLE if name.startswith(("small-molecules", "ground-states-", "spin-glass-", "ising-"))
}


FETCHED = {"qm9", "qm9-h", "moses", "moses-scaffolds"}


@pytest.mark.parametrize("name", sorted(set(TABLE) - COMPUTED - FETCHED))
def test_sets_without_a_known_checksum_need_the_folder(cache, name):
    with pytest.raises(UserError, match="set SYMDIFF_DATA to the folder that holds it"):
        open_dataset(name)
    assert not (cache / "datasets").exists()


def test_missing_files_are_named(cache, tmp_path, monkeypatch):
    monkeypatch.setenv("SYMDIFF_DATA", str(tmp_path))
    with pytest.raises(UserError, match="qm9_smiles.csv.gz: no such file"):
        open_dataset("qm9")


def test_without_a_network_the_other_way_is_named(cache, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(qm9_module, "QM9_ARCHIVE", Remote("x", "http://127.0.0.1:9/x", "0" * 64, 1))
    with pytest.raises(UserError, match="cannot be downloaded .*; or set SYMDIFF_DATA"):
        open_dataset("qm9")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["moses", "moses-scaffolds"])
def test_a_package_that_cannot_be_had_is_named(cache, monkeypatch, name):
    monkeypatch.setattr(moses_module, "WHEEL", "no-such-package==0.0.0")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    with pytest.raises(UserError, match="no-such-package==0.0.0: cannot be downloaded .*; or set SYMDIFF_DATA"):
        open_dataset(name)


def test_benchmarks_are_read_from_the_folder(cache, tmp_path, monkeypatch):
    (tmp_path / "graphs").mkdir()
    edges, stops = np.array([[0, 1]] * 20), np.arange(21)
    sizes, labels = np.full(20, 2), np.tile([0, 3], 20)
    for name in ("ego_small", "high_tls_200"):
        np.savez(tmp_path / "graphs" / name, num_nodes=sizes, edge_ptr=stops, edges=edges, node_label=labels)
    monkeypatch.setenv("SYMDIFF_DATA", str(tmp_path))
    ego, tls = open_dataset("ego_small"), open_dataset("high_tls")
    assert ego.meta["splits"] == {"train": 14, "valid": 2, "test": 4} and ego.domain.node_classes == 1
    assert tls.domain.node_classes == 4 and ego.meta["source"]["files"][0]["file"] == "ego_small.npz"


def test_zinc_keeps_its_test_split(cache, tmp_path, monkeypatch):
    import gzip

    (tmp_path / "zinc").mkdir()
    rows = "".join(f"{'C' * (n + 1)}O,{'test' if n % 4 == 0 else 'valid'}\n" for n in range(40))
    with gzip.open(tmp_path / "zinc" / "zinc250k_subset.csv.gz", "wt") as file:
        file.write("smiles,split\n" + rows)
    monkeypatch.setenv("SYMDIFF_DATA", str(tmp_path))
    zinc = open_dataset("zinc")
    assert zinc.meta["splits"]["test"] == 10 and zinc.meta["splits"]["train"] > 25


def entry(number: int, smiles: str, atoms: int) -> str:
    coordinates = "".join(f"C\t0.0\t{k}.0\t0.0\t0.1\n" for k in range(atoms))
    return f"{atoms}\ngdb {number}\t1.0\t2.0\n{coordinates}100.0\t200.0\n{smiles}\t{smiles}X\nInChI=1\tInChI=1\n"


def test_the_authors_files_and_the_table_give_the_same_rows(tmp_path):
    import gzip

    smiles = ["C", "N", "CC", "CCO", "C#N", "C1CC1"]
    with tarfile.open(tmp_path / "a.tar.bz2", "w:bz2") as archive:
        for number in (3, 1, 2, 6, 5, 4):
            data = entry(number, smiles[number - 1], number + 2).encode()
            info = tarfile.TarInfo(f"dsgdb9nsd_{number:06d}.xyz")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    listed = [f"head {k}" for k in range(9)] + ["   2   N   N   1.0", "   5   C#N   C   2.0", "2 compounds", ""]
    (tmp_path / "u.txt").write_text("\n".join(listed))
    with gzip.open(tmp_path / "t.csv.gz", "wt") as file:
        file.write("index,smiles_gdb17,smiles_b3lyp,uncharacterized\n")
        file.writelines(f"{k + 1},{text},{text},{int(k in (1, 4))}\n" for k, text in enumerate(smiles))
    want = [(text, k in (1, 4)) for k, text in enumerate(smiles)]
    assert _originals(tmp_path / "a.tar.bz2", tmp_path / "u.txt") == smiles_table(tmp_path / "t.csv.gz") == want


def test_a_wrong_archive_is_a_user_error(tmp_path):
    (tmp_path / "u.txt").write_text("\n" * 10)
    with tarfile.open(tmp_path / "a.tar.bz2", "w:bz2") as archive:
        info = tarfile.TarInfo("x.xyz")
        info.size = 3
        archive.addfile(info, io.BytesIO(b"abc"))
    with pytest.raises(UserError, match="x.xyz: not an entry of QM9"):
        _originals(tmp_path / "a.tar.bz2", tmp_path / "u.txt")


def test_the_split_has_a_tenth_to_test():
    split = edm_split(1000, train=800)
    assert np.bincount(split).tolist() == [800, 100, 100]
    with pytest.raises(UserError, match="expected more than 100000 characterized molecules, got 1000"):
        edm_split(1000)


needs_data = pytest.mark.skipif(
    not os.path.isfile(os.path.join(os.environ.get("SYMDIFF_DATA", ""), "qm9", "qm9_geom.npz")),
    reason="QM9's own counts need its files: SYMDIFF_DATA does not name a folder with qm9/qm9_geom.npz",
)


@pytest.mark.slow
@needs_data
def test_qm9_is_what_its_authors_published():
    with np.load(os.path.join(os.environ["SYMDIFF_DATA"], "qm9", "qm9_geom.npz"), allow_pickle=False) as file:
        published = file["edm_split"]
    assert np.array_equal(edm_split(130831), published[published != 255])
    qm9 = open_dataset("qm9")
    assert qm9.meta["splits"] == {"train": 100000, "valid": 17748, "test": 13083}
    assert qm9.meta["left_out"] == {"uncharacterized": 3054} and qm9.meta["duplicates"] == 130831 - 130744
    assert qm9.symbols == ("C", "O", "N", "F", "N+", "O-", "C-", "N-") and qm9.num_nodes.max() == 9
    small = MolecularGraph(ATOMS)
    known = set()
    for size in range(1, 6):
        labels, bonds = (torch.from_numpy(array).long() for array in enumerate_molecules(size))
        mask = torch.ones(labels.shape, dtype=torch.bool)
        known |= set(small.codec.smiles(State(mask, small.schema, {"atom": labels, "bond": bonds})))
    few = qm9.batch(torch.nonzero(qm9.num_nodes <= 5)[:, 0])
    neutral = [text for text in qm9.domain.codec.smiles(few) if "+" not in text and "-" not in text]
    assert len(neutral) > 160 and set(neutral) <= known

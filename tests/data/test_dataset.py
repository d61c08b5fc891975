"""Data sets: what goes in comes out, in any batch; nothing damaged opens."""

from __future__ import annotations

import errno
import hashlib
import json

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save

from symdiff.data.dataset import Dataset
from symdiff.domains.arrays import pack, unpack
from symdiff.domains.molecule import MolecularGraph
from symdiff.errors import UserError
from symdiff.storage import atomic, sealed

DOMAIN = MolecularGraph(["C", "N", "O", "F"])
SMILES = ["C", "CC", "CCO", "C#N", "c1ccncc1", "FC=O", "OCC1CC1", "N", "CC", "O=C=O"]
SPLIT = np.array([0, 0, 0, 0, 0, 0, 1, 1, 2, 2], np.uint8)


@pytest.fixture
def records() -> list[dict]:
    return [DOMAIN.encode(text) for text in SMILES]


@pytest.fixture
def dataset(records) -> Dataset:
    return Dataset.from_arrays(
        DOMAIN, {**pack(records, DOMAIN.schema), "split": SPLIT}, {"name": "ten", "order": "smiles"}
    )


def test_unpack_undoes_pack(records):
    again = unpack(pack(records, DOMAIN.schema), DOMAIN.schema)
    assert all(np.array_equal(a[name], b[name]) for a, b in zip(records, again, strict=True) for name in a)


def test_a_batch_is_what_its_records_say(dataset, records):
    index = [4, 0, 8, 4]
    state = dataset.batch(index, nodes=8)
    assert state.mask.shape == (4, 8) and state["atom"].dtype == state["bond"].dtype == torch.int64
    for row, k in enumerate(index):
        record, n = records[k], len(records[k]["atom"])
        bonds = np.zeros((8, 8), np.int64)
        for (i, j), order in zip(record["edges"], record["bond"], strict=True):
            bonds[i, j] = bonds[j, i] = order
        assert state.mask[row].sum() == n
        assert state["atom"][row].tolist() == record["atom"].tolist() + [0] * (8 - n)
        assert np.array_equal(state["bond"][row].numpy(), bonds)


def test_a_batch_is_padded_to_its_largest(dataset):
    assert dataset.batch([0, 1]).mask.shape == (2, 2)
    assert dataset.batch([]).mask.shape == (0, 0)
    with pytest.raises(ValueError, match="cannot pad to 3 nodes: a structure has 6"):
        dataset.batch([4], nodes=3)


def test_splits_and_views_number_their_own_structures(dataset):
    test = dataset.split("test")
    assert [len(dataset.split(name)) for name in ("train", "valid", "test")] == [6, 2, 2]
    assert DOMAIN.codec.smiles(test.batch([1, 0])) == ["O=C=O", "CC"]
    assert DOMAIN.codec.smiles(test.select([1]).batch([0])) == ["O=C=O"]
    with pytest.raises(UserError, match=r"no split 'tset' \(did you mean 'test'\?\)"):
        dataset.split("tset")
    with pytest.raises(UserError, match="the split 'test' is empty"):
        dataset.select([0, 1]).split("test")


def test_marginals_and_sizes_of_a_view_are_counts(dataset):
    view = dataset.select([2, 3, 9])  # CCO, C#N, O=C=O
    marginals = view.marginals()
    assert marginals["atom"] == pytest.approx([4 / 8, 1 / 8, 3 / 8, 0])
    assert marginals["bond"] == pytest.approx([2 / 7, 2 / 7, 2 / 7, 1 / 7])
    assert view.size_histogram() == pytest.approx([0, 0, 1 / 3, 2 / 3])
    assert view.num_nodes.tolist() == [3, 2, 3] and view.num_edges.tolist() == [2, 1, 2]


def test_save_and_open_keep_everything(dataset, tmp_path):
    dataset.save(tmp_path / "ten")
    again = Dataset.open(tmp_path / "ten")
    assert again.meta["splits"] == {"train": 6, "valid": 2, "test": 2} and again.meta["count"] == 10
    assert again.symbols == DOMAIN.atoms and again.domain.spec == DOMAIN.spec
    everything = torch.arange(10)
    first, second = dataset.batch(everything), again.batch(everything)
    assert torch.equal(first["atom"], second["atom"]) and torch.equal(first["bond"], second["bond"])
    assert [entry.name for entry in tmp_path.iterdir()] == ["ten"]


def test_saving_never_overwrites_unasked(dataset, tmp_path):
    dataset.save(tmp_path / "ten")
    with pytest.raises(UserError, match="exists already"):
        dataset.save(tmp_path / "ten")
    dataset.save(tmp_path / "ten", replace=True)
    with pytest.raises(ValueError, match="a view cannot be saved"):
        dataset.split("test").save(tmp_path / "view")


@pytest.mark.parametrize("call", ["fsync", "rename"])
def test_a_full_disk_leaves_nothing(dataset, tmp_path, monkeypatch, call):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    if call == "fsync":
        monkeypatch.setattr(atomic.os, "fsync", full)
    else:
        monkeypatch.setattr(type(tmp_path), "replace", full)
    with pytest.raises(UserError, match="ten: cannot be written .No space left on device."):
        dataset.save(tmp_path / "ten")
    assert not list(tmp_path.iterdir())


def test_a_file_that_outgrows_its_limit_leaves_nothing(dataset, tmp_path):
    resource = pytest.importorskip("resource", reason="no limits of file sizes on this system")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, hard))
    try:
        with pytest.raises(UserError, match="ten: cannot be written .File too large."):
            dataset.save(tmp_path / "ten")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.iterdir())


def test_two_that_save_at_once_leave_one_whole_folder(dataset, tmp_path, monkeypatch):
    path = tmp_path / "ten"
    write = atomic._sync

    def meanwhile(file):
        monkeypatch.setattr(atomic, "_sync", write)
        dataset.save(path)

    monkeypatch.setattr(atomic, "_sync", meanwhile)
    dataset.keep(path)
    assert len(Dataset.open(path)) == 10 and [entry.name for entry in tmp_path.iterdir()] == ["ten"]


def test_a_folder_that_cannot_be_made_is_a_user_error(dataset, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        dataset.save(tmp_path / "file" / "ten")


def damage_missing_meta(path):
    (path / "dataset.json").unlink()


def damage_missing_arrays(path):
    (path / "arrays.safetensors").unlink()


def damage_json(path):
    (path / "dataset.json").write_text("{")


def damage_json_list(path):
    (path / "dataset.json").write_text("[]")


def damage_bit(path):
    data = bytearray((path / "arrays.safetensors").read_bytes())
    data[-1] ^= 1
    (path / "arrays.safetensors").write_bytes(data)


def damage_short(path):
    (path / "arrays.safetensors").write_bytes((path / "arrays.safetensors").read_bytes()[:-5])


def resign(path, **changes):
    meta = json.loads((path / "dataset.json").read_text())
    meta["arrays"]["sha256"] = sealed.sha256(path / "arrays.safetensors")
    (path / "dataset.json").write_text(json.dumps({**meta, **changes}))


def damage_version(path):
    resign(path, version=99)


def damage_domain(path):
    resign(path, domain={"kind": "MolecularGrap", "atoms": ["C"]})


def damage_no_domain(path):
    resign(path, domain=None)


def damage_vocabulary(path):
    resign(path, domain={"kind": "MolecularGraph", "atoms": ["C"]})


def damage_pickle(path):
    (path / "arrays.safetensors").write_bytes(b"\x80\x04\x95")
    resign(path)


def rewrite(path, **changes):
    from safetensors.numpy import load_file, save_file

    arrays = load_file(path / "arrays.safetensors")
    save_file({k: v for k, v in {**arrays, **changes}.items() if v is not None}, path / "arrays.safetensors")
    resign(path)


def damage_edge_range(path):
    rewrite(path, edges=np.full((23, 2), 9, np.int16))


def damage_array_gone(path):
    rewrite(path, bond=None)


def damage_lengths(path):
    rewrite(path, num_nodes=np.full(10, 3, np.int32))


def damage_counts(path):
    rewrite(path, num_nodes=np.full(9, 3, np.int32))


@pytest.mark.parametrize("damage", [f for name, f in sorted(globals().items()) if name.startswith("damage_")])
def test_damaged_folders_are_refused_in_one_line(dataset, tmp_path, damage):
    path = tmp_path / "ten"
    dataset.save(path)
    damage(path)
    with pytest.raises(UserError) as caught:
        Dataset.open(path)
    assert "\n" not in str(caught.value) and str(caught.value)


def test_edges_listed_twice_are_refused(records):
    arrays = pack(records, DOMAIN.schema)
    arrays["edges"] = arrays["edges"].copy()
    arrays["edges"][2] = arrays["edges"][1]
    with pytest.raises(UserError, match="an edge is listed twice"):
        Dataset.from_arrays(DOMAIN, arrays, {"name": "ten"})


def test_a_batch_of_many_is_fast(dataset):
    """Vectorized: 20,000 structures take far less than a loop over them would."""
    import time

    index = torch.randint(10, (20_000,), generator=torch.Generator().manual_seed(0))
    start = time.perf_counter()
    dataset.batch(index)
    assert time.perf_counter() - start < 2


def _resealed(path, meta=None, **changes):
    """The folder with other arrays, and a description that names their SHA-256.

    What somebody who means harm can make.
    """
    arrays = {**load_file(path / "arrays.safetensors"), **changes}
    content = save({name: np.ascontiguousarray(array) for name, array in arrays.items() if array is not None})
    (path / "arrays.safetensors").write_bytes(content)
    about = json.loads((path / "dataset.json").read_text())
    about["arrays"]["sha256"] = hashlib.sha256(content).hexdigest()
    (path / "dataset.json").write_text(json.dumps({**about, **(meta or {})}))


HOSTILE = {
    "floats as sizes": {"num_nodes": np.full(10, 2.5)},
    "truth as splits": {"split": np.zeros(10, bool)},
    "split 7": {"split": np.full(10, 7, np.uint8)},
    "negative split": {"split": np.full(10, -1, np.int8)},
    "no arrays": {"edges": None},
    "counts that overflow": {"num_edges": np.full(10, 2**62)},
    "edges of one axis": {"edges": np.zeros(4, np.int16)},
    "floats as edges": {"edges": np.zeros((4, 2))},
    "floats as labels": {"atom": np.zeros(40)},
    "sizes of two axes": {"num_nodes": np.ones((10, 1), np.int32)},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_folder_made_to_do_harm_is_one_line(dataset, tmp_path, name):
    dataset.save(tmp_path / "ten")
    _resealed(tmp_path / "ten", **HOSTILE[name])
    with pytest.raises(UserError) as caught:
        Dataset.open(tmp_path / "ten")
    assert "\n" not in str(caught.value) and str(tmp_path / "ten") in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 100_000,
        b'{"a": ' + b"9" * 5000 + b"}",
        b"\xff\xfe",
        b"[]",
        b'{"format": "symdiff-dataset", "version": 1, "domain": {"kind": [1]}, "arrays": {}}',
    ],
)
def test_a_description_made_to_do_harm_is_one_line(dataset, tmp_path, text):
    dataset.save(tmp_path / "ten")
    (tmp_path / "ten" / "dataset.json").write_bytes(text)
    with pytest.raises(UserError) as caught:
        Dataset.open(tmp_path / "ten")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "domain",
    [
        {"kind": "Graph", "node_classes": 10**12},
        {"kind": "Graph", "edge_classes": -1},
        {"kind": ["Graph"]},
        {},
        {"kind": "os.system"},
    ],
)
def test_a_domain_made_to_do_harm_is_one_line(dataset, tmp_path, domain):
    dataset.save(tmp_path / "ten")
    _resealed(tmp_path / "ten", {"domain": domain})
    with pytest.raises(UserError) as caught:
        Dataset.open(tmp_path / "ten")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500

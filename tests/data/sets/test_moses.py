"""MOSES as its authors split it, from the folder of the data or from their own package."""

from __future__ import annotations

import gzip
import subprocess
import zipfile
from pathlib import Path

import pytest

from symdiff.data.sets import moses as module
from symdiff.data.sets.moses import moses
from symdiff.errors import UserError
from symdiff.storage.sealed import sha256

TRAIN = ["CCO", "c1ccccc1O", "CC(=O)N", "C1CCNCC1", "CCN", "CCCl"]
TEST = ["CCBr", "c1ccsc1"]


def folder(place: Path, ending: str, heading: str) -> Path:
    place.mkdir(parents=True)
    for name, lines in (("train", TRAIN), ("test", TEST), ("test_scaffolds", TEST[:1])):
        with gzip.open(place / f"{name}{ending}", "wt") as file:
            file.write(heading + "\n".join(lines) + "\n")
    return place


def test_the_folder_of_the_data(tmp_path, monkeypatch):
    folder(tmp_path / "moses", ".smi.gz", "")
    monkeypatch.setenv("SYMDIFF_DATA", str(tmp_path))
    dataset = moses()
    assert len(dataset) == 8 and len(dataset.split("test")) == 2 and dataset.meta["order"] == "smiles"
    assert len(moses(scaffolds=True).split("test")) == 1 and moses(scaffolds=True).meta["name"] == "moses-scaffolds"


def test_the_authors_package(tmp_path, monkeypatch):
    """What pip brings is read, checked by its hash and kept; what is another file is not used."""
    files = folder(tmp_path / "files", ".csv.gz", "SMILES\n")
    calls = []

    def download(command, **_):
        calls.append(command)
        with zipfile.ZipFile(Path(command[-1]) / "molsets-0.3.1-py3-none-any.whl", "w") as wheel:
            for path in files.iterdir():
                wheel.write(path, f"moses/dataset/data/{path.name}")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.delenv("SYMDIFF_DATA", raising=False)
    monkeypatch.setenv("SYMDIFF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(module.subprocess, "run", download)
    with pytest.raises(UserError, match="train.csv.gz is not the file of molsets==0.3.1: not used"):
        moses()
    monkeypatch.setattr(module, "SHA256", {path.name: sha256(path) for path in files.iterdir()})
    calls.clear()
    assert len(moses()) == 8 and len(calls) == 2
    assert len(moses()) == 8 and len(calls) == 2


def test_without_a_network_there_is_one_line(tmp_path, monkeypatch):
    failed = subprocess.CompletedProcess([], 1, "", "ERROR: No matching distribution found\n")
    monkeypatch.delenv("SYMDIFF_DATA", raising=False)
    monkeypatch.setenv("SYMDIFF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(module.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(UserError, match="cannot be downloaded .*No matching distribution.*SYMDIFF_DATA"):
        moses()

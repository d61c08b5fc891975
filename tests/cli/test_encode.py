"""Files of structures to files of latents and back, as a user does it."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
from rdkit import Chem

from symdiff.cli.main import main
from symdiff.config import recipe as recipes
from symdiff.pipeline import Pipeline
from symdiff.training.run import train

pytestmark = pytest.mark.slow

RECIPE = """
name: tiny-autoencoder
data: {dataset: small-molecules, order: smiles}
encoder: {kind: NetworkEncoder, dim: 16, network: {kind: NodeTransformer, width: 64, layers: 1, heads: 2}}
decoder: {kind: NetworkDecoder, nodes: 5, network: {kind: NodeTransformer, width: 64, layers: 2, heads: 2}}
breaker: {kind: SymPE, anchor: data, canonicalizer: {kind: Stored}, code: {kind: NodeCode, nodes: 5, dim: 4}}
training: {steps: 300, batch: {size: 64}, optimizer: {warmup: 10, learning_rate: 5.0e-3}, save: {every: 300},
  average: {decay: 0.9}, sample: {every: 0}, log: {every: 50}}
"""
SMILES = ["CCO", "C1CC1", "CC(C)C", "C#N", "OCC", "C1CCC1", "NCC=O"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    before = os.environ.get("SYMDIFF_CACHE")
    os.environ["SYMDIFF_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    out = tmp_path_factory.mktemp("runs") / "autoencoder"
    train(recipes.load(RECIPE), out)
    yield str(out / "checkpoint")
    if before is None:
        del os.environ["SYMDIFF_CACHE"]
    else:
        os.environ["SYMDIFF_CACHE"] = before


def run(capsys, *arguments: object) -> tuple[int, str, str]:
    import sys
    from unittest.mock import patch

    with patch.object(sys, "argv", ["symdiff", *map(str, arguments)]), pytest.raises(SystemExit) as stop:
        main()
    captured = capsys.readouterr()
    return int(stop.value.code or 0), captured.out, captured.err


def test_what_is_encoded_comes_back(checkpoint, tmp_path, capsys):
    source, latents, out = tmp_path / "in.smi", tmp_path / "latents.npz", tmp_path / "out.smi"
    source.write_text("\n".join(SMILES) + "\n")
    code, text, _ = run(capsys, "encode", source, "--checkpoint", checkpoint, "--out", latents, "--json")
    values = json.loads(text)
    assert code == 0 and values["count"] == len(SMILES) and values["dim"] == 16 and values["left_out"] == {}
    code, text, _ = run(capsys, "decode", latents, "--checkpoint", checkpoint, "--out", out, "--json")
    assert code == 0 and json.loads(text)["count"] == len(SMILES) and out.with_suffix(".png").is_file()
    canonical = [Chem.CanonSmiles(text) for text in SMILES]
    decoded = [Chem.CanonSmiles(line.split()[0]) for line in out.read_text().splitlines()]
    assert np.mean([a == b for a, b in zip(decoded, canonical, strict=True)]) > 0.8


def test_the_numbering_in_the_file_does_not_matter(checkpoint, tmp_path, capsys):
    """CCO and OCC are one molecule; a random order of atoms gives the same latent, whatever stands beside it."""
    mol = Chem.MolFromSmiles("NCC=O")
    shuffled = [
        Chem.MolToSmiles(Chem.RenumberAtoms(mol, order), canonical=False) for order in ([3, 1, 0, 2], [2, 0, 3, 1])
    ]
    latents = []
    for name, lines in (("one", ["NCC=O"]), ("many", [*SMILES, *shuffled])):
        (tmp_path / f"{name}.smi").write_text("\n".join(lines) + "\n")
        run(capsys, "encode", tmp_path / f"{name}.smi", "--checkpoint", checkpoint, "--out", tmp_path / f"{name}.npz")
        latents.append(np.load(tmp_path / f"{name}.npz")["latent"])
    same = np.concatenate([latents[0], latents[1][-3:]])
    assert np.abs(same - same[0]).max() < 1e-5
    assert np.abs(latents[1][0] - latents[1][4]).max() < 1e-5


def test_what_the_model_does_not_know_is_counted(checkpoint, tmp_path, capsys):
    source, latents, inputs = tmp_path / "in.smi", tmp_path / "latents.npz", tmp_path / "inputs.smi"
    source.write_text("CCO\nC[Si]C\nCCCCCCC\nC1CC1\nCC\nCCC\nC=O\nC\nnonsense\nCN\n")
    _, text, _ = run(
        capsys, "encode", source, "--checkpoint", checkpoint, "--out", latents, "--inputs", inputs, "--json"
    )
    values = json.loads(text)
    assert values["left_out"]["more than 5 nodes"] == 1 and sum(values["left_out"].values()) == 3
    assert len(inputs.read_text().splitlines()) == values["count"] == 7
    assert np.load(latents)["row"].tolist() == sorted(np.load(latents)["row"].tolist())


def test_python_and_the_command_line_agree(checkpoint, tmp_path, capsys):
    (tmp_path / "in.smi").write_text("\n".join(SMILES) + "\n")
    run(capsys, "encode", tmp_path / "in.smi", "--checkpoint", checkpoint, "--out", tmp_path / "latents.npz")
    pipeline = Pipeline.load(checkpoint)
    latents = pipeline.encode(SMILES)
    assert np.array_equal(np.load(tmp_path / "latents.npz")["latent"], latents.numpy())
    assert np.array_equal(pipeline.encode(SMILES, batch_size=32).numpy(), latents.numpy())
    assert sum(map(len, pipeline.decode(latents))) == len(SMILES)


def test_neighborhoods_and_ways(checkpoint, tmp_path, capsys):
    (tmp_path / "in.smi").write_text("CCO\nC1CC1\n")
    run(capsys, "encode", tmp_path / "in.smi", "--checkpoint", checkpoint, "--out", tmp_path / "two.npz")
    out = tmp_path / "out.smi"
    decode = ("decode", tmp_path / "two.npz", "--checkpoint", checkpoint, "--out", out)
    run(capsys, *decode, "--interpolate", 5)
    way = [Chem.CanonSmiles(line.split()[0], 0) for line in out.read_text().splitlines()]
    assert len(way) == 5 and (way[0], way[-1]) == ("CCO", "C1CC1")
    code, text, _ = run(capsys, *decode, "--noise", 0.2, "--copies", 4, "--seed", 3, "--json")
    first = out.read_text()
    run(capsys, *decode, "--noise", 0.2, "--copies", 4, "--seed", 3)
    assert code == 0 and json.loads(text)["count"] == 8 and out.read_text() == first


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"latent": np.zeros((3, 7), np.float32)}, "expected numbers of the shape (structures, 16), got float32"),
        ({"latent": np.full((3, 16), np.nan, np.float32)}, "3 latents are not finite, the first is number 1"),
        ({"latent": np.array([["a"] * 16])}, "latent: expected numbers"),
        ({"other": np.zeros(3)}, "expected an array 'latent', got other"),
        ({"latent": np.zeros((3, 16), np.float32), "decoder": np.array("0" * 64)}, "encoded for another decoder"),
    ],
    ids=["size", "nan", "text", "name", "decoder"],
)
def test_latents_that_do_not_fit_are_one_line(checkpoint, tmp_path, capsys, change, message):
    np.savez(tmp_path / "latents.npz", **change)
    code, _, error = run(
        capsys, "decode", tmp_path / "latents.npz", "--checkpoint", checkpoint, "--out", tmp_path / "out.smi"
    )
    assert code == 2 and message in error and error.count("\n") == 1 and not (tmp_path / "out.smi").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("encode", "in.smi", "--checkpoint", "tiny-graph", "--out", "a.npz"), "no such folder"),
        (("encode", "in.smi", "--checkpoint", "qm9-graph", "--out", "a.npz"), "this checkpoint has no encoder"),
        (("encode", "in.smi", "--checkpoint", "qm9-graph", "--out", "a.txt"), "latents are written to .npz"),
        (("encode", "none.smi", "--checkpoint", "CHECKPOINT", "--out", "a.npz"), "no data set or folder 'none.smi'"),
        (("decode", "none.npz", "--checkpoint", "CHECKPOINT", "--out", "a.smi"), "none.npz: no such file"),
        (("decode", "none.npz", "--checkpoint", "CHECKPOINT", "--out", "a.smi", "--copies", "3"), "without --noise"),
    ],
)
def test_mistakes_are_one_line(checkpoint, tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.smi").write_text("CCO\n")
    code, _, error = run(capsys, *(checkpoint if word == "CHECKPOINT" else word for word in arguments))
    assert code == 2 and message in error and error.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["in.smi"]

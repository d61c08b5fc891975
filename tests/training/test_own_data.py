"""Data of one's own: from a file to a trained model and its report, with no key set by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from symdiff.cli.main import app
from symdiff.config import recipe as recipes
from symdiff.data.registry import open_dataset
from symdiff.errors import UserError
from symdiff.training.auto import Facts, settle_by_data, settle_by_steps
from symdiff.training.own_recipe import own_recipe, write_recipe

MOLECULES = Path(__file__).parents[1] / "molecules.smi"
MINUTES = 0.01


def run(*words: object):
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stdout


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """An empty folder that commands run in."""
    monkeypatch.setenv("SYMDIFF_CACHE", str(tmp_path / "cache"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def geometries(count: int = 24) -> list:
    """Small molecules with coordinates."""
    from rdkit import Chem
    from rdkit.Chem import AllChem

    mols = []
    for k, smiles in enumerate(["CCO", "C1CC1", "CC=O", "CN", "CC(F)C", "c1ccccc1"] * (count // 6)):
        mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
        AllChem.EmbedMolecule(mol, randomSeed=k)  # pyright: ignore[reportAttributeAccessIssue]
        mols.append(mol)
    return mols


def smiles(path: Path) -> None:
    lines = MOLECULES.read_text().splitlines()
    path.write_text("smiles,name\n" + "".join(f"{line.split()[0]},x\n" for line in lines if len(line.split()[0]) < 45))


def sdf(path: Path) -> None:
    from rdkit import Chem

    with Chem.SDWriter(str(path)) as writer:
        for mol in geometries():
            writer.write(mol)


def extxyz(path: Path) -> None:
    blocks = []
    for mol in geometries():
        xyz = mol.GetConformer().GetPositions()
        rows = [
            f"{atom.GetSymbol()} {x:.6f} {y:.6f} {z:.6f}" for atom, (x, y, z) in zip(mol.GetAtoms(), xyz, strict=True)
        ]
        blocks.append("\n".join([str(len(rows)), "Properties=species:S:1:pos:R:3 energy=1.0", *rows]))
    path.write_text("\n".join(blocks) + "\n")


def graphs() -> list:
    import networkx as nx

    return [nx.gnp_random_graph(4 + k % 5, 0.5, seed=k) for k in range(40)]


def graphml(path: Path) -> None:
    from symdiff.domains.graph import Graph

    drawn = graphs()
    for k, graph in enumerate(drawn):
        for node in graph:
            graph.nodes[node]["label"] = (node + k) % 3
        for edge in graph.edges:
            graph.edges[edge]["label"] = 1 + sum(edge) % 2
    Graph(3, 3).write(drawn, path)


def dense(path: Path) -> None:
    import networkx as nx

    adjacency = np.zeros((40, 8, 8), np.uint8)
    for k, graph in enumerate(graphs()):
        adjacency[k, : len(graph), : len(graph)] = nx.to_numpy_array(graph, weight=None)
    np.savez(path, adjacency=adjacency, num_nodes=np.array([len(graph) for graph in graphs()]))


def spins(path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(path, spins=rng.choice([-1, 1], (60, 4, 4)).astype(np.int8), temperature=rng.uniform(2, 3, 60))


def potts(path: Path) -> None:
    labels = np.random.default_rng(0).integers(0, 3, (60, 3, 6)).astype(np.int8)
    np.savez(path, spins=labels, model="potts", states=3, lattice="triangular")


FILES = {
    "own.csv": (smiles, ("--count", 4), "s.smi", "mine"),
    "own.sdf": (sdf, ("--count", 4), "s.smi", "mine"),
    "own.extxyz": (extxyz, ("--count", 4, "--steps", 5), "s.extxyz", "none"),
    "own.graphml": (graphml, ("--count", 4), "s.graphml", "mine"),
    "dense.npz": (dense, ("--count", 4), "s.npz", "mine"),
    "spins.npz": (spins, ("--count", 40, "--size", 4, "--temperature", 2.5), "s.npz", "spins.npz"),
    "potts.npz": (potts, ("--count", 40, "--size", "3x6"), "s.npz", "none"),
}
"""What writes each, how its model is sampled, into what, and what the samples are compared with."""
QUICK = ("own.graphml", "spins.npz")


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in FILES]
)
def test_from_a_file_to_a_report_in_three_commands(name, place):
    write, options, samples, reference = FILES[name]
    write(place / name)

    run("data", "import", name, "--out", "mine")
    run("train", "mine", "--minutes", MINUTES)
    text = run("report", "runs/mine")

    assert "mine on mine: finished" in text and (place / "runs/mine/report.png").is_file()
    kept = recipes.load(place / "runs" / "mine" / "recipe.yaml")
    assert not kept.auto and kept.data.dataset == "mine"
    run("sample", "runs/mine/checkpoint", *options, "--out", samples)
    run("evaluate", samples, "--out", "scores", "--reference", reference)
    assert json.loads((place / "scores" / "metrics.json").read_text())


def test_drug_like_molecules_fit_whatever_their_size(place):
    smiles(place / "own.csv")
    run("data", "import", "own.csv", "--out", "mine")
    dataset = open_dataset("mine")
    recipe = settle_by_data(own_recipe("mine"), dataset)
    assert recipe.breaker["code"]["nodes"] == dataset.num_nodes.max() > 20  # pyright: ignore[reportIndexIssue]
    assert recipe.data.order == "smiles"
    assert recipe.training.batch.size <= len(dataset.split("train"))
    assert not settle_by_steps(recipe, 10).auto


def test_a_batch_is_smaller_where_structures_are_larger():
    from symdiff.data.dataset import Dataset
    from symdiff.domains.arrays import pack
    from symdiff.domains.graph import Graph

    domain, sizes = Graph(), []
    for nodes in (8, 64, 512):
        path = np.stack([np.arange(nodes - 1), np.arange(1, nodes)], 1)
        records = [domain.codec.record(np.zeros(nodes, int), path, np.ones(nodes - 1, int))] * 300
        dataset = Dataset.from_arrays(domain, pack(records, domain.schema), {"name": "paths"})
        sizes.append(Facts(dataset, minutes=200).batch)
    assert sizes[0] > sizes[1] > sizes[2] >= 1


def test_the_written_recipe_is_the_one_that_is_trained(place):
    graphml(place / "own.graphml")
    run("data", "import", "own.graphml", "--out", "my data")
    run("recipe", "new", "my data", "--out", "mine.yaml")
    written = recipes.load("mine.yaml")
    assert written == own_recipe("my data") and written.name == "my-data" and written.data.dataset == "my data"
    assert "#   breaker/code/nodes 8\n" in (place / "mine.yaml").read_text()
    assert write_recipe("my data") == (place / "mine.yaml").read_text()
    done = CliRunner().invoke(app, ["recipe", "new", "my data", "--out", "mine.yaml"])
    assert done.exit_code == 2 and "exists already" in done.stderr


def test_a_run_with_auto_goes_on_with_what_was_decided(place):
    spins(place / "own.npz")
    run("data", "import", "own.npz", "--out", "mine")
    run("train", "mine", "--set", "training/steps=2", "--set", "training/save/every=1")
    assert "nothing was left to do" in run("train", "mine", "--resume", "runs/mine", "--set", "training/steps=2")
    done = CliRunner().invoke(app, ["train", "--resume", "runs/mine", "--minutes", "1"])
    assert done.exit_code == 2 and "a resumed run keeps its steps" in done.stderr


def test_what_a_failed_start_left_does_not_block_the_retry(place):
    spins(place / "own.npz")
    run("data", "import", "own.npz", "--out", "mine")
    dead = place / "runs" / "mine"
    (dead / "state").mkdir(parents=True)  # as a kill before the first state leaves it
    (dead / "recipe.yaml").write_text(recipes.dump(own_recipe("mine")))
    (dead / "log.jsonl").write_text('{"kind": "train", "st')
    run("train", "mine", "--set", "training/steps=2")
    assert [json.loads(line)["step"] for line in (dead / "log.jsonl").read_text().splitlines()][0] == 1
    done = CliRunner().invoke(app, ["train", "mine", "--set", "training/steps=2"])
    assert done.exit_code == 2 and "a training run is there already" in done.stderr


def test_auto_where_it_means_nothing_is_refused_and_leaves_nothing(place):
    spins(place / "own.npz")
    run("data", "import", "own.npz", "--out", "mine")
    done = CliRunner().invoke(app, ["train", "mine", "--set", "training/seed=auto"])
    assert done.exit_code == 2 and "training/seed: auto means nothing here" in done.stderr
    assert not (place / "runs").exists()


def test_data_without_a_recipe_say_so(place, monkeypatch):
    from symdiff.domains.graph import Graph

    graphml(place / "own.graphml")
    run("data", "import", "own.graphml", "--out", "mine")
    monkeypatch.setattr(Graph, "recipe", None)
    with pytest.raises(UserError, match="there is no recipe for every Graph; name one"):
        own_recipe("mine")


def test_a_network_is_smaller_where_few_steps_would_fit(place, monkeypatch):
    from symdiff.training import run as training
    from symdiff.training.processes import launch

    smiles(place / "own.csv")
    run("data", "import", "own.csv", "--out", "mine")
    widths, paces = [], iter([1.0, 1.0, 0.001])

    def pace(subject, settings, accelerator) -> float:
        widths.append(subject.model.denoiser.config["width"])
        return next(paces)

    monkeypatch.setattr(training, "measure_pace", pace)
    decided = training.settle(own_recipe("mine"), launch(), 15)  # level 1, then 0, which is the last
    assert widths == [128, 64] and decided.training.steps <= 15 * 60
    decided = training.settle(own_recipe("mine"), launch(), 15)
    assert widths == [128, 64, 128] and 800_000 < decided.training.steps <= 900_000

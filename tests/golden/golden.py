"""What the bundled checkpoints, an evaluation of one file a kind and a short training gave when they were recorded.

``python tests/golden/golden.py`` records anew: only after a change that is meant to change results, which its commit
explains.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from typer.testing import CliRunner

from symdiff.cli.main import app

HERE = Path(__file__).parent
SAMPLES = {
    "qm9-graph": "--count 40 --steps 10",
    "qm9-h-graph": "--count 6 --steps 8",
    "qm9-latent": "--count 40 --steps 5",
    "qm9-3d": "--count 6 --steps 8",
    "qm9-3d-alpha": "--count 4 --steps 8 --alpha 90 --guidance 2",
    "ising": "--count 32 --temperature 2.27 --size 8",
    "ising:metropolis": "--count 32 --temperature 2.27 --size 8 --metropolis",
    "ising-sympe": "--count 8 --temperature 2.27 --size 4",
    "ground-states": "--count 16 --size 8 --coupling 0.3,0.3,-0.9,-0.9",
}
"""Arguments of ``symdiff sample`` by checkpoint (what stands behind a colon only tells two apart)."""
TRAINING = ("training/compute/precision=fp32",)
"""What is set in the recipe ``tiny`` besides the number of steps."""
EVALUATED = {"molecules": "qm9-graph", "molecules3d": "qm9-3d", "spins": "ising"}
"""One file of samples a kind; graphs are those of ``write_graphs``."""
REFERENCE = {"molecules": "qm9-train", "molecules3d": "qm9-3d-train", "spins": "none", "graphs": "planar"}


def run(*words: object) -> None:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, (words, done.output, done.exception)


def sample(name: str, folder: Path) -> Path:
    """The .npz that ``symdiff sample`` writes for one row of ``SAMPLES``."""
    out = folder / f"{name.replace(':', '-')}.npz"
    run("sample", name.partition(":")[0], *SAMPLES[name].split(), "--seed", 3, "--device", "cpu", "--out", out)
    return out


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The numeric arrays of a .npz."""
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files if file[name].dtype.kind in "iuf"}


def write_graphs(path: Path) -> Path:
    """Twelve grids, trees and random graphs as edge lists."""
    import networkx as nx

    graphs = [nx.grid_2d_graph(3, 3 + k) for k in range(4)] + [nx.random_labeled_tree(8 + k, seed=k) for k in range(4)]
    graphs += [nx.gnp_random_graph(10, 0.3, seed=k) for k in range(4)]
    edges = [np.array(list(nx.convert_node_labels_to_integers(graph).edges), np.int32) for graph in graphs]
    np.savez(
        path,
        num_nodes=np.array([len(graph) for graph in graphs], np.int32),
        edge_ptr=np.concatenate([[0], np.cumsum([len(some) for some in edges])]),
        edges=np.concatenate(edges),
    )
    return path


def evaluate(file: Path, kind: str, folder: Path) -> dict[str, dict]:
    """``metrics.json`` of a file."""
    run("evaluate", file, "--reference", REFERENCE[kind], "--workers", 1, "--out", folder / kind)
    metrics = json.loads((folder / kind / "metrics.json").read_text())
    return metrics.get("metrics", metrics)


def train(folder: Path) -> dict[str, np.ndarray]:
    """Every ninth of the averaged weights of the denoiser of ``tiny`` after 60 steps, by name of the parameter."""
    short = ["training/steps=60", *TRAINING]
    run("train", "tiny", "--out", folder / "run", *(word for key in short for word in ("--set", key)))
    weights = load_file(folder / "run" / "checkpoint" / "denoiser" / "diffusion_pytorch_model.safetensors")
    return {name: value.ravel()[::9].copy() for name, value in weights.items()}


def record() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        files = {name: sample(name, folder) for name in SAMPLES}
        arrays = {f"{name}/{key}": value for name, path in files.items() for key, value in read_arrays(path).items()}
        arrays |= {f"tiny/{key}": value for key, value in train(folder).items()}
        save_file({key: np.ascontiguousarray(value) for key, value in arrays.items()}, HERE / "samples.safetensors")
        files = {kind: files[name] for kind, name in EVALUATED.items()} | {
            "graphs": write_graphs(folder / "graphs.npz")
        }
        metrics = {kind: evaluate(path, kind, folder) for kind, path in files.items()}
        (HERE / "metrics.json").write_text(json.dumps(metrics, indent=1, sort_keys=True) + "\n")
        for kind, path in files.items():
            (HERE / f"{kind}.npz").write_bytes(path.read_bytes())


if __name__ == "__main__":
    sys.exit(record())

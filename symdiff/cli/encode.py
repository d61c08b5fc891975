"""``symdiff encode``: a file of structures becomes a file of latents."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from symdiff.cli.extend import Import
from symdiff.cli.options import Device, Json
from symdiff.errors import UserError

EXAMPLE = "Example: symdiff encode molecules.smi --checkpoint qm9-autoencoder --out latents.npz"


def encode(
    source: Annotated[
        str, typer.Argument(help="A file of structures, or a data set: its folder, or its name such as qm9.")
    ],
    checkpoint: Annotated[str, typer.Option(help="A folder, the name of a bundled checkpoint, or a hub id.")],
    out: Annotated[Path, typer.Option(help="The .npz file to write.")],
    split: Annotated[str | None, typer.Option(help="Of a data set: train, valid or test; default: all.")] = None,
    inputs: Annotated[
        Path | None, typer.Option(help="Also write the structures that were encoded, in the order of their latents.")
    ] = None,
    column: Annotated[str | None, typer.Option(help="Column of SMILES in a table.")] = None,
    seed: Annotated[int, typer.Option(help="Decides between orders of the nodes that are equally canonical.")] = 0,
    batch_size: Annotated[int, typer.Option(min=1, max=10**6, help="Encoded together; changes the speed only.")] = 256,
    device: Device = None,
    import_: Import = None,
    as_json: Json = False,
) -> None:
    """Encode structures by an autoencoder, one latent each.

    The latents depend on the structures, not on how their nodes are numbered in the file. What cannot be read, or what
    the model does not know, is left out and counted; the array "row" says which structures of those that were read the
    latents belong to.
    """
    import time

    from symdiff.cli.progress import bar, report
    from symdiff.cli.sample import find_device
    from symdiff.data.conversion import convert
    from symdiff.pipeline import Pipeline
    from symdiff.sampling.coding import identify
    from symdiff.storage.latents import write_latents

    if out.suffix != ".npz":
        raise UserError(f"{out}: latents are written to .npz, got the ending {out.suffix or '(none)'}")
    pipeline = Pipeline.load(checkpoint)
    autoencoder = pipeline.autoencoder
    dataset = open_source(source, column, pipeline.domain)
    left_out = dict(dataset.meta.get("left_out", {})) if split is None else {}
    dataset = dataset if split is None else dataset.split(split)
    converted = convert(dataset, pipeline.domain, pipeline.decoder.config["nodes"])
    pipeline.to(find_device(device))
    start, count = time.perf_counter(), len(converted.dataset)
    with bar("encoding", count, "structures") as advance:
        latents = pipeline.encode(converted.dataset, seed, batch_size, advance)
    seconds = time.perf_counter() - start
    write_latents(out, latents.numpy(), converted.rows.numpy(), identify(autoencoder))
    if inputs is not None:
        pipeline.domain.write(_objects(converted.dataset), inputs)
    left_out |= converted.left_out
    values = {"out": str(out), "checkpoint": checkpoint, "count": count, "dim": latents.shape[1], "left_out": left_out}
    values |= {"inputs": str(inputs) if inputs else None, "seconds": seconds, "per_second": count / seconds}
    lines = [f"{count:,} latents of {latents.shape[1]} numbers ({count / seconds:,.0f}/s): {out}"]
    lines += [f"left out: {number:,} {reason}" for reason, number in left_out.items()]
    report(values, "\n".join(lines), as_json)


def open_source(source: str, column: str | None, domain):
    """Open a data set, or read a file as one.

    Parameters
    ----------
    source : str
        A file of structures, or the folder or name of a data set.
    column : str or None
        The column of SMILES in a table.
    domain : Domain
        That of the model, which decides how molecules are read.

    Returns
    -------
    Dataset
        In memory for a file.

    Raises
    ------
    UserError
        For what is neither, and a file that cannot be read.
    """
    import tempfile

    from symdiff.data.importer import ImportSettings
    from symdiff.data.importing import import_files
    from symdiff.data.registry import open_dataset

    if not Path(source).is_file():
        return open_dataset(source)
    settings = ImportSettings(
        column=column,
        hydrogens="H" in getattr(domain, "atoms", ()) and type(domain).__name__ == "MolecularGraph",
        coordinates=type(domain).__name__ == "Molecule3D",
        bonds=getattr(domain, "bonds", True),
    )
    with tempfile.TemporaryDirectory() as folder:
        dataset = import_files([source], Path(folder) / Path(source).name, settings)
        dataset.columns.arrays = {name: array.clone() for name, array in dataset.columns.arrays.items()}
        return dataset


def _objects(dataset):
    import torch

    for rows in torch.arange(len(dataset)).split(256):
        yield from dataset.domain.decode(dataset.batch(rows))

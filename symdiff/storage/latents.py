"""Files of latents: numbers, which structures they belong to, and which decoder reads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from symdiff.errors import UserError
from symdiff.storage.arrays import read_arrays, write_npz

LATENT, ROW, DECODER = "latent", "row", "decoder"


def write_latents(path: str | Path, latents: np.ndarray, rows: np.ndarray, decoder: str) -> None:
    """Write latents as a .npz file that is whole or not there.

    Parameters
    ----------
    path : str or Path
        The file.
    latents : ndarray, (M, dim)
        The latents; written as float32.
    rows : ndarray, (M,) integers
        The structures that they belong to, counted from 0.
    decoder : str
        The SHA-256 of the decoder's weights.

    Raises
    ------
    UserError
        Where it cannot be written.
    """
    write_npz(path, {LATENT: latents.astype(np.float32), ROW: rows.astype(np.int64), DECODER: np.array(decoder)})


def read_latents(path: str | Path, dim: int, decoder: str) -> np.ndarray:
    """Read latents for a decoder.

    Parameters
    ----------
    path : str or Path
        The file.
    dim : int
        Numbers of a latent.
    decoder : str
        The SHA-256 of the weights that they are decoded with; files of other programs may say nothing of it.

    Returns
    -------
    numpy.ndarray
        (M, dim) float32.

    Raises
    ------
    UserError
        For a file that is damaged or has no such array, latents of another size, of another decoder, or that are not
        finite.
    """
    arrays = read_arrays(path)
    if LATENT not in arrays:
        raise UserError(f"{path}: expected an array {LATENT!r}, got {', '.join(arrays) or 'none'}")
    latents = arrays[LATENT]
    if latents.dtype.kind not in "fiu" or latents.ndim != 2 or latents.shape[1] != dim or not len(latents):
        raise UserError(
            f"{path}: {LATENT}: expected numbers of the shape (structures, {dim}), got {latents.dtype} of the shape "
            f"{latents.shape}"
        )
    if DECODER in arrays and str(arrays[DECODER]) != decoder:
        raise UserError(f"{path}: these latents were encoded for another decoder than the checkpoint's")
    latents = latents.astype(np.float32)
    broken = np.nonzero(~np.isfinite(latents).all(1))[0]
    if len(broken):
        raise UserError(f"{path}: {len(broken)} latents are not finite, the first is number {broken[0] + 1}")
    return latents

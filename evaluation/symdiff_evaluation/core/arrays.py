"""Files of arrays: headers are checked before anything is decompressed, nothing is unpickled."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from symdiff.errors import UserError
from symdiff.storage.files import check_size, read_npz

ENDINGS = (".npz", ".safetensors")


def read_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """The arrays of a .npz or .safetensors file. Raises ``UserError``."""
    path = Path(path)
    if path.suffix.lower() not in ENDINGS:
        raise UserError(f"{path}: expected a file of arrays ({', '.join(ENDINGS)}), got the ending {path.suffix!r}")
    if path.suffix.lower() == ".npz":
        return read_npz(path)
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    check_size(path)
    try:
        return load_file(path)
    except (OSError, SafetensorError, KeyError) as error:
        raise UserError(f"{path}: not readable as .safetensors ({error})") from error

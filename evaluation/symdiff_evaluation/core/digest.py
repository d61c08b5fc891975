"""64 bits that stand for a text."""

from __future__ import annotations

import hashlib


def digest(text: str) -> int:
    """Hash a text to 64 bits.

    Parameters
    ----------
    text : str
        Such as a canonical SMILES.

    Returns
    -------
    int
        blake2b of 8 bytes, big-endian.
    """
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())

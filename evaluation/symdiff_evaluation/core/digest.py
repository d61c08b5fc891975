"""64 bits that stand for a text."""

from __future__ import annotations

import hashlib


def digest(text: str) -> int:
    """64 bits of a text, such as a canonical SMILES: blake2b of 8 bytes, big-endian."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())

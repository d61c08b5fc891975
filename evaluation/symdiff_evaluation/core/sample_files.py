"""Files of samples, with what they do not say themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SampleFiles(Sequence[str | Path]):
    """A sequence of paths.

    Parameters
    ----------
    paths : sequence of str or Path
        The files, in the order of the samples.
    column : str, optional
        Name of the column of SMILES in tables; None for the one called smiles.
    atoms : sequence of str, optional
        Elements that the labels of nodes stand for, in files of graphs.
    """

    paths: Sequence[str | Path]
    column: str | None = None
    atoms: Sequence[str] | None = None

    def __getitem__(self, index):
        return self.paths[index]

    def __iter__(self) -> Iterator[str | Path]:
        return iter(self.paths)

    def __len__(self) -> int:
        return len(self.paths)

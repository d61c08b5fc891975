"""Structures that were sampled, in the order of their rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from symdiff.domains.base import Domain
from symdiff.errors import UserError
from symdiff.sampling.importance import Weighted
from symdiff.state import State, collate

SHOWN = 16
"""Structures that a notebook shows."""


@dataclass(frozen=True, repr=False)
class Samples:
    """Sampled structures, batch by batch; ``rows[k]`` (b,) says where those of ``states[k]`` belong.

    ``log_weights[k]`` (b,): log of the distribution that the domain knows over the density under the model, where asked
    for.
    """

    domain: Domain
    states: Sequence[State]
    rows: Sequence[Tensor]
    log_weights: Sequence[Tensor] | None = None

    def __len__(self) -> int:
        return sum(len(rows) for rows in self.rows)

    def state(self) -> State:
        """All of them as one batch, padded to the largest, in the order of the rows."""
        return collate(list(self.states)).select(torch.cat(list(self.rows)).argsort())

    def weigh(self) -> Weighted:
        """All of them with their weights, in the order of the rows. Raises ValueError for samples without weights."""
        if self.log_weights is None:
            raise ValueError("these samples have no weights: sample with Importance")
        return Weighted(self.state(), torch.cat(list(self.log_weights))[torch.cat(list(self.rows)).argsort()])

    def objects(self) -> list:
        """One decoded object (a molecule, a graph) for every row."""
        return self._each(self.domain.decode)

    def to_rdkit(self) -> list:
        """RDKit molecules, unsanitized: any labels and any bonds are one. Raises UserError."""
        return self._convert("to_rdkit")

    def to_networkx(self) -> list:
        """networkx graphs; labels, atoms, orders of bonds and positions are attributes. Raises UserError."""
        return self._convert("to_networkx")

    def to_pyg(self) -> list:
        """PyG ``Data``. Raises UserError."""
        return self._convert("to_pyg")

    def to_ase(self) -> list:
        """ASE ``Atoms`` of molecules in 3D. Raises UserError."""
        return self._convert("to_ase")

    def to_numpy(self) -> list[dict[str, np.ndarray]]:
        """The arrays of every structure by the names of its fields, without padding."""
        return self._convert("to_numpy")

    def _convert(self, form: str) -> list:
        try:
            return self._each(getattr(self.domain.codec, form))
        except ModuleNotFoundError as error:
            raise UserError(f"{form}: the package {error.name} is not installed") from error

    def _each(self, decode: Callable[[State], list]) -> list:
        """What ``decode`` makes of every structure, in the order of the rows."""
        places = torch.cat(list(self.rows)).argsort().tolist()
        objects = [obj for state in self.states for obj in decode(state)]
        return [objects[place] for place in places]

    def __repr__(self) -> str:
        sizes = torch.cat([state.num_nodes for state in self.states])
        least, most = int(sizes.min()), int(sizes.max())
        nodes = f"{most}" if least == most else f"{least} to {most}"
        return f"Samples({len(self)} of {type(self.domain).__name__}, {nodes} nodes)"

    def _repr_html_(self) -> str:
        """A picture of the first ones where the domain has pictures, for notebooks."""
        import base64
        import html
        from tempfile import TemporaryDirectory

        text = f"<pre>{html.escape(repr(self))}</pre>"
        with TemporaryDirectory() as folder:
            picture = Path(folder) / "samples.png"
            if not self.domain.draw(self.objects()[:SHOWN], picture):
                return text
            content = base64.b64encode(picture.read_bytes()).decode()
        return f'<img alt="{html.escape(repr(self))}" src="data:image/png;base64,{content}"/>{text}'

    def write(self, path: str | Path) -> None:
        """Write the objects to a file; its ending chooses the format. Raises UserError."""
        self.domain.write(self.objects(), path)

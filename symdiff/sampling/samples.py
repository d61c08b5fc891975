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
    """Sampled structures, batch by batch.

    Parameters
    ----------
    domain : Domain
        What the structures are.
    states : sequence of State
        The batches, on the CPU.
    rows : sequence of Tensor
        (b,) int64 for each batch: where its structures belong among all.
    log_weights : sequence of Tensor, optional
        (b,) for each batch: log of the distribution that the domain knows over the density under the model, where
        ``Importance`` sampled.
    """

    domain: Domain
    states: Sequence[State]
    rows: Sequence[Tensor]
    log_weights: Sequence[Tensor] | None = None

    def __len__(self) -> int:
        return sum(len(rows) for rows in self.rows)

    def state(self) -> State:
        """Collect all structures in one batch, padded to the largest, in the order of the rows.

        Returns
        -------
        State
            As many rows as samples.
        """
        return collate(list(self.states)).select(torch.cat(list(self.rows)).argsort())

    def weigh(self) -> Weighted:
        """Collect all structures with their weights, in the order of the rows.

        Returns
        -------
        Weighted
            Structures and log weights.

        Raises
        ------
        ValueError
            For samples without weights.
        """
        if self.log_weights is None:
            raise ValueError("these samples have no weights: sample with Importance")
        return Weighted(self.state(), torch.cat(list(self.log_weights))[torch.cat(list(self.rows)).argsort()])

    def objects(self) -> list:
        """Decode every structure, in the order of the rows.

        Returns
        -------
        list
            Objects of the domain: molecules, graphs, arrays.
        """
        return self._each(self.domain.decode)

    def to_rdkit(self) -> list:
        """Convert to RDKit molecules, unsanitized: any labels and any bonds are one.

        Returns
        -------
        list of rdkit.Chem.Mol
            One for each structure.

        Raises
        ------
        UserError
            For a domain without molecules, or without the package.
        """
        return self._convert("to_rdkit")

    def to_networkx(self) -> list:
        """Convert to networkx graphs; labels, atoms, orders of bonds and positions are attributes.

        Returns
        -------
        list of networkx.Graph
            One for each structure.

        Raises
        ------
        UserError
            For a domain without graphs, or without the package.
        """
        return self._convert("to_networkx")

    def to_pyg(self) -> list:
        """Convert to ``Data`` of torch-geometric.

        Returns
        -------
        list of torch_geometric.data.Data
            One for each structure.

        Raises
        ------
        UserError
            For a domain that has no such form, or without the package.
        """
        return self._convert("to_pyg")

    def to_ase(self) -> list:
        """Convert molecules in 3D to ``Atoms`` of ASE, positions in ångström.

        Returns
        -------
        list of ase.Atoms
            One for each structure.

        Raises
        ------
        UserError
            For another domain, or without the package.
        """
        return self._convert("to_ase")

    def to_numpy(self) -> list[dict[str, np.ndarray]]:
        """Convert to arrays by the names of the fields, without padding.

        Returns
        -------
        list of dict of str to ndarray
            One for each structure.
        """
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
        """Write the objects to a file; its ending chooses the format.

        Parameters
        ----------
        path : str or Path
            The file, which is replaced.

        Raises
        ------
        UserError
            For an ending that the domain does not write, or structures that do not fit the format.
        """
        self.domain.write(self.objects(), path)

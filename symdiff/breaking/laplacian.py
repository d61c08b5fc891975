"""Laplacian eigenvectors as a positional encoding."""

from __future__ import annotations

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor

from symdiff.breaking.base import SymmetryBreaker
from symdiff.config.ranges import Width
from symdiff.groups.permutations import Symmetric
from symdiff.random import Generator, normal
from symdiff.state import Real, Schema, State


class Laplacian(SymmetryBreaker):
    """z: ``code`` (B, N, dim), eigenvectors of the graph's normalized Laplacian with random signs.

    Those of the smallest eigenvalues that are not the trivial one, times the square root of the number of nodes. A
    basis of a multiple eigenvalue's space is not unique: the graph is numbered anew at random before it is decomposed,
    so that z is drawn from an equivariant distribution whatever basis comes out. Automorphic nodes are told apart only
    where a multiple eigenvalue or a sign does so.

    Parameters
    ----------
    dim : int
        Eigenvectors; zeros where a graph has fewer.
    field : str, optional
        The labels of pairs that say where an edge is, other than 0; the only ones on pairs where left out.

    References
    ----------
    Dwivedi, Joshi, Luu, Laurent, Bengio, Bresson: Benchmarking Graph Neural Networks (JMLR 2023).
    """

    anchor = "data"

    @register_to_config
    def __init__(self, dim: Width = 8, field: str | None = None) -> None:
        super().__init__()
        self.dim, self.field, self.group = dim, field, Symmetric()

    @property
    def schema(self) -> Schema:
        return {"code": Real("node", self.dim)}

    def sample(self, x: State, generator: Generator | None = None) -> State:
        """Compute eigenvectors of a randomly numbered graph, and draw their signs.

        Raises
        ------
        ValueError
            Where x has no labels of pairs.
        """
        name = self.field or next((name for name, field in x.schema.items() if field.axes == "pair"), None)
        if name is None or name not in x.schema or x.schema[name].axes != "pair" or x[name].is_floating_point():
            raise ValueError(f"breaker: expected labels of pairs, such as bonds, got {self.field or sorted(x.schema)}")
        h = self.group.sample(x.mask, generator)
        vectors = self._vectors(self.group.act(h, x.only(name))[name] != 0, x.mask)
        signs = normal((len(x), x.mask.shape[1], self.dim), generator, x.mask)[:, :1].sign()
        code = State(x.mask, self.schema, {"code": vectors * signs})
        return self.group.act(self.group.inverse(h), code)

    def _vectors(self, edges: Tensor, mask: Tensor) -> Tensor:
        """(B, N, dim), of graphs given as (B, N, N) bool."""
        degrees = edges.sum(-1)
        scale = torch.where(degrees > 0, degrees.clamp(min=1).rsqrt(), 0.0)
        laplacian = torch.diag_embed((degrees > 0).float()) - edges * scale[:, :, None] * scale[:, None]
        # the padding's eigenvalues come last
        laplacian = laplacian + torch.diag_embed(torch.where(mask, 0.0, 10.0))
        vectors = torch.linalg.eigh(laplacian.double()).eigenvectors.to(scale.dtype)
        sizes = mask.sum(1)
        column = torch.arange(1, self.dim + 1, device=mask.device)
        chosen = torch.take_along_dim(vectors, column.clamp(max=mask.shape[1] - 1)[None, None], 2)
        there = (column < sizes[:, None])[:, None] & mask[..., None]
        return torch.where(there, chosen * sizes.sqrt()[:, None, None], 0.0)

    def prior(self, mask: Tensor, generator: Generator | None = None) -> State:
        """Refuse: eigenvectors belong to a graph.

        Raises
        ------
        ValueError
            Always.
        """
        raise ValueError("Laplacian eigenvectors belong to a graph: none can be drawn before there is one")

"""A structure is a product of typed fields: the type of a field says how it moves under a group."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch
from torch import Tensor

Axes = Literal["node", "pair", "whole"]
MOST_CHANNELS = 65_536
"""Classes, channels and components that a field read from a file may have."""


@dataclass(frozen=True)
class Field:
    """One typed part of a structure.

    Parameters
    ----------
    axes : {"node", "pair", "whole"}
        What the field is attached to: nodes, ordered pairs of nodes, or the whole structure.

    Raises
    ------
    ValueError
        For other axes.
    """

    axes: Axes

    def __post_init__(self) -> None:
        if self.axes not in get_args(Axes):
            raise ValueError(f"a field's axes must be one of {get_args(Axes)}, got {self.axes!r}")

    @property
    def symmetric(self) -> bool:
        """Whether the field lives on unordered pairs of distinct nodes: value_ij = value_ji and no diagonal."""
        return False

    def shape(self, batch: int, nodes: int) -> tuple[int, ...]:
        """Compute the shape of the field's values.

        Parameters
        ----------
        batch : int
            B, the number of structures.
        nodes : int
            N, the number of nodes that they are padded to.

        Returns
        -------
        tuple of int
            (B, N), (B, N, N) or (B,), then ``trailing``.
        """
        lead = {"node": (batch, nodes), "pair": (batch, nodes, nodes), "whole": (batch,)}[self.axes]
        return lead + self.trailing

    @property
    def trailing(self) -> tuple[int, ...]:
        """The axes behind those of the batch and the nodes."""
        return ()


@dataclass(frozen=True)
class Categorical(Field):
    """Labels 0..classes-1 (int64).

    Parameters
    ----------
    axes : {"node", "pair", "whole"}
        What the labels are attached to.
    classes : int
        The number of labels.
    undirected : bool
        On pairs: value_ij = value_ji, and nothing on the diagonal.
    """

    classes: int
    undirected: bool = False

    @property
    def symmetric(self) -> bool:
        return self.undirected


@dataclass(frozen=True)
class Logits(Field):
    """Unnormalized log-probabilities (float) of the labels of a Categorical field: one more axis, ``classes``.

    Parameters
    ----------
    axes : {"node", "pair", "whole"}
        What the labels are attached to.
    classes : int
        The number of labels.
    undirected : bool
        On pairs: value_ij = value_ji, and nothing on the diagonal.
    """

    classes: int
    undirected: bool = False

    @property
    def symmetric(self) -> bool:
        return self.undirected

    @property
    def trailing(self) -> tuple[int, ...]:
        return (self.classes,)


@dataclass(frozen=True)
class Real(Field):
    """Real channels; with ``vector=d`` each channel is a vector of d components that rotates with the space.

    Parameters
    ----------
    axes : {"node", "pair", "whole"}
        What the channels are attached to.
    dim : int
        The number of channels.
    vector : int
        d, the components of every channel; 0 for scalars.
    """

    dim: int
    vector: int = 0

    @property
    def trailing(self) -> tuple[int, ...]:
        return (self.dim, self.vector) if self.vector else (self.dim,)


@dataclass(frozen=True)
class Star(Field):
    """Real channels on every bond of a lattice's site, seen from that site: (B, N, directions, dim).

    What belongs to a bond stands at both of its ends. When the lattice turns, directions are permuted.

    Parameters
    ----------
    axes : {"node"}
        The sites.
    directions : int
        The number of bonds of a site.
    dim : int
        The number of channels of a bond.
    """

    directions: int
    dim: int = 1

    @property
    def trailing(self) -> tuple[int, ...]:
        return (self.directions, self.dim)


Schema = Mapping[str, Field]
_KINDS = {kind.__name__: kind for kind in (Categorical, Logits, Real, Star)}


def schema_to_plain(schema: Schema) -> dict[str, dict]:
    """Write a schema as names and numbers, for a config file.

    Parameters
    ----------
    schema : mapping of str to Field
        The types of the fields.

    Returns
    -------
    dict
        For every field its kind and its settings.
    """
    return {name: {"kind": type(field).__name__, **vars(field)} for name, field in schema.items()}


def schema_from_plain(plain: Mapping) -> dict[str, Field]:
    """Read what ``schema_to_plain`` wrote.

    Parameters
    ----------
    plain : mapping
        For every field its kind and its settings; a value that is a ``Field`` already passes unchanged.

    Returns
    -------
    dict of str to Field
        The schema.

    Raises
    ------
    ValueError
        For an unknown kind, or a number outside 0 to 65,536.
    """
    schema = {}
    for name, entry in plain.items():
        if isinstance(entry, Field):
            schema[name] = entry
            continue
        entry = dict(entry)
        kind = _KINDS.get(entry.pop("kind", None))
        if kind is None:
            raise ValueError(f"field {name!r} needs a kind among {sorted(_KINDS)}")
        for key, value in entry.items():
            if isinstance(value, int) and not 0 <= value <= MOST_CHANNELS:
                raise ValueError(f"field {name!r}: {key} must be 0 to {MOST_CHANNELS}, got {value}")
        schema[name] = kind(**entry)
    return schema


@dataclass(frozen=True)
class State:
    """A padded batch of structures.

    Predictions and symmetry-breaking inputs are States too.

    Parameters
    ----------
    mask : Tensor, (B, N) bool
        Real nodes, first; padding behind them.
    schema : mapping of str to Field
        The type of every field.
    values : mapping of str to Tensor
        The values, of the shape that the type states. Padded entries are zero, and so is the diagonal of an undirected
        field.

    Raises
    ------
    ValueError
        For a mask or a value of another shape, or values for other fields than those of the schema.
    """

    mask: Tensor
    schema: Schema
    values: Mapping[str, Tensor]

    def __post_init__(self) -> None:
        if self.mask.ndim != 2 or self.mask.dtype != torch.bool:
            raise ValueError(f"mask needs shape (B, N) and dtype bool, got {tuple(self.mask.shape)} {self.mask.dtype}")
        if set(self.schema) != set(self.values):
            raise ValueError(f"values must be given for the fields {sorted(self.schema)}, got {sorted(self.values)}")
        for name, field in self.schema.items():
            want, got = field.shape(*self.mask.shape), tuple(self.values[name].shape)
            if want != got:
                raise ValueError(f"field {name!r} needs shape {want}, got {got}")

    def __repr__(self) -> str:
        """The fields with their types, shapes and dtypes, and the device; no tensors."""
        sizes = self.num_nodes.tolist()
        nodes = f"{min(sizes)} to {max(sizes)}" if len({*sizes}) > 1 else f"{sizes[0]}" if sizes else "no"
        lines = [f"State({len(sizes)} structures of {nodes} nodes, padded to {self.mask.shape[1]}, on {self.device}"]
        for name, field in self.schema.items():
            value = self.values[name]
            lines.append(f"  {name}: {field}, {tuple(value.shape)} {str(value.dtype).removeprefix('torch.')}")
        return "\n".join(lines) + ")"

    def __getitem__(self, name: str) -> Tensor:
        return self.values[name]

    @property
    def batch_size(self) -> int:
        return self.mask.shape[0]

    @property
    def num_nodes(self) -> Tensor:
        """Number of real nodes of every structure: (B,) int64."""
        return self.mask.sum(1)

    @property
    def device(self) -> torch.device:
        return self.mask.device

    def to(
        self,
        device: torch.device | str | torch.dtype | None = None,
        dtype: torch.dtype | None = None,
        non_blocking: bool = False,
    ) -> State:
        """Move to a device; a floating dtype, given alone or behind the device, changes the real-valued fields only.

        Parameters
        ----------
        device : torch.device, str or torch.dtype, optional
            The device, or a dtype in its place.
        dtype : torch.dtype, optional
            The type of real-valued fields; labels and the mask keep theirs.
        non_blocking : bool
            Whether a copy from pinned memory may run asynchronously.

        Returns
        -------
        State
            The batch there.
        """
        if isinstance(device, torch.dtype):
            device, dtype = None, device

        def move(tensor: Tensor) -> Tensor:
            return tensor.to(device, dtype if tensor.is_floating_point() else None, non_blocking=non_blocking)

        return self.map(move)

    def map(self, function: Callable[[Tensor], Tensor]) -> State:
        """Apply a function to the mask and to every value.

        Parameters
        ----------
        function : callable
            From a tensor to a tensor.

        Returns
        -------
        State
            The batch of its results.
        """
        return replace(self, mask=function(self.mask), values={k: function(v) for k, v in self.values.items()})

    def __len__(self) -> int:
        return self.batch_size

    def select(self, index) -> State:
        """Take some of the structures.

        Parameters
        ----------
        index : Tensor, slice or list of int
            The rows.

        Returns
        -------
        State
            The batch of these structures.
        """
        return self.map(lambda tensor: tensor[index])

    def with_values(self, schema: Schema | None = None, /, **values: Tensor) -> State:
        """Replace or add values of some fields.

        Parameters
        ----------
        schema : mapping of str to Field, optional
            The types of new fields, and of those whose type changes.
        **values : Tensor
            The values, by the name of the field.

        Returns
        -------
        State
            The structures with these values; the other fields are kept.
        """
        return State(self.mask, {**self.schema, **(schema or {})}, {**self.values, **values})

    def only(self, *names: str) -> State:
        """Keep some of the fields.

        Parameters
        ----------
        *names : str
            The fields to keep.

        Returns
        -------
        State
            The structures with these fields alone.
        """
        return State(self.mask, {n: self.schema[n] for n in names}, {n: self.values[n] for n in names})

    def support(self, name: str) -> Tensor:
        """Mark the independent entries of a field; a symmetric field counts each pair i < j once.

        Parameters
        ----------
        name : str
            The field.

        Returns
        -------
        Tensor, (B,), (B, N) or (B, N, N) bool
            The entries.
        """
        return support(self.schema[name], self.mask)


def support(field: Field, mask: Tensor) -> Tensor:
    """Mark the independent entries of a field; a symmetric field counts each pair i < j once.

    Parameters
    ----------
    field : Field
        The type of the field.
    mask : Tensor, (B, N) bool
        Real nodes.

    Returns
    -------
    Tensor, (B,), (B, N) or (B, N, N) bool
        The entries, by the axes of the field.
    """
    if field.axes == "whole":
        return mask.new_ones(mask.shape[0])
    if field.axes == "node":
        return mask
    pairs = mask[:, :, None] & mask[:, None, :]
    return pairs.triu(1) if field.symmetric else pairs


def extent(field: Field, mask: Tensor) -> Tensor:
    """Mark all entries that a field may fill: both halves of a symmetric field, no padding, no diagonal.

    Parameters
    ----------
    field : Field
        The type of the field.
    mask : Tensor, (B, N) bool
        Real nodes.

    Returns
    -------
    Tensor, (B,), (B, N) or (B, N, N) bool
        The entries; a field that is not symmetric may fill its diagonal.
    """
    entries = support(field, mask)
    return entries | entries.mT if field.symmetric else entries


def collate(states: list[State]) -> State:
    """Join batches, padded to the largest number of nodes.

    Parameters
    ----------
    states : list of State
        Batches with the same schema, at least one.

    Returns
    -------
    State
        All structures, in their order.
    """
    nodes = max(state.mask.shape[1] for state in states)
    padded = [pad(state, nodes) for state in states]
    schema = padded[0].schema
    return State(
        torch.cat([s.mask for s in padded]), schema, {name: torch.cat([s[name] for s in padded]) for name in schema}
    )


def pad(state: State, nodes: int) -> State:
    """Pad with zeros, or trim, the node axes.

    Parameters
    ----------
    state : State
        The batch.
    nodes : int
        The number of nodes to pad or trim to.

    Returns
    -------
    State
        The batch with that many nodes.

    Raises
    ------
    ValueError
        Where a real node would be cut off.
    """
    batch, now = state.mask.shape
    if nodes < now and bool(state.mask[:, nodes:].any()):
        raise ValueError(f"cannot trim to {nodes} nodes: a structure has {int(state.num_nodes.max())}")

    def resize(tensor: Tensor, node_axes: int) -> Tensor:
        for axis in range(1, 1 + node_axes):
            if nodes <= now:
                tensor = tensor.narrow(axis, 0, nodes)
            else:
                filler = list(tensor.shape)
                filler[axis] = nodes - now
                tensor = torch.cat([tensor, tensor.new_zeros(filler)], axis)
        return tensor

    axes = {"whole": 0, "node": 1, "pair": 2}
    return State(
        resize(state.mask, 1),
        state.schema,
        {name: resize(state[name], axes[field.axes]) for name, field in state.schema.items()},
    )


def node_mask(num_nodes: Tensor, nodes: int | None = None) -> Tensor:
    """Make the mask of structures of given sizes.

    Parameters
    ----------
    num_nodes : Tensor, (B,) int64
        The number of nodes of every structure.
    nodes : int, optional
        N, the number of nodes to pad to; without it the largest size.

    Returns
    -------
    Tensor, (B, N) bool
        The mask, real nodes first.
    """
    nodes = int(num_nodes.max()) if nodes is None else nodes
    return torch.arange(nodes, device=num_nodes.device) < num_nodes[:, None]

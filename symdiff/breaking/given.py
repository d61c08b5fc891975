"""A frame that comes with the structure."""

from __future__ import annotations

from diffusers.configuration_utils import register_to_config
from torch import Tensor

from symdiff.breaking.base import SymmetryBreaker
from symdiff.random import Generator
from symdiff.state import Real, Schema, State


class Given(SymmetryBreaker):
    """z is the frame that a structure has in a field of its own.

    The frame is three vectors, where the structure's coordinate axes have been turned to. Nothing is drawn. As the
    frame rotates with the structure, z is equivariant, while the network learns what the axes mean: which way is up,
    say.

    Parameters
    ----------
    field : str
        The field of three graph-level vectors of 3 components.

    References
    ----------
    Vadgama et al.: Probing Equivariance and Symmetry Breaking in Convolutional Networks (NeurIPS 2025).
    """

    anchor = "data"

    @register_to_config
    def __init__(self, field: str = "pose") -> None:
        super().__init__()
        self.field = field

    @property
    def schema(self) -> Schema:
        return {"frame": Real("whole", 3, vector=3)}

    def sample(self, x: State, generator: Generator | None = None) -> State:
        """Return the frame of the structure; nothing is drawn.

        Raises
        ------
        ValueError
            Where x does not have the field.
        """
        if x.schema.get(self.field) != self.schema["frame"]:
            raise ValueError(
                f"breaker: expected a field {self.field!r} of three graph-level vectors, got {x.schema.get(self.field)}"
            )
        return State(x.mask, self.schema, {"frame": x[self.field]})

    def prior(self, mask: Tensor, generator: Generator | None = None) -> State:
        """Refuse: a frame cannot be drawn without a structure.

        Raises
        ------
        ValueError
            Always.
        """
        raise ValueError(f"the frame is the structure's own {self.field!r}: it cannot be drawn without a structure")

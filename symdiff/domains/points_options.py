"""What the command line says of point clouds: a file of what is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from symdiff.domains.options import Options
from symdiff.domains.points_files import read, together
from symdiff.errors import UserError
from symdiff.random import Streams
from symdiff.state import State

if TYPE_CHECKING:
    from symdiff.domains.points import PointCloud


class PointOptions(Options):
    """The options of a domain of point clouds.

    Parameters
    ----------
    domain : PointCloud
        Whose given fields are read.
    """

    def __init__(self, domain: PointCloud) -> None:
        self.domain = domain

    @property
    def help(self) -> dict[str, str]:
        """``clouds``, with the fields that the file must have."""
        fields = ", ".join(self.domain.given)
        return {"clouds": f"a .npz file of what is predicted for: {fields}, one point behind the other, and num_nodes"}

    def read_condition(self, words: Mapping[str, str], streams: Streams | None = None) -> State:
        """Read the given fields of the clouds in the file ``clouds``.

        Raises
        ------
        UserError
            For a file that cannot be read or does not fit the schema.
        """
        if "clouds" not in words:
            raise UserError(f"--clouds: expected {self.help['clouds']}")
        path, given = words["clouds"], self.domain.given
        objs = read(path, given)
        if not objs:
            raise UserError(f"{path}: expected at least one cloud, got none")
        self.domain.codec.check(objs, given, path)
        return together([self.domain.codec.record(obj, given) for obj in objs], given)

"""What a domain takes on the command line beyond the options that every model has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from torch import Tensor

from symdiff.random import Streams
from symdiff.state import State


class Filter(NamedTuple):
    """Structures of one size, of which some are wanted.

    Attributes
    ----------
    size : int
        Nodes of each.
    accept : callable
        Which structures of a batch are wanted, (B,) bool.
    what : str
        What is wanted, in words.
    """

    size: int
    accept: Callable[[State], Tensor]
    what: str


class Options:
    """The options of ``symdiff sample`` for the models of one domain: this one has none."""

    @property
    def help(self) -> dict[str, str]:
        """A line of help for each, by name: what ``read_condition`` and ``read_known`` read."""
        return {}

    @property
    def absent(self) -> dict[str, str]:
        """Options that other models of this domain have, by name, each with the reason why this one has not."""
        return {}

    def read_condition(self, words: Mapping[str, str], streams: Streams | None = None) -> State | None:
        """Read the condition that options say.

        Parameters
        ----------
        words : mapping of str to str
            What was written behind each option, by name.
        streams : Streams, optional
            Random numbers of every structure, for what an option leaves open, such as a range.

        Returns
        -------
        State or None
            One structure for all samples, or one for each; None where nothing is given. A condition of the whole alone
            has no nodes, and goes with any number of them.

        Raises
        ------
        UserError
            For what cannot be read, or does not fit the domain.
        """
        return None

    def notes(self, words: Mapping[str, str]) -> list[str]:
        """Tell what a user should know of options that are taken, a line each: values that no training data had.

        Parameters
        ----------
        words : mapping of str to str
            What was written behind each option, by name.
        """
        return []

    def read_filter(self, words: Mapping[str, str]) -> Filter | None:
        """Read which structures are wanted of those that a model makes; None for all.

        Parameters
        ----------
        words : mapping of str to str
            What was written behind each option, by name.

        Raises
        ------
        UserError
            For what cannot be read, or does not fit the domain.
        """
        return None

    def read_known(self, words: Mapping[str, str]) -> State | None:
        """Read what options say of the generated fields.

        Parameters
        ----------
        words : mapping of str to str
            What was written behind each option, by name.

        Returns
        -------
        State or None
            Labels, and the number of labels where nothing is known; or a fragment, the first nodes of every structure.
            None where nothing is.

        Raises
        ------
        UserError
            For what cannot be read, or does not fit the domain.
        """
        return None

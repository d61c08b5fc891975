"""Sum formulas: which molecules have one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from symdiff.domains.options import Filter
from symdiff.errors import UserError, nearest
from symdiff.state import State
from symdiff.storage.numbers import read_integer, show

HELP = "a sum formula (C7H10O2): molecules of others are sampled again, so the distribution is exactly the model's"
_PART = re.compile(r"([A-Z][a-z]?)([0-9]{0,5})")


def read_filter(text: str, atoms: Sequence[str], hydrogens: bool, decode: Callable[[State], list]) -> Filter:
    """Read the option ``formula`` of molecules.

    Parameters
    ----------
    text : str
        A sum formula.
    atoms : sequence of str
        The labels of nodes that the model has.
    hydrogens : bool
        Whether hydrogens are nodes.
    decode : callable
        Makes RDKit molecules of a batch.

    Returns
    -------
    Filter
        The number of nodes, and which molecules have the formula; one that does not sanitize has none.

    Raises
    ------
    UserError
        For what is no formula, and for elements that the model does not have.
    """
    parts = _PART.findall(text)
    if not parts or "".join(symbol + count for symbol, count in parts) != text:
        raise UserError(f"--formula: expected a sum formula such as C7H10O2, got {show(text)}")
    try:
        wanted = Counter()
        for symbol, count in parts:
            wanted[symbol] += read_integer(count or "1", 1, 10_000)
    except UserError as error:
        raise UserError(f"--formula: {error}") from None
    known = {atom.rstrip("+-0123456789") for atom in atoms} | {"H"}
    for symbol in wanted:
        if symbol not in known:
            raise UserError(f"--formula: the model has no {symbol}{nearest(symbol, known)}")
    size = sum(count for symbol, count in wanted.items() if hydrogens or symbol != "H")
    if not size:
        raise UserError(f"--formula: expected other atoms than hydrogen, got {show(text)}")

    def accept(x: State) -> Tensor:
        return torch.tensor([_count(mol) == wanted for mol in decode(x)], dtype=torch.bool)

    return Filter(size, accept, f"--formula {text}")


def _count(mol) -> Counter | None:
    """The atoms of a molecule by their element, None where it does not sanitize."""
    from rdkit import Chem

    from symdiff.chemistry import kekule

    if kekule.problem(mol) is not None:
        return None
    counts: Counter = Counter()
    for atom in Chem.AddHs(mol).GetAtoms():
        counts[atom.GetSymbol()] += 1
    return counts

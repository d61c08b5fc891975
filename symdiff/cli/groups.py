"""``symdiff data groups``: what a permutation group is, and what the colors of its pairs keep."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

LARGEST = 256
"""Nodes of the largest group whose order and 2-closure are worked out."""


def groups(
    name: Annotated[
        str,
        typer.Argument(
            help="A group: 'cyclic 10', 'dihedral 6', 'wreath (symmetric 5, symmetric 2)', 'automorphisms of FILE'"
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="A .png with the colors of ordered pairs.")] = None,
    budget: Annotated[int, typer.Option(min=1, help="Placements that the search for the 2-closure may try.")] = 200_000,
    as_json: Annotated[bool, typer.Option("--json", help="Print one machine-readable object.")] = False,
) -> None:
    """Print a permutation group's order, generators, orbits of nodes and of ordered pairs, and its 2-closure."""
    from symdiff.breaking.group_text import read_group
    from symdiff.cli.progress import report
    from symdiff.errors import UserError

    if out is not None and out.suffix != ".png":
        raise UserError(f"{out}: expected the ending .png")
    group = read_group(name, budget)
    values = {"group": name, **describe(group, budget), "picture": str(out) if out else None}
    lines = list(_lines(group, values, budget))
    if out is not None:
        draw(group.pair_orbits(), name, out)
        lines.append(f"a picture of the colors: {out}")
    report(values, "\n".join(lines), as_json)


def describe(group, budget: int) -> dict:
    """Measure a group: its order, its orbits, and what the colors of its pairs keep.

    Parameters
    ----------
    group : PermutationGroup
        Of at most 256 nodes for its order and its 2-closure, which are else left out.
    budget : int
        Placements that the search for the 2-closure may try.

    Returns
    -------
    dict
        Plain names and numbers; None for what was not decided.
    """
    from symdiff.groups.closure import closure_order, smallest_arity

    pairs = group.pair_orbits()
    small = group.nodes <= LARGEST
    order = group.order if small else None
    closure = closure_order(pairs, group, budget) if small else None
    arity = 2 if closure is not None and closure == order else None
    if closure is not None and closure != order:
        with suppress(ValueError):
            arity = smallest_arity(group, budget)
    return {
        "nodes": group.nodes,
        "order": order,
        "generators": group.generators if small else len(group.generators),
        "node_orbits": int(group.orbits().max()) + 1,
        "pair_orbits": int(pairs.max()) + 1,
        "directed": bool((pairs != pairs.T).any()),
        "two_closure_order": closure,
        "two_closed": None if closure is None else closure == order,
        "smallest_arity": arity,
    }


def _lines(group, values: dict, budget: int) -> Iterator[str]:
    """What people read of the values."""
    order, closure, arity = values["order"], values["two_closure_order"], values["smallest_arity"]
    known = f"not worked out beyond {LARGEST} nodes" if order is None else f"{order:,}"
    yield f"{values['group']}: {group.nodes} nodes, order {known}"
    few = group.nodes <= 16
    yield f"generators (preimages): {group.generators}" if few else f"generators: {len(group.generators)}"
    directed = " (directed: a network that symmetrizes pairs keeps more)" if values["directed"] else ""
    yield f"orbits: {values['node_orbits']} of nodes, {values['pair_orbits']} of ordered pairs{directed}"
    if closure is None:
        why = f" within {budget:,} placements" if group.nodes <= LARGEST else f" beyond {LARGEST} nodes"
        yield f"2-closure: undecided{why}"
    elif closure == order:
        yield "2-closure: the group itself, so colors of pairs keep exactly this group"
    else:
        tuples = f"tuples of {arity} nodes keep" if arity else "tuples that keep"
        decided = "exactly this group" if arity else "exactly this group are undecided"
        yield f"2-closure: order {closure:,}, so colors of pairs keep more than this group; {tuples} {decided}"


def draw(pairs, name: str, out: Path) -> None:
    """Draw the colors of ordered pairs as an image.

    Parameters
    ----------
    pairs : Tensor
        (N, N) int64, the orbit of every ordered pair.
    name : str
        The group, for the title.
    out : Path
        A .png file.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(pairs.numpy(), cmap="nipy_spectral", interpolation="nearest")
    axes.set(title=f"{name}: {int(pairs.max()) + 1} orbits of ordered pairs", xlabel="j", ylabel="i")
    figure.savefig(out, dpi=120)

"""``symdiff data groups``: what a permutation group is, and what the colors of its pairs keep."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


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
    from symdiff.groups.closure import closure_order, smallest_arity

    if out is not None and out.suffix != ".png":
        raise UserError(f"{out}: expected the ending .png")
    group = read_group(name, budget)
    pairs = group.pair_orbits()
    small = group.nodes <= 256
    order = group.order if small else None
    closure = closure_order(pairs, group, budget) if small else None
    arity = None
    if closure is not None and closure != order:
        try:
            arity = smallest_arity(group, budget)
        except ValueError:
            arity = None
    values = {
        "group": name,
        "nodes": group.nodes,
        "order": order,
        "generators": group.generators if small else len(group.generators),
        "node_orbits": int(group.orbits().max()) + 1,
        "pair_orbits": int(pairs.max()) + 1,
        "directed": bool((pairs != pairs.T).any()),
        "two_closure_order": closure,
        "two_closed": None if closure is None else closure == order,
        "smallest_arity": 2 if closure is not None and closure == order else arity,
        "picture": str(out) if out else None,
    }
    lines = [
        f"{name}: {group.nodes} nodes, order {'not worked out beyond 256 nodes' if order is None else f'{order:,}'}",
        f"generators (preimages): {group.generators}" if group.nodes <= 16 else f"generators: {len(group.generators)}",
        f"orbits: {values['node_orbits']} of nodes, {values['pair_orbits']} of ordered pairs"
        + (" (directed: a network that symmetrizes pairs keeps more)" if values["directed"] else ""),
    ]
    if closure is None:
        lines.append("2-closure: undecided" + (f" within {budget:,} placements" if small else " beyond 256 nodes"))
    elif closure == order:
        lines.append("2-closure: the group itself, so colors of pairs keep exactly this group")
    else:
        more = (
            f"; tuples of {arity} nodes keep exactly this group"
            if arity
            else "; tuples that keep exactly this group are undecided"
        )
        lines.append(f"2-closure: order {closure:,}, so colors of pairs keep more than this group{more}")
    if out is not None:
        draw(pairs, name, out)
        lines.append(f"a picture of the colors: {out}")
    report(values, "\n".join(lines), as_json)


def draw(pairs, name: str, out: Path) -> None:
    """The colors of ordered pairs as an image."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(pairs.numpy(), cmap="nipy_spectral", interpolation="nearest")
    axes.set(title=f"{name}: {int(pairs.max()) + 1} orbits of ordered pairs", xlabel="j", ylabel="i")
    figure.savefig(out, dpi=120)

"""What a data set holds, as plain names and numbers."""

from __future__ import annotations

from symdiff.data.dataset import SPLITS, Dataset
from symdiff.data.orders import symmetry


def summary(dataset: Dataset) -> dict:
    """Describe a data set: counts, splits, sizes, label frequencies, what was left out and why, automorphisms.

    Label shares are over nodes and over unordered pairs of nodes; symmetry is taken from at most 5,000 structures, and
    from none of over 512 nodes.

    Parameters
    ----------
    dataset : Dataset
        Any.

    Returns
    -------
    dict
        Plain names and numbers, as ``symdiff data info --json`` prints them.
    """
    sizes, edges = dataset.num_nodes, dataset.num_edges
    split = dataset.columns.arrays["split"][dataset.rows]
    meta, source = dataset.meta, dataset.meta.get("source")
    groups = symmetry(dataset)
    histogram = {str(n): int((sizes == n).sum()) for n in sizes.unique().tolist()}
    return {
        "name": meta.get("name"),
        "path": None if dataset.path is None else str(dataset.path),
        "domain": dataset.domain.spec,
        "order": meta.get("order"),
        "source": {"title": source} if isinstance(source, str) else source,
        "count": len(dataset),
        "splits": {name: int((split == k).sum()) for k, name in enumerate(SPLITS)},
        "nodes": {"least": int(sizes.min()), "mean": float(sizes.double().mean()), "most": int(sizes.max())},
        "edges": {"least": int(edges.min()), "mean": float(edges.double().mean()), "most": int(edges.max())},
        "sizes": histogram,
        "labels": {
            name: dict(zip(dataset.domain.label_names(name), shares, strict=True))
            for name, shares in dataset.marginals().items()
        },
        "rows": meta.get("rows"),
        "left_out": meta.get("left_out", {}),
        "duplicates": meta.get("duplicates"),
        "symmetry": {
            "count": groups.count,
            "symmetric_share": 1 - groups.asymmetric / groups.count if groups.count else None,
            "largest_group": groups.largest if groups.count else None,
            "too_large": groups.too_large,
            "undecided": groups.undecided,
        },
    }

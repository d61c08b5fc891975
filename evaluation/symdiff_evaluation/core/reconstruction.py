"""How much of what went in came out again: for any kind of structure whose samples know their inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symdiff_evaluation.core.estimate import Estimate, fraction, mean, nothing

ABOUT: Mapping[str, str] = {
    "reconstruction.exact": "came out as it went in, up to the numbering of nodes; what cannot be read did not",
    "reconstruction.exact_asymmetric": "the same, of inputs without a symmetry but the identity",
    "reconstruction.exact_symmetric": "the same, of inputs with symmetries",
}


def exact_shares(same: Sequence[bool | None], orders: Sequence[int | None]) -> dict[str, Estimate]:
    """The shares of records that came out as they went in, all and by the symmetry of the input.

    Parameters
    ----------
    same : sequence of bool or None
        For each record whether it is its input; None where that is undecided, or there is no input.
    orders : sequence of int or None
        The order of the automorphism group of each input, None where it is unknown.

    Returns
    -------
    dict of str to Estimate
        The ids of ``ABOUT``.
    """
    symmetric = {
        "reconstruction.exact": list(same),
        "reconstruction.exact_asymmetric": [one for one, order in zip(same, orders, strict=True) if order == 1],
        "reconstruction.exact_symmetric": [
            one for one, order in zip(same, orders, strict=True) if order is not None and order > 1
        ],
    }
    return {name: _share(values) for name, values in symmetric.items()}


def wrong_share(wrong: Sequence[int | None], pairs: Sequence[int | None]) -> Estimate:
    """Estimate the share of wrong pairs of nodes, a mean over records.

    Parameters
    ----------
    wrong : sequence of int or None, (count,)
        Number of wrong pairs of each record; None where undecided.
    pairs : sequence of int or None, (count,)
        Number of pairs of nodes of each record.

    Returns
    -------
    Estimate
        The mean with the normal interval, between 0 and 1.
    """
    shares = [
        one / all_pairs
        for one, all_pairs in zip(wrong, pairs, strict=True)
        if one is not None and all_pairs  # a graph of one node has no pairs
    ]
    if not shares:
        return nothing(len(wrong))
    total, squares = sum(shares), sum(share * share for share in shares)
    return mean(total, squares, len(shares), len(wrong) - len(shares)).clip(0.0, 1.0)


def _share(same: Sequence[bool | None]) -> Estimate:
    known = [one for one in same if one is not None]
    return fraction(sum(known), len(known), len(same) - len(known))

"""Permutation groups by a short text: ``cyclic 10``, ``wreath (symmetric 5, symmetric 2)``, ``grid 4 6 torus``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import reduce
from itertools import product
from math import prod

from symdiff.errors import UserError, nearest
from symdiff.groups.permutation_group import PermutationGroup

Generators = list[list[int]]
MOST_NODES = 1 << 16
MOST_ENTRIES = 1 << 24
_TOKEN = re.compile(r"\s*([A-Za-z_]+|\d{1,9}|[(),])")


def parse_group(text: str) -> PermutationGroup:
    """Read a permutation group from a text.

    ====================================  ======================================================================
    ``identity n``                        only the identity
    ``symmetric n``, ``alternating n``    all permutations, all even ones
    ``cyclic n``, ``dihedral n``          rotations of a ring; rotations and reflections
    ``reversal n``                        the identity and the reversal of a sequence
    ``grid a b ...``                      isometries of a grid with boundary: reflections, and swaps of equal sides
    ``torus a b ...``                     the same with translations around the grid
    ``translations a b ...``              translations around the grid alone
    ``hypercube d``                       isometries of the 2^d corners
    ``blocks a b k``                      all permutations within each k x k block of pixels of an a x b image
    ``affine p``, ``fano``                x -> a x + b modulo a prime; the group of the Fano plane on 7 points
    ``product (G, H, ...)``               acts on the disjoint union, each factor on its own part
    ``wreath (G, H)``                     one copy of G for each point of H, the copies permuted by H
    ``permutations (1 0 2, 0 2 1)``       the group that these permutations of 0, 1, ... generate, as preimages
    ====================================  ======================================================================

    Parameters
    ----------
    text : str
        A name with its numbers, or a composition of groups in brackets. Names are not case sensitive.

    Returns
    -------
    PermutationGroup
        The group that the text names.

    Raises
    ------
    UserError
        For an unknown name, a number that does not fit, or unbalanced brackets.
    """
    words = _split(text)
    nodes, generators = _read(words, text)
    if words:
        raise UserError(f"group {text!r}: expected the end, got {words[0]!r}")
    return PermutationGroup(nodes, generators)


def _split(text: str) -> list[str]:
    words, place = [], 0
    while text[place:].strip():
        match = _TOKEN.match(text, place)
        if match is None:
            raise UserError(
                f"group {text!r}: expected names, numbers, brackets and commas, got {text[place:].strip()[:20]!r}"
            )
        words.append(match[1])
        place = match.end()
    return words


def _read(words: list[str], text: str) -> tuple[int, Generators]:
    if not words or not words[0].isalpha():
        raise UserError(f"group {text!r}: expected the name of a group{nearest('', NAMES)}")
    name = words.pop(0).lower()
    if name == "permutations":
        return _permutations(words, text)
    if name in COMPOSED:
        groups = _arguments(name, words, text)
        nodes = (sum if name == "product" else prod)(group[0] for group in groups)
        generators = (
            sum(len(group[1]) for group in groups) if name == "product" else groups[-1][0] * len(groups[0][1]) + 1
        )
        if nodes > MOST_NODES or nodes * generators > MOST_ENTRIES:
            raise UserError(
                f"group {text!r}: expected at most {MOST_NODES} nodes and {MOST_ENTRIES} numbers in generators, got "
                f"{nodes} nodes"
            )
        return COMPOSED[name](groups, text)
    if name not in NUMBERED:
        raise UserError(f"group {text!r}: unknown group {name!r}{nearest(name, NAMES)}")
    make, fewest, most = NUMBERED[name]
    numbers = []
    while words and words[0].isascii() and words[0].isdecimal() and len(words[0]) < 10:
        numbers.append(int(words.pop(0)))
    if not fewest <= len(numbers) <= most or any(number < 1 for number in numbers):
        wanted = str(fewest) if fewest == most else f"{fewest} to {most}"
        raise UserError(f"group {text!r}: {name} needs {wanted} numbers of at least 1, got {numbers}")
    if (
        prod(numbers) > MOST_NODES
        or (name == "alternating" and numbers[0] > 4096)
        or (name == "hypercube" and numbers[0] > 16)
    ):
        raise UserError(f"group {text!r}: expected at most {MOST_NODES} nodes")
    try:
        return make(*numbers)
    except ValueError as error:
        raise UserError(f"group {text!r}: {error}") from None


def _arguments(name: str, words: list[str], text: str) -> list[tuple[int, Generators]]:
    if not words or words.pop(0) != "(":
        raise UserError(f"group {text!r}: expected {name} (G, H)")
    groups = [_read(words, text)]
    while words and words[0] == ",":
        words.pop(0)
        groups.append(_read(words, text))
    if not words or words.pop(0) != ")":
        raise UserError(f"group {text!r}: a bracket is not closed")
    return groups


def spell(group: PermutationGroup) -> str:
    """Write a group as a text that ``parse_group`` reads.

    Parameters
    ----------
    group : PermutationGroup
        The group.

    Returns
    -------
    str
        ``identity n`` or ``permutations (...)`` with the group's generators.
    """
    if not group.generators:
        return f"identity {group.nodes}"
    return f"permutations ({', '.join(' '.join(map(str, g)) for g in group.generators)})"


def _permutations(words: list[str], text: str) -> tuple[int, Generators]:
    if not words or words.pop(0) != "(":
        raise UserError(f"group {text!r}: expected permutations (1 0 2, 0 2 1), for one")
    generators: Generators = [[]]
    while words and words[0] != ")":
        word = words.pop(0)
        if word == ",":
            generators.append([])
        elif word.isascii() and word.isdecimal():
            generators[-1].append(int(word))
        else:
            raise UserError(f"group {text!r}: permutations are numbers and commas, got {word!r}")
    if not words:
        raise UserError(f"group {text!r}: a bracket is not closed")
    words.pop(0)
    nodes = len(generators[0])
    for g in generators:
        if len(g) != nodes:
            raise UserError(f"group {text!r}: expected permutations of one length, got {nodes} and {len(g)}")
        if not g or sorted(g) != list(range(nodes)):
            raise UserError(f"group {text!r}: expected each of 0 to {max(nodes - 1, 0)} once, got {g[:20]}")
    if nodes > MOST_NODES or nodes * len(generators) > MOST_ENTRIES:
        raise UserError(f"group {text!r}: expected at most {MOST_NODES} nodes and {MOST_ENTRIES} numbers")
    return nodes, generators


def _identity(n: int) -> tuple[int, Generators]:
    return n, []


def _symmetric(n: int) -> tuple[int, Generators]:
    return n, [[*range(1, n), 0], [1, 0, *range(2, n)]] if n > 1 else []


def _alternating(n: int) -> tuple[int, Generators]:
    """Three-cycles (0, 1, k) generate it."""
    generators = []
    for k in range(2, n):
        cycle = list(range(n))
        cycle[0], cycle[1], cycle[k] = 1, k, 0
        generators.append(cycle)
    return n, generators


def _cyclic(n: int) -> tuple[int, Generators]:
    return n, [[*range(1, n), 0]]


def _dihedral(n: int) -> tuple[int, Generators]:
    return n, [[*range(1, n), 0], list(range(n))[::-1]]


def _reversal(n: int) -> tuple[int, Generators]:
    return n, [list(range(n))[::-1]]


def _translations(*sides: int) -> tuple[int, Generators]:
    def move(axis: int) -> Callable[[tuple[int, ...]], tuple[int, ...]]:
        return lambda site: tuple((x + (k == axis)) % sides[k] for k, x in enumerate(site))

    return _moves(sides, [move(axis) for axis in range(len(sides))])


def _grid(*sides: int) -> tuple[int, Generators]:
    def flip(axis: int) -> Callable[[tuple[int, ...]], tuple[int, ...]]:
        return lambda site: tuple(sides[k] - 1 - x if k == axis else x for k, x in enumerate(site))

    def swap(one: int, other: int) -> Callable[[tuple[int, ...]], tuple[int, ...]]:
        order = list(range(len(sides)))
        order[one], order[other] = other, one
        return lambda site: tuple(site[k] for k in order)

    pairs = [(i, j) for i in range(len(sides)) for j in range(i + 1, len(sides)) if sides[i] == sides[j]]
    return _moves(sides, [flip(axis) for axis in range(len(sides))] + [swap(i, j) for i, j in pairs])


def _torus(*sides: int) -> tuple[int, Generators]:
    nodes, generators = _grid(*sides)
    return nodes, generators + _translations(*sides)[1]


def _moves(sides: Sequence[int], moves: list[Callable[[tuple[int, ...]], tuple[int, ...]]]) -> tuple[int, Generators]:
    sites = list(product(*map(range, sides)))
    number = {site: k for k, site in enumerate(sites)}
    return len(sites), [[number[move(site)] for site in sites] for move in moves]


def _hypercube(d: int) -> tuple[int, Generators]:
    nodes, generators = _grid(*[2] * d)
    return nodes, generators


def _blocks(height: int, width: int, side: int) -> tuple[int, Generators]:
    if height % side or width % side:
        raise ValueError(f"blocks of {side} do not tile {height} x {width}")
    if 2 * (height * width) ** 2 // side**2 > MOST_ENTRIES:
        raise ValueError(
            f"the generators of {height} x {width} pixels in blocks of {side} are more than {MOST_ENTRIES} numbers"
        )
    blocks: dict[tuple[int, int], list[int]] = {}
    for row, column in product(range(height), range(width)):
        blocks.setdefault((row // side, column // side), []).append(row * width + column)
    generators = []
    for pixels in blocks.values():
        for local in _symmetric(side * side)[1]:
            whole = list(range(height * width))
            for place, image in enumerate(local):
                whole[pixels[place]] = pixels[image]
            generators.append(whole)
    return height * width, generators


def _affine(p: int) -> tuple[int, Generators]:
    if p < 2 or any(p % k == 0 for k in range(2, int(p**0.5) + 1)):
        raise ValueError(f"affine needs a prime, got {p}")
    root = next(a for a in range(1, p) if len({pow(a, k, p) for k in range(p - 1)}) == p - 1)
    return p, [[(x + 1) % p for x in range(p)], [root * x % p for x in range(p)]]


def _fano() -> tuple[int, Generators]:
    return 7, [[1, 2, 3, 4, 5, 6, 0], [0, 1, 4, 3, 2, 6, 5]]


def _product(groups: list[tuple[int, Generators]], text: str) -> tuple[int, Generators]:
    def join(one: tuple[int, Generators], other: tuple[int, Generators]) -> tuple[int, Generators]:
        left = [[*g, *range(one[0], one[0] + other[0])] for g in one[1]]
        right = [[*range(one[0]), *(one[0] + i for i in g)] for g in other[1]]
        return one[0] + other[0], left + right

    return reduce(join, groups)


def _wreath(groups: list[tuple[int, Generators]], text: str) -> tuple[int, Generators]:
    if len(groups) != 2:
        raise UserError(f"group {text!r}: wreath needs two groups, got {len(groups)}")
    (inner, within), (outer, between) = groups
    inside = [[*(c * inner + i for i in g)] for c in range(outer) for g in within]
    copies = [
        [*range(c * inner), *g, *range((c + 1) * inner, outer * inner)]
        for (c, g) in zip([c for c in range(outer) for _ in within], inside, strict=True)
    ]
    swaps = [[h[c] * inner + i for c in range(outer) for i in range(inner)] for h in between]
    return inner * outer, copies + swaps


NUMBERED: dict[str, tuple[Callable[..., tuple[int, Generators]], int, int]] = {
    "identity": (_identity, 1, 1),
    "symmetric": (_symmetric, 1, 1),
    "alternating": (_alternating, 1, 1),
    "cyclic": (_cyclic, 1, 1),
    "dihedral": (_dihedral, 1, 1),
    "reversal": (_reversal, 1, 1),
    "grid": (_grid, 1, 4),
    "torus": (_torus, 1, 4),
    "translations": (_translations, 1, 4),
    "hypercube": (_hypercube, 1, 1),
    "blocks": (_blocks, 3, 3),
    "affine": (_affine, 1, 1),
    "fano": (_fano, 0, 0),
}
"""Name -> (what makes nodes and generators, fewest numbers, most numbers)."""
COMPOSED = {"product": _product, "wreath": _wreath}
NAMES = (*NUMBERED, *COMPOSED, "permutations")

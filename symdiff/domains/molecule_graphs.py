"""Molecules as labeled graphs in files: arrays, GraphML, and graphs whose labels are known to be atoms and bonds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path

import numpy as np
from rdkit import Chem

from symdiff.chemistry import kekule
from symdiff.chemistry.kekule import Kekule
from symdiff.chemistry.limits import MAX_ATOMS, MAX_CHARGE
from symdiff.errors import UserError
from symdiff.graphs.columns import read_edges
from symdiff.graphs.edge_list import EdgeList
from symdiff.graphs.files import WRITE, read_graphs, recognize, write_columns
from symdiff.graphs.graphml import from_drawing, parse_drawings, write_graphml
from symdiff.storage.arrays import read_arrays, read_headers
from symdiff.storage.files import ending, lines, open_text
from symdiff.storage.growing import Growing, split
from symdiff.storage.numbers import read_integer, show
from symdiff.storage.records import Broken, Record

NEEDED = ("num_nodes", "edge_ptr", "edges", "element", "charge", "order")
AROMATIC = 4
"""The label of an aromatic bond, where labels are those of a graph."""
_CHARGES = 2 * MAX_CHARGE + 2  # one more, of what is no charge
_DECLARED, _HEAD = 'attr.name="element"', 64
_BONDS = (None, Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE, Chem.BondType.AROMATIC)


def holds_molecules(path: str | Path) -> bool:
    """Tell whether a file of graphs is one of molecules: it names the element of every node.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    bool
        False for files that are not of graphs, too.

    Raises
    ------
    UserError
        Where it cannot be read.
    """
    form = recognize(path)
    if form == "columns":
        return {"element", "order"} <= set(read_headers(path))
    if form != "graphml":
        return False
    with open_text(path) as stream:
        return any(_DECLARED in line for line, _ in islice(lines(stream, 1 << 14), _HEAD))


def read_records(path: str | Path, atoms: Sequence[str] | None = None, max_atoms: int = MAX_ATOMS) -> Iterator[Record]:
    """Read the molecules of a file as mol blocks, hydrogens implied.

    Parameters
    ----------
    path : str or Path
        Arrays ``num_nodes`` (M,), ``edge_ptr`` (M + 1,), ``edges`` (E, 2), ``element`` and ``charge`` one an atom,
        ``order`` (E,) of 1 to 3; GraphML with ``element`` (a symbol) and ``charge`` of nodes and ``order`` of edges;
        or, with ``atoms``, a file of labeled graphs.
    atoms : sequence of str, optional
        What the labels of nodes stand for, from 0, such as C, N, O, F; the labels of edges are then 1 to 3 for bonds of
        that order and 4 for aromatic ones.
    max_atoms : int
        What is larger is a broken record.

    Yields
    ------
    Record
        Of the form "molblock"; a broken one keeps its place and costs no other.

    Raises
    ------
    UserError
        Where the file cannot be read, or the arrays do not belong together.
    """
    place = Path(path).name
    for number, graph in enumerate(_read(path, atoms, max_atoms), 1):
        try:
            if isinstance(graph, Broken):
                raise graph
            yield Record(place, number, Chem.MolToMolBlock(_molecule(graph), kekulize=False), "molblock")
        except Broken as reason:
            yield Record(place, number, "", "molblock", str(reason))


def read(path: str | Path) -> list[Chem.Mol]:
    """Read the molecules of a file that ``write`` could have written, unsanitized.

    Parameters
    ----------
    path : str or Path
        Edge lists (.npz, .safetensors) or .graphml.

    Returns
    -------
    list of rdkit.Chem.Mol
        One for each graph.

    Raises
    ------
    UserError
        For what is no molecule.
    """
    molecules = []
    for number, graph in enumerate(_read(path, None, MAX_ATOMS), 1):
        if isinstance(graph, Broken):
            raise UserError(f"{path}: molecule {number}: {graph}") from graph
        molecules.append(_molecule(graph))
    return molecules


def write(mols: Iterable[Chem.Mol], path: str | Path) -> None:
    """Write molecules as edge lists (.npz, .safetensors) or as .graphml, as ``read_records`` reads them.

    Parameters
    ----------
    mols : iterable of rdkit.Chem.Mol
        Which may be made while they are written.
    path : str or Path
        The file, whose ending chooses the format.

    Raises
    ------
    UserError
        For a molecule that such a graph cannot hold, and where the file cannot be written.
    """
    suffix, graphs = ending(path, WRITE), _kekule(mols, path)
    if suffix == ".graphml":
        write_graphml(map(_drawing, graphs), path)
        return
    labels = ("element", "charge", "order")
    with Growing(Path(path).parent) as arrays:
        for portion in chain([[]], split(graphs)):  # of no molecules, empty arrays
            for name in ("edges", *labels):
                arrays.append(name, np.concatenate([getattr(graph, name) for graph in [kekule.EMPTY, *portion]]))
            arrays.append("num_nodes", np.array([len(graph.element) for graph in portion], np.int32))
            arrays.append("num_edges", np.array([len(graph.order) for graph in portion], np.int64))
        write_columns(
            arrays["num_nodes"], arrays["num_edges"], arrays["edges"], {name: arrays[name] for name in labels}, path
        )


def _kekule(mols: Iterable[Chem.Mol], path: str | Path) -> Iterator[Kekule]:
    for place, mol in enumerate(mols, 1):
        try:
            yield kekule.graph_of(mol)
        except UserError as error:
            raise UserError(f"{path}: molecule {place}: {error}") from error


def _read(path: str | Path, atoms: Sequence[str] | None, max_atoms: int) -> Iterator[Kekule | Broken]:
    if atoms:
        entries, decode = _read_labeled(path, max_atoms), _by_labels(atoms)
    elif recognize(path) == "graphml":
        entries, decode = _read_drawings(parse_drawings(path), max_atoms), _by_code
    elif not holds_molecules(path):
        raise UserError(
            f"{path}: holds graphs, whose labels are no atoms by themselves; --atoms tells what they stand for, such "
            "as C,N,O,F"
        )
    else:
        entries, decode = _columns(read_arrays(path), path, max_atoms), _by_code
    for entry in entries:
        try:
            if isinstance(entry, Broken):
                raise Broken(str(entry).replace("node", "atom"))
            yield decode(entry)
        except Broken as reason:
            yield reason


def _read_labeled(path: str | Path, max_atoms: int) -> Iterator[EdgeList | Broken]:
    graph_set = read_graphs(path, max_atoms)
    return (
        Broken(record.reason) if graph is None else graph
        for record, graph in zip(graph_set.records, graph_set.graphs, strict=True)
    )


def _columns(arrays: Mapping[str, np.ndarray], path: str | Path, max_atoms: int) -> Iterator[EdgeList | Broken]:
    missing = [name for name in NEEDED if name not in arrays]
    if missing:
        raise UserError(f"{path}: the array {missing[0]!r} is missing; expected {', '.join(NEEDED)}")
    element, charge, order = (arrays[name] for name in ("element", "charge", "order"))
    if element.shape != charge.shape or element.dtype.kind not in "iu" or charge.dtype.kind not in "iu":
        got = f"{element.dtype} {element.shape} and {charge.dtype} {charge.shape}"
        raise UserError(f"{path}: element, charge: expected integers, one of each an atom, got {got}")
    if order.dtype.kind in "iu":
        order = order.clip(0, AROMATIC).astype(np.int64)
    num_nodes, edge_ptr, edges = (arrays[name] for name in ("num_nodes", "edge_ptr", "edges"))
    return read_edges(num_nodes, edge_ptr, edges, _code(element, charge), order, Path(path).name, max_atoms)


def _read_drawings(drawings: Sequence, max_atoms: int) -> Iterator[EdgeList | Broken]:
    for drawing in drawings:
        try:
            symbols = [data.get("element") for _, data in drawing.nodes(data=True)]
            charges = [_integer(data.get("charge", 0), "charge") for _, data in drawing.nodes(data=True)]
            codes = _code(
                np.array([_element(symbol) for symbol in symbols], np.int64), np.array(charges, np.int64)
            ).tolist()
            for node, code in zip(drawing.nodes, codes, strict=True):
                drawing.nodes[node]["label"] = code
            for _, _, data in drawing.edges(data=True):
                data["label"] = min(max(_integer(data.get("order"), "order"), 0), AROMATIC)
            yield from_drawing(drawing, max_atoms)
        except Broken as reason:
            yield reason


def _element(symbol: object) -> int:
    number, charge = 0, 1  # what is no symbol is refused as one with a charge is
    with suppress(UserError):
        number, charge = kekule.parse_label(str(symbol)[:40])
    if charge:
        raise Broken(f"element: expected the symbol of an element, its charge apart, got {show(symbol)}")
    return number


def _integer(value: object, what: str) -> int:
    try:
        return read_integer(value)
    except UserError as error:
        raise Broken(f"{what}: {error}") from error


def _code(element: np.ndarray, charge: np.ndarray) -> np.ndarray:
    """One label for element and charge; what is none of them becomes element 0, or the charge beyond all."""
    known = (element >= 1) & (element <= kekule.MAX_ELEMENT)
    small = (charge >= -MAX_CHARGE) & (charge <= MAX_CHARGE)
    return (
        np.where(known, element, 0).astype(np.int64) * _CHARGES
        + np.where(small, charge, MAX_CHARGE + 1).astype(np.int64)
        + MAX_CHARGE
    )


def _by_code(graph: EdgeList) -> Kekule:
    assert graph.node_labels is not None  # ``_code`` gave them
    element, charge = np.divmod(graph.node_labels, _CHARGES)
    orders = np.zeros(0, np.int64) if graph.edge_labels is None else graph.edge_labels
    if not element.all():
        raise Broken(
            f"element: atom {int(np.argmin(element != 0)) + 1} is none of the elements 1 to {kekule.MAX_ELEMENT}"
        )
    if (charge > 2 * MAX_CHARGE).any():
        raise Broken(f"charge: atom {int(np.argmax(charge)) + 1} has a charge beyond {MAX_CHARGE}")
    if not np.isin(orders, (1, 2, 3)).all():
        raise Broken("order: expected bonds of order 1, 2 or 3")
    return Kekule(element, charge - MAX_CHARGE, graph.edges, orders)


def _by_labels(atoms: Sequence[str]):
    table = np.array([kekule.parse_label(atom) for atom in atoms], np.int64).reshape(-1, 2)

    def decode(graph: EdgeList) -> Kekule:
        labels = np.zeros(graph.num_nodes, np.int64) if graph.node_labels is None else graph.node_labels
        orders = np.ones(len(graph.edges), np.int64) if graph.edge_labels is None else graph.edge_labels
        if labels.max() >= len(table):
            raise Broken(f"element: the label {labels.max()} stands for no atom, {len(table)} are named")
        if len(orders) and orders.max() > AROMATIC:
            raise Broken(f"order: expected bonds of order 1, 2, 3 or {AROMATIC} (aromatic), got {orders.max()}")
        return Kekule(table[labels, 0], table[labels, 1], graph.edges, orders)

    return decode


def _molecule(graph: Kekule) -> Chem.Mol:
    """As ``kekule.from_kekule``, aromatic bonds among them."""
    mol = Chem.RWMol(kekule.from_kekule(Kekule(graph.element, graph.charge, graph.edges[:0], graph.order[:0])))
    for (i, j), order in zip(graph.edges.tolist(), graph.order.tolist(), strict=True):
        mol.AddBond(i, j, _BONDS[order])
        if order == AROMATIC:
            for atom in (i, j):
                mol.GetAtomWithIdx(atom).SetIsAromatic(True)
            mol.GetBondBetweenAtoms(i, j).SetIsAromatic(True)
    return mol.GetMol()


def _drawing(graph: Kekule):
    import networkx

    drawing = networkx.Graph()
    for atom, (element, charge) in enumerate(zip(graph.element.tolist(), graph.charge.tolist(), strict=True)):
        drawing.add_node(atom, element=kekule.label(element, 0), charge=charge)
    for (i, j), order in zip(graph.edges.tolist(), graph.order.tolist(), strict=True):
        drawing.add_edge(i, j, order=order)
    return drawing

"""Files of molecules as labelled graphs: .npz, .safetensors, .graphml."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from rdkit import Chem

from symdiff.chemistry import kekule
from symdiff.storage.files import ending
from symdiff.domains.graph_files import FORMATS, read_columns, read_graphml, write_columns, write_graphml
from symdiff.chemistry.kekule import Kekule
from symdiff.errors import UserError

NODES, EDGES = ("element", "charge"), ("order",)


def write(mols: Sequence[Chem.Mol], path: str | Path) -> None:
    """Write molecules as edge lists (.npz, .safetensors) or as .graphml. Raises UserError.

    ``num_nodes`` (M,), ``edge_ptr`` (M + 1,), ``edges`` (sum E, 2), ``element`` (sum n,) atomic numbers, ``charge`` (sum n,),
    ``order`` (sum E,) of the bonds: 1, 2, 3. In GraphML nodes have ``element``, a symbol, and ``charge``, edges have ``order``.
    """
    suffix, graphs = ending(path, FORMATS), []
    for place, mol in enumerate(mols, 1):
        try:
            graphs.append(kekule.graph_of(mol))
        except UserError as error:
            raise UserError(f"{path}: molecule {place}: {error}") from error
    if suffix == ".graphml":
        write_graphml([_drawing(graph) for graph in graphs], path)
        return
    flat = {name: np.concatenate([getattr(graph, name) for graph in [kekule.EMPTY, *graphs]]) for name in ("edges", *NODES, *EDGES)}
    sizes, counts = [len(graph.element) for graph in graphs], [len(graph.order) for graph in graphs]
    write_columns(sizes, counts, flat.pop("edges"), flat, path)


def read(path: str | Path) -> list[Chem.Mol]:
    """The molecules of a file that ``write`` could have written, unsanitized. Raises UserError for what is no molecule."""
    found = []
    for place, graph in enumerate(_graphs(path), 1):
        try:
            found.append(kekule.from_kekule(_checked(graph)))
        except (UserError, ValueError) as error:
            raise UserError(f"{path}: molecule {place}: {error}") from error
    return found


def _graphs(path: str | Path) -> Iterator[Kekule]:
    if ending(path, FORMATS) == ".graphml":
        for place, drawing in enumerate(read_graphml(path), 1):
            try:
                yield _from_drawing(drawing)
            except UserError as error:
                raise UserError(f"{path}: molecule {place}: {error}") from error
        return
    columns = read_columns(path, NODES, EDGES)
    missing = [name for name in (*NODES, *EDGES) if name not in columns]
    if missing:
        raise UserError(f"{path}: the array {missing[0]!r} is missing")
    atoms, bonds = (np.cumsum(columns[name])[:-1] for name in ("num_nodes", "num_edges"))
    split = {name: np.split(columns[name], atoms) for name in NODES}
    split |= {name: np.split(columns[name], bonds) for name in ("edges", *EDGES)}
    for place in range(len(columns["num_nodes"])):
        yield Kekule(**{name: parts[place] for name, parts in split.items()})


def _checked(graph: Kekule) -> Kekule:
    """The graph, if there can be such atoms and bonds; edges with i < j. Raises UserError."""
    atoms = len(graph.element)
    if atoms and not (graph.element.min() >= 0 and graph.element.max() <= kekule.MAX_ELEMENT):
        raise UserError(f"element: expected atomic numbers of 0 to {kekule.MAX_ELEMENT}")
    if atoms and abs(graph.charge.astype(np.int64)).max() > kekule.MAX_CHARGE:
        raise UserError(f"charge: expected at most {kekule.MAX_CHARGE}")
    if not np.isin(graph.order, (1, 2, 3)).all():
        raise UserError("order: expected bonds of order 1, 2 or 3")
    edges = np.sort(graph.edges.astype(np.int64).reshape(-1, 2), axis=1)
    if len(edges) and (edges.min() < 0 or edges.max() >= atoms):
        raise UserError("a bond to an atom that is not there")
    if (edges[:, 0] == edges[:, 1]).any() or len(np.unique(edges, axis=0)) != len(edges):
        raise UserError("a loop, or two bonds between the same atoms")
    return Kekule(graph.element, graph.charge, edges, graph.order)


def _drawing(graph: Kekule):
    import networkx

    drawing = networkx.Graph()
    for atom, (element, charge) in enumerate(zip(graph.element.tolist(), graph.charge.tolist(), strict=True)):
        drawing.add_node(atom, element=kekule.label(element, 0), charge=charge)
    for (i, j), order in zip(graph.edges.tolist(), graph.order.tolist(), strict=True):
        drawing.add_edge(i, j, order=order)
    return drawing


def _from_drawing(drawing) -> Kekule:
    place = {node: atom for atom, node in enumerate(drawing)}
    labels = [kekule.parse_label(element) for _, element in drawing.nodes(data="element")]
    charges = [charge for _, charge in drawing.nodes(data="charge", default=0)]
    bonds = [(place[u], place[v], order) for u, v, order in drawing.edges(data="order")]
    if drawing.is_directed() or drawing.is_multigraph():
        raise UserError("expected an undirected graph, at most one edge between two nodes")
    if any(charge for _, charge in labels):
        raise UserError("expected the charge of a node as a number of its own, behind no symbol")
    if any(type(value) is not int for value in [*charges, *(order for _, _, order in bonds)]):
        raise UserError("expected integers as the charge of nodes and the order of edges")
    numbers = np.array(bonds, np.int64).reshape(-1, 3)
    elements = np.array([element for element, _ in labels], np.int64)
    return Kekule(elements, np.array(charges, np.int64), numbers[:, :2], numbers[:, 2])

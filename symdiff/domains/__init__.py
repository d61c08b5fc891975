"""Domains: what a graph, a molecule, a point cloud or a spin lattice is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symdiff.face import face

if TYPE_CHECKING:
    from symdiff.domains.base import Domain as Domain
    from symdiff.domains.base import domain_from_spec as domain_from_spec
    from symdiff.domains.codec import Codec as Codec
    from symdiff.domains.graph import Graph as Graph
    from symdiff.domains.graph_codec import GraphCodec as GraphCodec
    from symdiff.domains.lattice import SpinLattice as SpinLattice
    from symdiff.domains.lattice_codec import LatticeCodec as LatticeCodec
    from symdiff.domains.molecule import MolecularGraph as MolecularGraph
    from symdiff.domains.molecule3d import Molecule3D as Molecule3D
    from symdiff.domains.molecule3d_codec import Molecule3DCodec as Molecule3DCodec
    from symdiff.domains.molecule_codec import MoleculeCodec as MoleculeCodec
    from symdiff.domains.options import Options as Options
    from symdiff.domains.points import PointCloud as PointCloud
    from symdiff.domains.points_codec import PointCodec as PointCodec
    from symdiff.domains.properties import Property as Property
    from symdiff.domains.property_options import PropertyOptions as PropertyOptions
    from symdiff.domains.property_set import Properties as Properties
    from symdiff.domains.tori import SpinTori as SpinTori
    from symdiff.domains.tori_codec import ToriCodec as ToriCodec
    from symdiff.domains.wishes import Wish as Wish

__getattr__, __dir__ = face(__name__)

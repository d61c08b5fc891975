"""A scaffold is in every sample exactly as it was given, bound at its attachment points only."""

from __future__ import annotations

import pytest
import torch
from rdkit import Chem

from symdiff.chemistry import kekule
from symdiff.domains.molecule import MolecularGraph
from symdiff.errors import UserError
from symdiff.pipeline import load
from symdiff.sampling.request import Request

DOMAIN = MolecularGraph(["C", "O", "N"])


@pytest.fixture(scope="module")
def pipeline():
    return load("qm9-graph")


@pytest.mark.parametrize(
    ("text", "query", "particles"),
    [
        ("[*]c1ccccc1", "*-[#6]1~[#6;H1]~[#6;H1]~[#6;H1]~[#6;H1]~[#6;H1]1", 1),
        ("*C#N.*O", "[#6;H0](#[#7;H0])-*", 2),
        ("[*]C1CC1[*]", "[#6]1[#6;H2][#6]1", 1),
    ],
)
def test_a_scaffold_is_in_every_sample(pipeline, text, query, particles):
    known = pipeline.domain.options.read_known({"fixed": text})
    request = Request(12, None, None, known, seed=1)
    samples = pipeline.sample(request, pipeline.sampler(request, 10, 1.0, particles))
    count, valid = int(known.num_nodes[0]), 0
    closed, open_ = (torch.nonzero(known["open"][0] == label)[:, 0] for label in (0, 1))
    for x in samples.states:
        assert (x.num_nodes > count).all()
        assert x["atom"][:, :count].equal(known["atom"].expand(len(x), -1))
        assert x["bond"][:, :count, :count].equal(known["bond"].expand(len(x), -1, -1))
        assert not x["bond"][:, closed, count:].any() and x["bond"].equal(x["bond"].transpose(1, 2))
    assert sum(bool(x["bond"][:, open_, count:].any()) for x in samples.states)
    for mol in samples.objects():
        if kekule.problem(mol) is None and len(Chem.GetMolFrags(mol)) == 1:
            valid += mol.HasSubstructMatch(Chem.MolFromSmarts(query))
            assert mol.HasSubstructMatch(Chem.MolFromSmarts(query)), Chem.MolToSmiles(mol)
    again = pipeline.sample(request, pipeline.sampler(request, 10, 1.0, particles))
    assert all(x["bond"].equal(y["bond"]) for x, y in zip(samples.states, again.states, strict=True))


def test_sizes_are_those_that_have_room(pipeline):
    whole = pipeline.domain.options.read_known({"fixed": "c1ccccc1"})
    assert pipeline.prepare(Request(2, None, None, whole))[1][6] == 1.0
    with pytest.raises(UserError, match="nothing may be attached to the scaffold"):
        pipeline.prepare(Request(2, 8, None, whole))
    known = pipeline.domain.options.read_known({"fixed": "*c1ccccc1"})
    assert not any(pipeline.prepare(Request(2, None, None, known))[1][:7])
    with pytest.raises(UserError, match="6: the scaffold has 6 nodes and needs 7"):
        pipeline.prepare(Request(2, 6, None, known))
    large = pipeline.domain.options.read_known({"fixed": "*CCCCCCCCCC"})
    with pytest.raises(UserError, match="needs 11 nodes, the training data have at most 9"):
        pipeline.prepare(Request(2, None, None, large))


def test_hydrogens_of_a_scaffold_are_a_part_of_it():
    known = MolecularGraph(["C", "H"]).options.read_known({"fixed": "*CC"})
    assert known["atom"].tolist() == [[0, 0, 1, 1, 1, 1, 1]] and known["open"].tolist() == [[1, 0, 0, 0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a SMILES such as"),
        ("c1ccc", "expected a SMILES such as"),
        ("*", "expected every|expected atoms beside"),
        ("**", "expected every"),
        ("C*C", "expected every"),
        ("*=C", "expected every"),
        ("*[Si]", "unpaired|atom Si is not"),
        ("*CF", "atom F is not among C, O, N"),
        ("*[CH]C", "unpaired"),
    ],
)
def test_other_scaffolds_are_refused(text, message):
    with pytest.raises(UserError, match=message):
        DOMAIN.options.read_known({"fixed": text})

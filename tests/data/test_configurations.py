"""Spins from files: what is imported is what the file held, on every lattice and for every model."""

from __future__ import annotations

import json

import networkx as nx
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from symdiff.cli.main import app
from symdiff.data.importer import ImportSettings
from symdiff.data.importing import import_files
from symdiff.data.orders import symmetry
from symdiff.domains.graph import Graph
from symdiff.domains.lattice import CONDITIONS, SpinLattice
from symdiff.errors import UserError
from symdiff.groups.bravais import bravais

SIDES = {"chain": (7,), "square": (4, 4), "triangular": (4, 4), "cubic": (3, 3, 3)}
MODELS = {"ising": 2, "potts": 3, "clock": 5}


def spins(lattice="square", model="ising", conditions=CONDITIONS, shells=1, sides=None, count=12, seed=0):
    """The arrays of a file of random configurations with random conditions in single precision."""
    draw, states, sides = np.random.default_rng(seed), MODELS[model], sides or SIDES[lattice]
    labels = draw.integers(states, size=(count, *sides)).astype(np.int8)
    bonds = len(bravais(lattice).directions(shells)) // 2
    every = {
        "coupling": draw.normal(size=(count, *sides, bonds)),
        "field": draw.normal(size=(count, *sides) if model == "ising" else (count, *sides, states)),
        "temperature": draw.uniform(0.5, 3, count),
    }
    given = {name: every[name].astype(np.float32) for name in conditions}
    named = {"lattice": np.array(lattice), "model": np.array(model), "states": np.array(states)}
    return {"spins": 1 - 2 * labels if model == "ising" else labels, **given, **named}


def imported(tmp_path, name="set", **arrays):
    np.savez(tmp_path / f"{name}.npz", **arrays)
    return import_files([tmp_path / f"{name}.npz"], tmp_path / name)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("lattice", "shells"), [(lattice, shells) for lattice in SIDES for shells in (1, 2)])
def test_every_array_survives_exactly(tmp_path, lattice, shells, model):
    given = spins(lattice, model, shells=shells)
    dataset = imported(tmp_path, **given)
    assert dataset.domain.spec == SpinLattice(lattice, None, model, MODELS[model], shells, CONDITIONS).spec
    found = dataset.domain.decode(dataset.batch(torch.arange(12)))
    dataset.domain.write(found, tmp_path / "again.npz")
    again = np.load(tmp_path / "again.npz")
    for name, value in given.items():
        assert again[name].dtype == value.dtype or name == "states"
        assert np.array_equal(again[name], value), name


@pytest.mark.parametrize("conditions", [(), ("temperature",), ("coupling",), ("field", "temperature")])
def test_conditions_are_those_of_the_file(tmp_path, conditions):
    dataset = imported(tmp_path, **spins(conditions=conditions))
    assert dataset.domain.conditions == conditions and dataset.batch([0]).schema.keys() == {*conditions, "spin"}
    record = dataset.domain.encode(dataset.domain.read(tmp_path / "set.npz")[3])
    for name, value in dataset.batch([3]).values.items():
        assert np.array_equal(value[0].numpy(), record[name])


def test_one_hamiltonian_stands_for_all(tmp_path):
    given = spins("triangular", "potts")
    one = {"coupling": given["coupling"][0], "field": given["field"][:1], "temperature": given["temperature"][0]}
    dataset = imported(tmp_path, **{**given, **one})
    assert len(dataset) == 12 and (dataset.batch([0, 5, 11])["temperature"] == float(one["temperature"])).all()
    x = dataset.batch([0, 11])
    assert torch.equal(x["coupling"][0], x["coupling"][1]) and torch.equal(x["field"][0], x["field"][1])


def test_sides_that_differ_are_those_of_the_data_set(tmp_path):
    dataset = imported(tmp_path, **spins(sides=(3, 4)))
    assert dataset.domain.sides == (3, 4) and dataset.num_nodes.unique().tolist() == [12]


def test_broken_configurations_are_counted_and_left_out(tmp_path):
    given = spins(count=20)
    given["spins"][3, 0, 0], given["coupling"][5, 1, 1, 0], given["temperature"][7] = 0, np.nan, 0
    given["field"] = given["field"].astype(np.float64)
    given["field"][9, 2, 2] = 1e300
    dataset = imported(tmp_path, **given)
    assert (
        dataset.meta["rows"] == 20
        and len(dataset) == 16
        and dataset.meta["left_out"]
        == {
            "value": 1,
            "coupling": 1,
            "field": 1,
            "temperature": 1,
        }
    )
    kept = [k for k in range(20) if k not in (3, 5, 7, 9)]
    assert np.array_equal(dataset.batch(range(16))["temperature"][:, 0].numpy(), given["temperature"][kept])


def test_equal_configurations_share_a_split_and_a_file_may_say_it(tmp_path):
    given = spins(conditions=["temperature"], count=200)
    twice = {name: np.concatenate([value, value]) if value.ndim else value for name, value in given.items()}
    dataset = imported(tmp_path, **twice)
    split = dataset.columns.arrays["split"]
    assert dataset.meta["duplicates"] == 200 and torch.equal(split[:200], split[200:]) and len(split.unique()) == 3
    warmer = {**given, "temperature": given["temperature"] + 1}
    assert not torch.equal(imported(tmp_path, "warmer", **warmer).columns.arrays["split"], split[:200])
    own = imported(tmp_path, "own", **given, split=np.arange(200) % 3)
    assert own.columns.arrays["split"].tolist() == [k % 3 for k in range(200)]


def test_several_files_are_one_data_set(tmp_path):
    for seed in (0, 1):
        np.savez(tmp_path / f"{seed}.npz", **spins("cubic", "clock", seed=seed))
    dataset = import_files([tmp_path / "0.npz", tmp_path / "1.npz"], tmp_path / "set")
    assert len(dataset) == 24 and dataset.meta["source"]["title"] == "0.npz, 1.npz"
    assert np.array_equal(
        dataset.batch(range(12, 24))["spin"].reshape(12, 3, 3, 3), spins("cubic", "clock", seed=1)["spins"]
    )


def test_the_symmetry_of_spins_is_that_of_the_lattice(tmp_path):
    """All up.

    P4m of 4 x 4 sites, 128 operations; one down: those that keep its site; a field of its own everywhere: none.
    """
    given = spins(conditions=(), count=2)
    given["spins"][:] = 1
    given["spins"][1, 2, 3] = -1
    found = symmetry(imported(tmp_path, **given))
    assert (found.count, found.asymmetric, found.largest) == (2, 0, 128)
    found = symmetry(imported(tmp_path, "b", **{**given, "spins": given["spins"][1:]}))
    assert found.largest == 8
    assert symmetry(imported(tmp_path, "c", **given, field=np.arange(16.0).reshape(4, 4))).asymmetric == 2


BAD = {
    "no spins": ({"spins": None}, "a.npz: expected an array 'spins', got coupling, field, temperature"),
    "empty": (
        {"spins": np.zeros((0, 4, 4), np.int8), "coupling": None, "field": None, "temperature": None},
        "a.npz: no spins",
    ),
    "no states": (
        {"states": None, "model": np.array("potts")},
        "a.npz: states: expected the number of states of potts spins, got none",
    ),
    "lattice": ({"lattice": np.array("squere")}, "a.npz: unknown lattice 'squere' .did you mean 'square'"),
    "number": ({"lattice": np.array(4)}, "a.npz: lattice: expected one word, got 4"),
    "model": ({"model": np.array("isin")}, "a.npz: unknown model 'isin' .did you mean 'ising'"),
    "states": ({"states": np.array(3)}, "a.npz: model 'ising' needs 2 states, got 3"),
    "two states": ({"states": np.array([2, 2])}, "a.npz: states: expected one integer, got .2, 2."),
    "spin": ({"spin": np.ones(3)}, "a.npz: unknown array 'spin' .did you mean 'spins'"),
    "sides": (
        {"field": np.ones((12, 4, 5))},
        r"a.npz: field: expected numbers over \(4, 4\) or \(12, 4, 4\), as spins of one lattice have them, got \(12, "
        r"4, 5\)",
    ),
    "axes": ({"spins": np.ones((4,), np.int8)}, "a.npz: spins: expected numbers with 3 axes"),
    "counts": ({"temperature": np.ones(5)}, "a.npz: temperature: expected 1 or 12 entries, got 5"),
    "floats": (
        {"spins": np.full((12, 4, 4), 0.5)},
        "no configuration could be read .value: 0.5 where -1 or 1 is expected",
    ),
    "words": ({"spins": np.full((12, 4, 4), "up")}, "a.npz: spins: expected numbers, got <U2"),
    "half": (
        {"coupling": np.ones((12, 4, 4, 3))},
        "a.npz: coupling: a star on the square lattice has 4 or 8 directions, got 6",
    ),
    "split": ({"split": np.arange(12)}, "a.npz: split: expected 0, 1, 2 or the words train, valid, test, got 3"),
    "nan": (
        {"coupling": np.full((12, 4, 4, 2), np.nan)},
        "a.npz: no configuration could be read .coupling: expected a finite number of single precision, got nan",
    ),
    "labels": (
        {"spins": np.zeros((12, 4, 4), np.int8)},
        "no configuration could be read .value: 0 where -1 or 1 is expected",
    ),
    "most": (
        {"temperature": np.arange(12.0) - 4},
        "5 of 12 rows are broken, at most a fifth may be .temperature: 5.; nothing was written",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_imported_is_told_in_one_line(tmp_path, name):
    changed, told = BAD[name]
    given = {key: value for key, value in {**spins(), **changed}.items() if value is not None}
    with pytest.raises(UserError, match=told) as error:
        imported(tmp_path, "a", **given)
    assert "\n" not in str(error.value) and not (tmp_path / "a").exists()


def test_fields_of_another_number_of_states(tmp_path):
    given = spins(model="potts")
    with pytest.raises(UserError, match="field: expected 3 numbers a site, got 4"):
        imported(tmp_path, **{**given, "field": np.ones((12, 4, 4, 4))})


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (spins("triangular"), "b.npz: lattice: expected 'square' as in .*a.npz, got 'triangular'"),
        (spins(sides=(5, 5)), r"b.npz: sides: expected \[4, 4\] as in .*a.npz, got \[5, 5\]"),
        (spins(conditions=["field"]), "b.npz: arrays: expected .*'temperature'.* as in .*a.npz, got "),
        (spins(shells=2), "b.npz: shells: expected 1 as in .*a.npz, got 2"),
    ],
)
def test_files_of_different_spins(tmp_path, other, told):
    np.savez(tmp_path / "a.npz", **spins())
    np.savez(tmp_path / "b.npz", **other)
    with pytest.raises(UserError, match=told):
        import_files([tmp_path / "a.npz", tmp_path / "b.npz"], tmp_path / "set")


def test_spins_come_by_themselves(tmp_path):
    np.savez(tmp_path / "a.npz", **spins())
    Graph().write([nx.path_graph(2)], tmp_path / "g.npz")
    (tmp_path / "m.smi").write_text("CC\n")
    for other in ("g.npz", "m.smi"):
        with pytest.raises(
            UserError, match=f"expected files of one kind, got spins in a.npz; .* in {other}: import each by itself"
        ):
            import_files([tmp_path / "a.npz", tmp_path / other], tmp_path / "set")
    with pytest.raises(UserError, match="settings for molecules as graphs; these are files of spins"):
        import_files([tmp_path / "a.npz"], tmp_path / "set", ImportSettings(hydrogens=True))
    (tmp_path / "b.npz").write_text("spins")
    with pytest.raises(UserError, match="b.npz: not readable as .npz"):
        import_files([tmp_path / "b.npz"], tmp_path / "set")


RECIPE = """
name: mine
data: {dataset: mine}
denoiser: {kind: LatticeConvolution, lattice: triangular, flips: [], width: 24, layers: 1}
process: {kind: Masked, evenly: true}
breaker:
  kind: SymPE
  canonicalizer: {kind: Sites, fields: [spin], group: {kind: Space, lattice: triangular}}
  code: {kind: SiteCode, lattice: triangular}
training: {steps: 2, batch: {size: 4}, optimizer: {warmup: 1}, save: {every: 2}, log: {every: 1}}
sampling: {steps: 4}
"""


def run(*arguments):
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stdout


@pytest.mark.slow
def test_from_a_file_to_a_model_to_a_file(tmp_path):
    """Potts spins on a triangular lattice: import, look, train, sample; what is sampled is imported as well."""
    np.savez(tmp_path / "mine.npz", **spins("triangular", "potts", ["coupling", "temperature"], count=40))
    (tmp_path / "mine.yaml").write_text(RECIPE)
    done = json.loads(run("data", "import", tmp_path / "mine.npz", "--out", tmp_path / "mine", "--json"))
    assert done["count"] == 40 and done["left_out"] == {}
    told = run("data", "info", tmp_path / "mine")
    assert (
        "domain: kind SpinLattice; lattice triangular; sides none; model potts; states 3; shells 1; conditions "
        "coupling, temperature" in told
    )
    run("train", tmp_path / "mine.yaml", "--set", f"data/dataset={tmp_path / 'mine'}", "--out", tmp_path / "run")
    sample = (
        "sample",
        tmp_path / "run" / "checkpoint",
        "--size",
        6,
        "--temperature",
        1.5,
        "--coupling",
        1,
        "--count",
        5,
    )
    run(*sample, "--out", tmp_path / "new.npz")
    again = json.loads(run("data", "import", tmp_path / "new.npz", "--out", tmp_path / "new", "--json"))
    assert again["count"] == 5 and np.load(tmp_path / "new.npz")["spins"].shape == (5, 6, 6)
    assert "36        5" in run("data", "info", tmp_path / "new")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (", lattice: triangular", "", "denoiser.lattice: expected 'triangular' as the data set has, got 'square'"),
        (
            "group: {kind: Space, lattice: triangular}",
            "group: {kind: Space}",
            "breaker.canonicalizer.group.lattice: expected 'triangular'",
        ),
        (
            "group: {kind: Space, lattice: triangular}",
            "group: {kind: Product, groups: [{kind: Space}]}",
            "breaker.canonicalizer.group.groups[0].lattice: expected 'triangular'",
        ),
    ],
)
def test_a_recipe_for_another_lattice_is_one_line(tmp_path, old, new, told):
    """A square lattice has as many sites as a triangular one: nothing else would tell."""
    imported(tmp_path, **spins("triangular", "potts", ["temperature"]))
    (tmp_path / "mine.yaml").write_text(RECIPE.replace(old, new))
    words = ["train", tmp_path / "mine.yaml", "--set", f"data/dataset={tmp_path / 'set'}", "--out", tmp_path / "run"]
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 2 and told in done.stderr and done.stderr.count("\n") == 1


def test_a_recipe_for_other_sides_is_one_line(tmp_path):
    imported(tmp_path, **spins("triangular", "potts", sides=(3, 4)))
    (tmp_path / "mine.yaml").write_text(RECIPE)
    words = ["train", tmp_path / "mine.yaml", "--set", f"data/dataset={tmp_path / 'set'}", "--out", tmp_path / "run"]
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 2 and "denoiser.sides: expected [3, 4] as the data set has, got equal ones" in done.stderr
    given = RECIPE.replace("lattice: triangular", "lattice: triangular, sides: [3, 4]")
    (tmp_path / "mine.yaml").write_text(given)
    run(*words)
    run(
        "sample",
        tmp_path / "run" / "checkpoint",
        "--hamiltonian",
        tmp_path / "set.npz",
        "--count",
        12,
        "--out",
        tmp_path / "new.npz",
    )
    assert np.load(tmp_path / "new.npz")["spins"].shape[1:] == (3, 4)

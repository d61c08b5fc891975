"""Recipes: what is read, and thirty that are refused in one line."""

from __future__ import annotations

import pytest

from symdiff.config import earlier, recipe, strict_yaml
from symdiff.errors import UserError
from symdiff.pipeline import check_parts
from symdiff.storage import bundled

GOOD = """\
name: qm9-graph
data: {dataset: qm9, order: smiles}
denoiser: {kind: NodeTransformer, width: 32, layers: 1, heads: 4}
process: {kind: Flow, prior: marginal}
breaker: {kind: SymPE, anchor: data, canonicalizer: {kind: Stored}, code: {kind: NodeCode, nodes: 9, dim: 16}}
training: {steps: 100, optimizer: {learning_rate: 1e-3, clip: 1}}
sampling: {steps: 50}
"""

HOSTILE = {  # what is replaced, by what, and what the message must say
    "misspelt section": ("training:", "trainning:", "trainning: unknown key (did you mean 'training'?)"),
    "misspelt setting": ("steps: 100", "stpes: 100", "training.stpes: unknown key (did you mean 'steps'?)"),
    "misspelt constructor setting": ("width: 32", "widht: 32",
        "denoiser.widht: NodeTransformer has no such setting (did you mean 'width'?)"),
    "misspelt nested setting": ("nodes: 9", "noods: 9",
        "breaker.code.noods: NodeCode has no such setting (did you mean 'nodes'?)"),
    "misspelt kind": ("kind: SymPE", "kind: Sympe",
        "breaker.kind: expected the name of a SymmetryBreaker, got 'Sympe' (did you mean 'SymPE'?)"),
    "misspelt nested kind": ("kind: Stored", "kind: Storde",
        "breaker.canonicalizer.kind: expected the name of a Canonicalizer, got 'Storde'"),
    "kind of another base": ("kind: Flow", "kind: SymPE", "process.kind: expected the name of a Process, got 'SymPE'"),
    "abstract kind": ("kind: Flow", "kind: Process", "process.kind: expected the name of a Process"),
    "dotted path as kind": ("kind: Flow", "kind: os.system",
        "process.kind: expected the name of a Process, got 'os.system'"),
    "private name as kind": ("kind: Flow", "kind: __import__", "process.kind: expected the name of a Process"),
    "kind is a list": ("kind: Flow", "kind: [Flow]", "process.kind: expected a name, got ['Flow']"),
    "no kind": ("kind: Flow, ", "", "process: the key 'kind' is missing"),
    "spec is text": ("process: {kind: Flow, prior: marginal}", "process: Flow",
        "process: expected a mapping, got 'Flow'"),
    "nested spec is text": ("canonicalizer: {kind: Stored}", "canonicalizer: Stored",
        "breaker.canonicalizer: expected a mapping with the key 'kind', got 'Stored'"),
    "nested spec is missing": ("canonicalizer: {kind: Stored}, ", "",
        "breaker.canonicalizer: SymPE needs this setting"),
    "not a choice": ("prior: marginal", "prior: marginals",
        "process.prior: expected 'marginal' or 'uniform', got 'marginals'"),
    "text for a number": ("width: 32", "width: wide", "denoiser.width: expected an integer, got 'wide'"),
    "quoted number": ("width: 32", 'width: "32"', "denoiser.width: expected an integer, got '32'"),
    "fraction for an integer": ("steps: 100", "steps: 1.5", "training.steps: expected an integer, got 1.5"),
    "negative": ("steps: 100", "steps: -1", "training.steps: expected at least 1, got -1"),
    "out of range": ("steps: 100", "steps: 100, average: {decay: 1.0}",
        "training.average.decay: expected less than 1.0, got 1.0"),
    "yes is no boolean": ("steps: 100", "steps: 100, compute: {compile: yes}",
        "training.compute.compile: expected true or false, got 'yes'"),
    "not a number": ("1e-3", ".nan", "training.optimizer.learning_rate: expected a finite number, got nan"),
    "infinite": ("1e-3", "1e999", "training.optimizer.learning_rate: expected a finite number, got inf"),
    "what the package supplies": ("width: 32", "schema: {}", "denoiser.schema: not a setting: the package supplies it"),
    "path in the name": ("name: qm9-graph", "name: ../../etc/passwd", "name: expected text that matches"),
    "missing section": ("data: {dataset: qm9, order: smiles}\n", "", "data: this key is missing"),
    "duplicate key": ("sampling:", "name: again\nsampling:", 'found duplicate key "name"'),
    "anchor and alias": ("{kind: Flow, prior: marginal}", "&x {kind: Flow}\nsampling: *x",
        "anchors and aliases are not allowed"),
    "merge key": ("sampling:", "<<: {name: x}\nsampling:", "merge keys (<<) are not allowed"),
    "python tag": ("steps: 50", "steps: !!python/object/apply:os.system [id]", "tags are not allowed"),
    "own tag": ("steps: 50", "steps: !run 50", "tags are not allowed, got '!run'"),
    "directive": ("name: qm9", "%YAML 1.1\n---\nname: qm9", "directives (%YAML, %TAG) are not allowed"),
    "two documents": ("sampling:", "---\nsampling:", "expected one document, got a second"),
    "deep nesting": ("steps: 50", f"steps: {'[' * 50}{']' * 50}", "expected at most 16 levels of nesting"),
    "large": ("name:", "#" + "x" * 70_000 + "\nname:", "expected at most 65536 characters"),
    "huge integer": ("steps: 50", f"steps: {'9' * 5000}", "not YAML 1.2"),
    "date": ("name: qm9-graph", "name: 2001-01-01",
        "name: expected text, a number, a list or a mapping, got 2001-01-01"),
    "number as key": ("sampling:", "7: x\nsampling:", "expected keys that are text, got 7"),
    "control character": ("qm9-graph", "qm9\x00", "special characters are not allowed"),
    "tab": ("sampling:", "\tsampling:", "found character '\\t'"),
    "unclosed": ("50}", "50", "expected ',' or '}'"),
    "one list": (GOOD, "- name: x\n- y", "expected a mapping with the keys name, data"),
    "nothing": (GOOD, "\n", "expected a mapping with the keys name, data"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_a_bad_recipe_is_refused_in_one_line(case, tmp_path):
    old, new, message = HOSTILE[case]
    assert old in GOOD
    path = tmp_path / "bad.yaml"
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(UserError) as caught:
        check_parts(recipe.load(path))
    text = str(caught.value)
    assert text.startswith(str(path)) and message in text
    assert len(text) < 400 and "\n" not in text


def test_numbers_are_those_of_yaml_1_2():
    text = "a: 1e-3\nb: 010\nc: 0o10\nd: 0x1F\ne: yes\nf: 12:30\ng: ~\nh: true\ni: 1E3\nj: .5\nk: on\n"
    want = {
        "a": 1e-3,
        "b": 10,
        "c": 8,
        "d": 31,
        "e": "yes",
        "f": "12:30",
        "g": None,
        "h": True,
        "i": 1e3,
        "j": 0.5,
        "k": "on",
    }
    found = strict_yaml.parse(text)
    assert found == want and [type(v) for v in found.values()] == [type(v) for v in want.values()]


@pytest.mark.parametrize(
    "value",
    [
        1e-5,
        1e22,
        3,
        True,
        None,
        "yes",
        "1e-5",
        "null",
        "~",
        "<<",
        "a: b",
        "# c",
        " x ",
        "",
        "2001-01-01",
        [1, [2]],
        {"k": {}},
        "&a",
    ],
)
def test_written_values_are_read_back(value):
    found = strict_yaml.parse(strict_yaml.write({"key": value}))["key"]
    assert found == value and type(found) is type(value)


def test_dump_and_load_agree():
    first = recipe.load(GOOD)
    assert recipe.load(recipe.dump(first)) == first
    assert first.training.optimizer.learning_rate == 1e-3 and first.training.optimizer.clip == 1.0
    check_parts(first)


EARLIER = """\
name: old
data: {dataset: qm9-3d-alpha}
denoiser: {kind: NodeTransformer}
process: {kind: Flow}
training:
  steps: 7
  batch_size: 3
  by_size: true
  optimizer: muon
  learning_rate: 2e-3
  warmup: 4
  weight_decay: 0.5
  clip: null
  ema: 0.5
  precision: fp32
  compile: true
  seed: 2
  start: qm9-3d
  save_every: 11
  sample_every: 12
  sample_count: 13
  log_every: 14
  tracker: tensorboard
"""
NOW = {
    "steps": 7, "seed": 2, "start": "qm9-3d", "batch": {"size": 3, "by_size": True},
    "optimizer": {"kind": "muon", "learning_rate": 2e-3, "warmup": 4, "weight_decay": 0.5, "clip": None},
    "average": {"decay": 0.5},
    "compute": {"precision": "fp32", "compile": True}, "save": {"every": 11}, "sample": {"every": 12, "count": 13},
    "log": {"every": 14, "tracker": "tensorboard"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("more", "objective"),
    [
        ("", {"kind": "Denoising"}),
        ("  drop: 0.0\n  draws: 0\n  augment: null\n", {"kind": "Denoising"}),
        ("  drop: 0.1\n", {"kind": "Denoising", "drop": 0.1}),
        ("  augment: {kind: Orthogonal}\n", {"kind": "Denoising", "augment": {"kind": "Orthogonal"}}),
        ("  draws: 8\n", {"kind": "LogVariance", "draws": 8}),
    ],
)
def test_an_earlier_recipe_is_refused_with_the_new_keys_and_read_where_none_can_edit_it(more, objective, tmp_path):
    """Every setting there was; in a checkpoint or run of before it means what it meant."""
    path = tmp_path / "recipe.yaml"
    path.write_text(EARLIER + more)
    with pytest.raises(UserError) as caught:
        recipe.load(path)
    text = str(caught.value)
    assert (
        text.startswith(
            f"{path}: training.batch_size is now training/batch/size, training.by_size is now training/batch/by_size"
        )
        and "\n" not in text
    )
    assert all(
        f"training.{key} is now {place}" in text for key, place in earlier.MOVED.items() if f" {key}:" in EARLIER + more
    )
    read = recipe.load(path, earlier_keys=True)
    assert read.training.model_dump() == NOW and read.objective == objective
    check_parts(read)
    assert recipe.load(recipe.dump(read)) == read
    path.write_text(recipe.dump(read))
    assert recipe.load(path, earlier_keys=True) == read


def test_every_moved_key_has_a_place():
    plain = recipe.load(GOOD).model_dump()
    for place in earlier.MOVED.values():
        section, *keys = place.split("/")
        assert section == "objective" or keys[1] in plain[section][keys[0]]


@pytest.mark.parametrize("name", bundled.checkpoints())
def test_the_recipes_of_bundled_checkpoints_are_read(name):
    read = recipe.load(bundled.checkpoints()[name] / "recipe.yaml", earlier_keys=True)
    check_parts(read)
    assert recipe.load(recipe.dump(read)) == read


OUTSIDE = {
    "steps": (0, 10**12 + 1), "seed": (-1, 2**53), "batch/size": (0, 10**6 + 1), "optimizer/learning_rate": (0, -1, 11),
    "optimizer/warmup": (-1,),
    "optimizer/weight_decay": (-0.1, 11), "optimizer/clip": (0,), "average/decay": (-0.1, 1), "save/every": (0,),
    "sample/every": (-1,),
    "sample/count": (0, 10**5 + 1), "log/every": (0,),
}  # fmt: skip


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in OUTSIDE.items() for value in values])
def test_settings_of_training_have_bounds(key, value):
    with pytest.raises(
        UserError, match=f"training.{key.replace('/', '.')}: expected (at least|at most|more than|less than) "
    ):
        recipe.set(recipe.load(GOOD), f"training/{key}={value}")


def test_recipes_are_frozen():
    with pytest.raises(ValueError, match="frozen"):
        recipe.load(GOOD).name = "other"


def test_set_changes_one_value():
    first = recipe.load(GOOD)
    assert recipe.set(first, "training/optimizer/clip=null").training.optimizer.clip is None
    assert recipe.set(first, "breaker/code/dim=8").breaker["code"] == {"kind": "NodeCode", "nodes": 9, "dim": 8}
    assert recipe.set(first, "denoiser={kind: NodeTransformer, width: 8}").denoiser == {
        "kind": "NodeTransformer",
        "width": 8,
    }
    assert first == recipe.load(GOOD)


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("training.steps=3", "expected slashes between the keys: training/steps=3"),
        ("denoiser.width=[1, 2]", "expected slashes between the keys: denoiser/width=[1, 2]"),
        ("training/learning_rate=1", "training.learning_rate is now training/optimizer/learning_rate"),
        ("training/stpes=1", "training.stpes: unknown key (did you mean 'steps'?)"),
        ("trainin/steps=1", "no such key 'trainin' (did you mean 'training'?)"),
        ("training/steps/x=1", "training/steps is a value, not a section"),
        ("training/steps=many", "training.steps: expected an integer, got 'many'"),
        ("training/steps", "expected path/to/key=value"),
        ("=1", "expected path/to/key=value"),
        ("training/steps=&a 1", "anchors and aliases are not allowed"),
        ("name=a b", "name: expected text that matches"),
    ],
)
def test_a_bad_assignment_is_refused(assignment, message):
    with pytest.raises(UserError) as caught:
        recipe.set(recipe.load(GOOD), assignment)
    assert str(caught.value).startswith(f"--set {assignment!r}: ") and message in str(caught.value)


@pytest.mark.parametrize("content", [b"name: \xff\xfe", None])
def test_an_unreadable_file_is_a_users_mistake(content, tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_bytes(content) if content else path.mkdir()
    with pytest.raises(UserError, match="recipe"):
        recipe.load(path)


def test_an_unknown_name_tells_the_nearest():
    with pytest.raises(UserError, match="did you mean 'tiny'"):
        recipe.load("tinny")


@pytest.mark.parametrize("name", bundled.recipes())
def test_every_bundled_recipe_is_valid(name):
    found = recipe.load(name)
    if not found.auto:  # those are tried on data, in tests/training/test_own_data.py
        check_parts(found)
    assert found.name == name

"""``auto`` in a recipe stands until it is decided, wherever it stands."""

from __future__ import annotations

import pytest

from symdiff.config import automatic, recipe
from symdiff.errors import UserError

TEXT = """\
name: auto
data: {dataset: small-molecules, order: auto}
denoiser: {kind: NodeTransformer, width: auto}
process: {kind: Product, parts: [{fields: auto, process: {kind: Flow}}, {fields: [position], process: {kind: DDIM}}]}
breaker: {kind: SymPE, canonicalizer: {kind: Stored}, code: {kind: NodeCode, nodes: auto}}
training: {steps: auto, batch: {size: auto}}
"""
PLACES = [
    ("data", "order"),
    ("denoiser", "width"),
    ("process", "parts", 0, "fields"),
    ("breaker", "code", "nodes"),
    ("training", "steps"),
    ("training", "batch", "size"),
]


def test_places_are_found_in_order_and_a_name_is_none():
    found = recipe.load(TEXT)
    assert list(found.auto) == PLACES and found.name == "auto"


def test_without_and_put_are_inverse():
    from symdiff.config import strict_yaml

    plain = strict_yaml.parse(TEXT)
    bare = automatic.without(plain, PLACES)
    assert list(automatic.find_places(bare)) == [] and list(automatic.find_places(plain)) == PLACES
    for place in PLACES:
        with pytest.raises(KeyError):
            automatic.look_up(bare, place)
        automatic.put(bare, place, "auto")
        assert automatic.look_up(bare, place) == "auto"
    assert bare == plain


def test_writing_keeps_what_is_auto():
    found = recipe.load(TEXT)
    again = recipe.load(recipe.dump(found))
    assert again == found and set(again.auto) == set(found.auto)


def test_values_take_the_place_of_auto_and_others_stay():
    found = recipe.load(TEXT)
    filled = recipe.fill(found, {("training", "steps"): 7, ("process", "parts", 0, "fields"): ["atom"]})
    assert filled.training.steps == 7 and filled.process and filled.process["parts"][0]["fields"] == ["atom"]
    assert set(PLACES) - set(filled.auto) == {("training", "steps"), ("process", "parts", 0, "fields")}
    assert recipe.set(filled, "training/steps=auto").auto == (*found.auto[:2], *found.auto[3:])
    assert recipe.set(found, "training/steps=9").training.steps == 9
    with pytest.raises(UserError, match="training.steps: "):
        recipe.fill(found, {("training", "steps"): -1})


def test_what_has_no_default_and_no_data_cannot_be_auto():
    with pytest.raises(UserError, match="data.dataset: this key is missing"):
        recipe.load(TEXT.replace("small-molecules", "auto"))

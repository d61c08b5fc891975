"""Objectives: laws of all of them, and how a recipe names one."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from symdiff.autoencoders import Autoencoder, NetworkDecoder, NetworkEncoder
from symdiff.breaking import SymPE
from symdiff.breaking.nothing import Nothing
from symdiff.config import recipe
from symdiff.config.building import find, names
from symdiff.denoisers.lattice import LatticeConvolution
from symdiff.diffusion import Diffusion
from symdiff.domains.lattice import SpinLattice
from symdiff.domains.molecule import MolecularGraph
from symdiff.errors import UserError
from symdiff.groups.lattices import Space
from symdiff.objectives import Autoencoding, Denoising, LogVariance, Objective
from symdiff.pipeline import assemble, check_parts
from symdiff.processes.masked import Masked
from symdiff.random import Streams
from symdiff.state import State, schema_to_plain

DOMAIN, SITES = SpinLattice("chain", conditions=["temperature"]), 4
SPINS = {"spin": DOMAIN.schema["spin"]}
OBJECTIVES = {
    "Denoising": Denoising(),
    "Denoising, structures moved": Denoising(augment=Space("chain")),
    "LogVariance": LogVariance(DOMAIN.log_density, SITES, draws=4),
    "Autoencoding": Autoencoding(noise=0.3),
    "Autoencoding, variational": Autoencoding(kl=0.5),
}


def model(objective: Objective | None) -> Diffusion | Autoencoder:
    torch.manual_seed(0)
    if isinstance(objective, Autoencoding):
        return autoencoder(objective)
    process = Masked(schema_to_plain(SPINS), evenly=True)
    noisy = schema_to_plain({**process.noisy_schema(), "temperature": DOMAIN.schema["temperature"]})
    denoiser = LatticeConvolution(schema_to_plain(SPINS), noisy, {}, lattice="chain", width=16, layers=1)
    for parameter in denoiser.parameters():
        nn.init.normal_(parameter, std=0.3)
    return Diffusion(denoiser, process, Nothing(), objective)


def autoencoder(objective: Autoencoding) -> Autoencoder:
    breaker = SymPE({"kind": "Nodes", "fields": ["spin"]}, {"kind": "NodeCode", "nodes": SITES, "dim": 4})
    schema, code = schema_to_plain(DOMAIN.schema), schema_to_plain(breaker.schema)
    network = {"kind": "NodeTransformer", "width": 16, "layers": 1, "heads": 2, "readout": 4}
    encoder = NetworkEncoder(schema, code, network, dim=4, variational=objective.kl > 0)
    decoder = NetworkDecoder(schema, schema_to_plain(encoder.latent), code, network, nodes=SITES)
    made = Autoencoder(encoder, decoder, breaker, objective)
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=0.3)
    return made


def structures(count: int) -> State:
    draw = torch.Generator().manual_seed(0)
    values = {
        "temperature": 1.5 + torch.rand(count, 1, generator=draw),
        "spin": torch.randint(2, (count, SITES), generator=draw),
    }
    return State(torch.ones(count, SITES, dtype=torch.bool), DOMAIN.schema, values)


def test_every_objective_is_tested():
    assert {name.split(",")[0] for name in OBJECTIVES} == set(names(Objective)) - {"Doubled"}  # defined below


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_loss_of_a_row_depends_on_the_row_and_its_stream_alone(name):
    diffusion, x0, rows = model(OBJECTIVES[name]), structures(6), torch.arange(6)
    whole = diffusion(x0, Streams(1, rows))
    assert whole.shape == (6,) and bool(whole.isfinite().all())
    part = diffusion(x0.select(rows[2:4]), Streams(1, rows[2:4]))
    torch.testing.assert_close(part, whole[2:4])
    assert torch.equal(whole, OBJECTIVES[name](diffusion, x0, Streams(1, rows)))


@pytest.mark.parametrize("name", OBJECTIVES)
def test_an_objective_has_no_weights_and_reaches_all_of_the_model(name):
    diffusion = model(OBJECTIVES[name])
    weights = diffusion.state_dict().keys()
    diffusion.objective = None
    assert diffusion.state_dict().keys() == weights
    diffusion.objective = OBJECTIVES[name]
    diffusion(structures(6), Streams(1, torch.arange(6))).mean().backward()
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in diffusion.parameters() if p.requires_grad)


def test_structures_are_moved_by_an_element_drawn_for_each():
    group, diffusion, x0, streams = Space("chain"), model(None), structures(6), Streams(1, torch.arange(6))
    moved = group.act(group.sample(x0.mask, streams), x0)
    assert not torch.equal(moved["spin"], x0["spin"])
    expected = Denoising()(diffusion, moved, streams)
    assert torch.equal(Denoising(augment=group)(diffusion, x0, Streams(1, torch.arange(6))), expected)


def test_a_diffusion_without_an_objective_has_no_loss():
    with pytest.raises(ValueError, match="without an objective has no loss"):
        model(None)(structures(2))


class Doubled(Objective):
    """A user's own: found by its name once it is defined."""

    def __init__(self, factor: float = 2.0) -> None:
        self.factor = factor

    def __call__(self, model, x0, generator=None):
        return self.factor * Denoising()(model, x0, generator)


TEXT = """
name: spins
data: {dataset: ising-16}
denoiser: {kind: LatticeConvolution, width: 16, layers: 1}
process: {kind: Masked}
objective: OBJECTIVE
sampling: {steps: 4}
"""


def load(objective: str) -> recipe.Recipe:
    return recipe.load(TEXT.replace("OBJECTIVE", objective))


def test_a_recipe_names_the_objective():
    assert find(Objective, "Doubled") is Doubled
    for text, cls in (
        ("{kind: Denoising, drop: 0.5}", Denoising),
        ("{kind: LogVariance, draws: 3}", LogVariance),
        ("{kind: Doubled}", Doubled),
    ):
        made = assemble(load(text), SpinLattice("square", conditions=["temperature"]), {})
        assert type(made) is Diffusion and type(made.objective) is cls
    assert (
        assemble(recipe.load(TEXT.replace("objective: OBJECTIVE\n", "")), SpinLattice("square"), {}).objective.drop == 0
    )


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        (
            "{kind: LogVarianze, draws: 4}",
            r"objective.kind: expected the name of a Objective, got 'LogVarianze' \(did you mean 'LogVariance'\?\)",
        ),
        ("{kind: Objective}", "objective.kind: expected the name of a Objective"),
        ("{drop: 0.1}", "objective: the key 'kind' is missing"),
        ("{kind: LogVariance}", "objective.draws: LogVariance needs this setting"),
        ("{kind: LogVariance, draws: 1}", "objective.draws: expected at least 2, got 1"),
        ("{kind: LogVariance, draws: 4, steps: 3}", "objective.steps: not a setting: the package supplies it"),
        ("{kind: Denoising, draws: 4}", "objective.draws: Denoising has no such setting"),
        ("{kind: Denoising, drop: 1.5}", "objective.drop: expected at most 1"),
        (
            "{kind: Denoising, augment: {kind: Orthogonl}}",
            "objective.augment.kind: expected the name of a Group, got 'Orthogonl'",
        ),
    ],
)
def test_what_is_no_objective_is_told(objective, message):
    with pytest.raises(UserError, match=message):
        check_parts(load(objective))


def test_a_distribution_that_is_not_known_is_told():
    with pytest.raises(UserError, match="objective: LogVariance needs a distribution that is known"):
        text = TEXT.replace("OBJECTIVE", "{kind: LogVariance, draws: 4}").replace(
            "{kind: LatticeConvolution, width: 16, layers: 1}",
            "{kind: NodeTransformer, width: 16, layers: 1, heads: 2}",
        )
        assemble(recipe.load(text), MolecularGraph(["C", "O"]), {})

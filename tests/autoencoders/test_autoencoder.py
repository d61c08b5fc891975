"""Encoders are invariant or equivariant, decoders relaxed equivariant; what was learned comes back, saved or not."""

from __future__ import annotations

import itertools

import pytest
import torch

from symdiff.autoencoders import Autoencoder, NetworkDecoder, NetworkEncoder
from symdiff.autoencoders.autoencoder import likeliest
from symdiff.autoencoders.base import LATENT, LOG_VARIANCE
from symdiff.breaking import SymPE
from symdiff.canonical import Nodes
from symdiff.errors import UserError
from symdiff.groups import Symmetric
from symdiff.groups.named import parse_group
from symdiff.objectives import Autoencoding
from symdiff.random import Streams
from symdiff.state import Categorical, State, node_mask, schema_to_plain
from symdiff.testing import difference, relaxed_equivariance_error

SCHEMA = {"atom": Categorical("node", 3), "bond": Categorical("pair", 3, undirected=True)}
NETWORK = {"kind": "NodeTransformer", "width": 32, "layers": 2, "heads": 4, "readout": 8}
PAIRS = {"kind": "GraphTransformer", "width": 16, "layers": 1, "heads": 2}


def autoencoder(per: str = "structure", network: dict = NETWORK, nodes: int = 6, **settings) -> Autoencoder:
    torch.manual_seed(0)
    breaker = SymPE({"kind": "Nodes"}, {"kind": "NodeCode", "nodes": nodes, "dim": 8})
    code = schema_to_plain(breaker.schema)
    encoder = NetworkEncoder(schema_to_plain(SCHEMA), code, network, dim=4, per=per, **settings)
    latent = schema_to_plain(encoder.latent)
    decoder = NetworkDecoder(schema_to_plain(SCHEMA), latent, code, network, nodes=nodes)
    return Autoencoder(encoder, decoder, breaker, Autoencoding())


def graphs(edges: list[list[tuple[int, int]]], nodes: int = 6) -> State:
    sizes = torch.tensor([max(itertools.chain(*pairs)) + 1 for pairs in edges])
    mask = node_mask(sizes, nodes)
    bond = torch.zeros(len(edges), nodes, nodes, dtype=torch.int64)
    for row, pairs in enumerate(edges):
        for i, j in pairs:
            bond[row, i, j] = bond[row, j, i] = 1
    return State(mask, SCHEMA, {"atom": torch.zeros_like(mask, dtype=torch.int64), "bond": bond})


def cycle(n: int) -> list[tuple[int, int]]:
    return [(i, (i + 1) % n) for i in range(n)]


SYMMETRIC = [cycle(6), cycle(4), [(0, 1), (2, 3), (4, 5)], [(0, j) for j in range(1, 6)], [(0, 1), (1, 2), (2, 3)]]
"""A hexagon, a square, three edges, a star, a path."""


@pytest.mark.parametrize("network", [NETWORK, PAIRS], ids=["nodes", "pairs"])
@pytest.mark.parametrize("per", ["structure", "node"])
def test_encoders_move_as_they_say(per, network, random_state):
    x = random_state(SCHEMA, node_mask(torch.tensor([6, 3, 1, 5])))
    model, group = autoencoder(per, network).double().eval(), Symmetric()
    z = model.breaker.sample(x, Streams(0, torch.arange(4)))
    for seed in range(20):
        g = group.sample(x.mask, Streams(seed, torch.arange(4)))
        moved = model.encoder(group.act(g, x), group.act(g, z))
        plain = model.encoder(x, z)
        assert difference(moved, plain if per == "structure" else group.act(g, plain)) < 1e-6
        latent = plain if per == "structure" else group.act(g, plain)
        assert difference(model.predict(latent, group.act(g, z)), group.act(g, model.predict(plain, z))) < 1e-6
    assert plain.mask.shape == ((4, 1) if per == "structure" else (4, 6))


def test_the_latent_of_a_structure_does_not_depend_on_its_numbering(random_state):
    x = random_state(SCHEMA, node_mask(torch.tensor([6, 3, 1, 5])))
    model, group = autoencoder().eval(), Symmetric()
    plain = model.encode(x)
    for seed in range(10):
        g = group.sample(x.mask, Streams(seed, torch.arange(4)))
        assert difference(model.encode(group.act(g, x), Streams(seed, torch.arange(4))), plain) < 1e-5


@pytest.mark.parametrize("edges", SYMMETRIC, ids=["hexagon", "square", "pairs", "star", "path"])
def test_decoders_are_relaxed_equivariant(edges):
    """Of the structure when its own z is kept: φ(g·x) lies in g·G_x·φ(x), uniformly."""
    x, model = graphs([edges], max(itertools.chain(*edges)) + 1), autoencoder().eval()

    def rebuild(x: State, generator) -> State:
        return model.reconstruct(x, generator)[0]

    with torch.no_grad():
        relaxation = relaxed_equivariance_error(rebuild, parse_group(f"symmetric {x.mask.shape[1]}"), x, draws=1000)
    assert relaxation.error < 1e-6 and relaxation.pvalue > 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("per", ["structure", "node"])
def test_symmetric_graphs_are_rebuilt(per):
    """No equivariant decoder can tell the nodes of a hexagon apart; with z the graphs come back, numbered as they were
    or any other way."""
    x, model = graphs(SYMMETRIC), autoencoder(per, PAIRS if per == "node" else NETWORK)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for step in range(300):
        optimizer.zero_grad()
        model(x, Streams(0, torch.arange(len(x)), step)).mean().backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        assert model.exact(x, Streams(1, torch.arange(len(x)))).all()
        decoded = model.decode(model.encode(x, Streams(2, torch.arange(len(x)))), Streams(3, torch.arange(len(x))))
    canonical = Nodes()
    assert difference(canonical.canonical(decoded), canonical.canonical(x)) == 0


def test_decoding_draws_all_numberings_alike():
    model = autoencoder(nodes=3).eval()
    latent = model.encode(graphs([[(0, 1), (1, 2)]], 3)).select([0] * 3000)
    streams = Streams(5, torch.arange(3000))
    sizes = model.decoder.sizes(latent)[:, 1:].argmax(-1) + 1
    z = model.breaker.prior(node_mask(sizes), streams)
    counts = torch.stack([(z["rank"][:, 0] == rank).sum() for rank in range(int(sizes[0]))]).double()
    expected = 3000 / int(sizes[0])
    assert ((counts - expected).square() / expected).sum() < 20


def test_a_variational_encoder_is_weighed_by_its_divergence(random_state):
    x = random_state(SCHEMA, node_mask(torch.tensor([6, 3, 1, 5])))
    model, streams = autoencoder(variational=True).double().eval(), Streams(0, torch.arange(4))
    latent = model.encode(x, Streams(0, torch.arange(4)))
    assert set(latent.schema) == {LATENT, LOG_VARIANCE}
    normal = torch.distributions.Normal(latent[LATENT].double(), (latent[LOG_VARIANCE].double() / 2).exp())
    divergence = torch.distributions.kl_divergence(normal, torch.distributions.Normal(0.0, 1.0)).sum(-1)
    light = Autoencoding(kl=0.5)(model, x, Streams(0, torch.arange(4)))
    heavy = Autoencoding(kl=1.5)(model, x, streams)
    assert torch.allclose((heavy - light).double(), divergence, rtol=1e-5)
    with pytest.raises(ValueError, match="objective.kl needs an encoder that is variational"):
        Autoencoding(kl=1.0)(autoencoder(), x)


def test_noise_on_latents_is_reproducible_and_costs(random_state):
    x, model = graphs(SYMMETRIC), autoencoder().eval()
    with torch.no_grad():
        plain = Autoencoding()(model, x, Streams(0, torch.arange(len(x))))
        noisy = [Autoencoding(noise=1.0)(model, x, Streams(0, torch.arange(len(x)))) for _ in range(2)]
    assert torch.equal(*noisy) and not torch.allclose(noisy[0], plain)
    assert torch.allclose(model.encode(x)[LATENT].square().mean(-1), torch.ones(len(x)))


def test_the_likeliest_structure_is_one(random_state):
    x = random_state(SCHEMA, node_mask(torch.tensor([6, 3, 1, 5])))
    decoded = likeliest(autoencoder().predict(autoencoder().encode(x), autoencoder().breaker.sample(x)))
    assert dict(decoded.schema) == SCHEMA and torch.equal(decoded["bond"], decoded["bond"].mT)
    assert not decoded["bond"].diagonal(dim1=1, dim2=2).any() and not decoded["atom"][~x.mask].any()


def test_what_is_larger_than_the_decoder_is_refused(random_state):
    x = random_state(SCHEMA, node_mask(torch.tensor([6, 3])))
    with pytest.raises(ValueError, match="the code has 4 nodes, got structures with up to 6"):
        autoencoder(nodes=4)(x)
    with pytest.raises(UserError, match=r"encoder.network.kind: expected the name of a Denoiser, got 'NodeTransfomer'"):
        autoencoder(network={"kind": "NodeTransfomer"})

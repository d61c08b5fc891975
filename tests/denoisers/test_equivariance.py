"""Every denoiser is jointly equivariant, whatever breaks the symmetry."""

from __future__ import annotations

from itertools import permutations

import pytest
import torch

from symdiff.breaking.codes import NodeCode
from symdiff.breaking.noise import Noise
from symdiff.breaking.nothing import Nothing
from symdiff.breaking.sympe import SymPE
from symdiff.canonical.nodes import Nodes
from symdiff.denoisers.autoguided import Autoguided
from symdiff.denoisers.equivariant_mlp import EquivariantMLP
from symdiff.denoisers.gatv2 import GATv2
from symdiff.denoisers.graph import GraphTransformer
from symdiff.denoisers.nodes import NodeTransformer
from symdiff.denoisers.orbit_mlp import OrbitMLP
from symdiff.groups.permutations import Symmetric
from symdiff.random import Streams
from symdiff.state import Categorical, Real, State, node_mask, pad, schema_to_plain
from symdiff.testing import assert_equivariant, coset_test, difference, equivariance_error

DENOISERS = {
    "nodes": (NodeTransformer, {"width": 32, "layers": 2, "heads": 4}),
    "graph": (GraphTransformer, {"width": 32, "pair_width": 16, "layers": 2, "heads": 4}),
    "mlp": (EquivariantMLP, {"width": 32, "pair_width": 16, "layers": 2}),
    "gat": (GATv2, {"width": 32, "layers": 2, "heads": 4}),
    "orbits": (OrbitMLP, {"width": 32, "layers": 2}),
    "autoguided": (
        Autoguided,
        {
            "denoiser": {"kind": "NodeTransformer", "width": 32, "layers": 1, "heads": 4},
            "weak": {"kind": "NodeTransformer", "width": 8, "layers": 1, "heads": 2},
        },
    ),
    "graph with features": (
        GraphTransformer,
        {"width": 32, "pair_width": 16, "layers": 1, "heads": 4, "features": ["cycles", "walks", "spectrum"]},
    ),
}
BREAKERS = {
    "nothing": Nothing,
    "noise": lambda: Noise(dim=3),
    "sympe": lambda: SymPE({"kind": "Nodes"}, {"kind": "NodeCode", "nodes": 8, "dim": 5}),
}
SCHEMAS = {
    "molecule": {"atom": Categorical("node", 4), "bond": Categorical("pair", 3, undirected=True)},
    "every kind of field": {
        "atom": Categorical("node", 3),
        "charge": Real("node", 2),
        "bond": Categorical("pair", 3, undirected=True),
        "arrow": Categorical("pair", 2),
        "phase": Categorical("whole", 2),
    },
}


@pytest.fixture(params=SCHEMAS)
def structures(request, random_state) -> State:
    return random_state(SCHEMAS[request.param], node_mask(torch.tensor([1, 2, 5, 7, 7]), 7), 4)


def build(kind: str, breaker, x: State, seed: int = 0):
    torch.manual_seed(seed)
    cls, settings = DENOISERS[kind]
    schema = schema_to_plain(x.schema)
    denoiser = cls(schema, schema, schema_to_plain(breaker.schema), **settings)
    for parameter in denoiser.parameters():  # what starts at zero would hide a broken part
        torch.nn.init.normal_(parameter, std=0.2)
    return denoiser.eval()


def inputs(breaker, x: State, dtype: torch.dtype):
    z = breaker.to(dtype).prior(x.mask, Streams(3, torch.arange(len(x))))
    return x.to(dtype), torch.linspace(0.1, 1, len(x), dtype=dtype), z.to(dtype)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("breaker", BREAKERS)
@pytest.mark.parametrize("kind", DENOISERS)
def test_jointly_equivariant(kind, breaker, structures, dtype):
    z = BREAKERS[breaker]()
    denoiser = build(kind, z, structures).to(dtype)
    assert_equivariant(denoiser, Symmetric(), *inputs(z, structures, dtype))


@pytest.mark.parametrize("kind", DENOISERS)
def test_the_code_breaks_the_symmetry(kind, structures):
    """With z held fixed the network is not equivariant: the law above is not one of a constant."""
    breaker = BREAKERS["sympe"]()
    denoiser = build(kind, breaker, structures).double()
    x, t, z = inputs(breaker, structures, torch.float64)
    assert equivariance_error(lambda x: denoiser(x, t, z), Symmetric(), x) > 1e-3


@pytest.mark.parametrize("kind", DENOISERS)
def test_a_symmetric_input_needs_the_code(kind):
    """An empty graph of equal nodes.

    Without z all nodes are predicted alike, with z they differ (Curie's principle).
    """
    schema = SCHEMAS["molecule"]
    mask = node_mask(torch.tensor([6]))
    x = State(mask, schema, {"atom": torch.zeros(1, 6).long(), "bond": torch.zeros(1, 6, 6).long()})
    spread = {}
    for name in ("nothing", "sympe"):
        breaker = BREAKERS[name]()
        atoms = build(kind, breaker, x).double()(*inputs(breaker, x, torch.float64))["atom"]
        spread[name] = atoms.std(1).max().item()
    assert spread["nothing"] < 1e-12 and spread["sympe"] > 1e-3


@pytest.mark.parametrize("kind", DENOISERS)
def test_padding_and_neighbors_do_not_matter(kind, structures):
    breaker = BREAKERS["sympe"]()
    denoiser = build(kind, breaker, structures).double()
    x, t, z = inputs(breaker, structures, torch.float64)
    out = denoiser(x, t, z)
    assert difference(pad(out, 8), denoiser(pad(x, 8), t, pad(z, 8))) < 1e-12
    assert difference(out.select([3]), denoiser(x.select([3]), t[3:4], z.select([3]))) < 1e-12


@pytest.mark.parametrize("kind", DENOISERS)
def test_the_order_of_fields_does_not_matter(kind, structures):
    """Sampling puts what is generated before what is given, whatever their order in the data."""
    breaker = BREAKERS["sympe"]()
    denoiser = build(kind, breaker, structures).double()
    x, t, z = inputs(breaker, structures, torch.float64)
    turned = x.only(*reversed(x.schema))
    assert difference(denoiser(x, t, z), denoiser(turned, t, z)) == 0


@pytest.mark.parametrize("kind", DENOISERS)
def test_every_part_is_trained(kind, structures):
    breaker = BREAKERS["sympe"]()
    denoiser = build(kind, breaker, structures)
    out = denoiser(*inputs(breaker, structures, torch.float32))
    sum((value**2).sum() for value in out.values.values()).backward()
    idle = [name for name, p in denoiser.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    # softmax does not see what is added to all logits alike, so a bias can be idle; a matrix cannot
    assert not [name for name in idle if not name.endswith("bias")]


@pytest.mark.parametrize("kind", DENOISERS)
def test_saved_and_loaded(kind, structures, tmp_path):
    breaker = BREAKERS["sympe"]()
    denoiser = build(kind, breaker, structures)
    arguments = inputs(breaker, structures, torch.float32)
    denoiser.save_pretrained(tmp_path)
    again = type(denoiser).from_pretrained(tmp_path).eval()
    assert difference(denoiser(*arguments), again(*arguments)) == 0
    assert_equivariant(again, Symmetric(), *arguments)


def test_vectors_are_refused():
    with pytest.raises(ValueError, match="'position'.*labels and scalars"):
        schema = {"position": {"kind": "Real", "axes": "node", "dim": 1, "vector": 3}}
        NodeTransformer(schema, schema, {})


@pytest.mark.slow
@pytest.mark.parametrize("structures", ["molecule"], indirect=True)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the compiler's own, about parts of torch that it uses
@torch.no_grad()
def test_compiled(structures):
    breaker = BREAKERS["sympe"]()
    denoiser = build("nodes", breaker, structures).double()
    arguments = inputs(breaker, structures, torch.float64)
    plain = denoiser(*arguments)
    denoiser.compile()
    assert difference(plain, denoiser(*arguments)) < 1e-9
    assert_equivariant(denoiser, Symmetric(), *arguments)


def test_code_has_a_trivial_stabilizer():
    """g̃·v tells every g̃ apart, so z carries all of it (Lawrence et al., proposition 4.1)."""
    mask = node_mask(torch.tensor([4] * 24))
    every = torch.tensor(list(permutations(range(4))))
    code = NodeCode(4, 2)
    torch.nn.init.zeros_(code.table)
    moved = Symmetric().act(every, code(mask))
    assert len({tuple(rank) for rank in moved["rank"].tolist()}) == 24


def test_too_many_nodes_for_the_code():
    with pytest.raises(ValueError, match="4 nodes.*up to 5"):
        NodeCode(4)(node_mask(torch.tensor([5])))


def test_sympe_is_equivariant_in_law(graph_batch):
    """z of h·x is distributed as h·z: for every z, its canonical pullback on x is a uniform draw of the stabilizer."""
    breaker = SymPE({"kind": "Nodes"}, {"kind": "NodeCode", "nodes": 6, "dim": 2})
    assert isinstance(breaker.canonicalizer, Nodes)
    few = graph_batch.select([3, 4])
    assert coset_test(breaker.canonicalizer, few, 4000, torch.Generator().manual_seed(0)).min() > 1e-6
    z = breaker.sample(few, torch.Generator().manual_seed(1))
    element = torch.where(few.mask, z["rank"], torch.arange(6))  # the code's rank r sits at node i where g̃[i] = r
    assert difference(breaker.canonicalizer.group.act(element, breaker.code(few.mask)), z) == 0

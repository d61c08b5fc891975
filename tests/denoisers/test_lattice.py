"""The lattice denoiser is equivariant under every element of its group, in x and z together.

Its code has no symmetry.
"""

from __future__ import annotations

import pytest
import torch

from symdiff.breaking.site_code import SiteCode
from symdiff.breaking.site_noise import SiteNoise
from symdiff.config.recipe import build, load
from symdiff.data.sets.lattices import conditions, gap, ground_states, ising, levels, patterns
from symdiff.denoisers.base import Denoiser
from symdiff.denoisers.lattice import LatticeConvolution
from symdiff.diffusion import Diffusion
from symdiff.domains.lattice import SpinLattice
from symdiff.errors import UserError
from symdiff.groups.finite import stabilizer
from symdiff.pipeline import assemble
from symdiff.processes.masked import Masked
from symdiff.random import Streams
from symdiff.sampling.ancestral import Ancestral
from symdiff.sampling.request import Request
from symdiff.spins import exact
from symdiff.spins.hamiltonian import Hamiltonian
from symdiff.state import Categorical, State, schema_to_plain
from symdiff.testing import difference

KINDS = {"chain": 6, "square": 16, "triangular": 16, "cubic": 8}


def parts(kind: str = "square", **settings) -> tuple[SpinLattice, LatticeConvolution]:
    """The domain with all conditions, and a network in float64 with weights of order one."""
    torch.manual_seed(0)
    domain = SpinLattice(kind, shells=2, conditions=["coupling", "field", "temperature"])
    noisy = {**domain.schema, "spin": Categorical("node", 3)}
    schemas = map(schema_to_plain, ({"spin": Categorical("node", 2)}, noisy, SiteCode(kind, dim=3).schema))
    network = LatticeConvolution(*schemas, lattice=kind, **{"width": 32, "layers": 2, **settings})
    for name, parameter in network.named_parameters():
        if not name.endswith("blend"):
            torch.nn.init.normal_(parameter, std=0.3)
    return domain, network.double()


def drawn(network: LatticeConvolution, domain: SpinLattice, nodes: int) -> tuple[State, State]:
    """One structure and one code without any symmetry."""
    mask = torch.ones(1, nodes, dtype=torch.bool)
    noisy = {**domain.schema, "spin": Categorical("node", 3)}
    code = SiteCode(domain.lattice, dim=3).schema
    reals = {
        name: torch.randn(field.shape(1, nodes), dtype=torch.float64)
        for name, field in {**noisy, **code}.items()
        if name != "spin"
    }
    x = State(mask, noisy, {name: reals.get(name, torch.randint(3, (1, nodes))) for name in noisy})
    return x, State(mask, code, {name: reals[name] for name in code})


def gap_of(domain: SpinLattice, network: LatticeConvolution, nodes: int, numbers: torch.Tensor) -> float:
    x, z = drawn(network, domain, nodes)
    group, count = domain.group, len(numbers)
    g = group.from_number(numbers, nodes)
    with torch.no_grad():
        time = torch.full((count,), 0.3, dtype=torch.float64)
        plain = network(x, time[:1], z).select([0] * count)
        moved = network(group.act(g, x.select([0] * count)), time, group.act(g, z.select([0] * count)))
    return difference(group.act(g, plain), moved)


@pytest.mark.parametrize("symmetry", ["space", "relaxed"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_element_of_a_small_lattice(kind, symmetry):
    width = 96 if kind == "cubic" else 24 if kind == "triangular" else 32
    domain, network = parts(kind, symmetry=symmetry, width=width)
    nodes = KINDS[kind]
    every = torch.arange(domain.group.count(nodes))
    assert kind != "square" or len(every) == 8 * 16 * 2
    assert gap_of(domain, network, nodes, every) < 1e-9


def worst(network, domain: SpinLattice, x: State, z: State, dtype: torch.dtype) -> float:
    """The largest difference over 20 random elements, one a row."""
    rows, draw = [0] * 20, Streams(0, torch.arange(20))
    x, z, time = x.select(rows).to(dtype), z.select(rows).to(dtype), torch.full((20,), 0.3, dtype=dtype)
    g = domain.group.sample(x.mask, draw)
    return difference(
        domain.group.act(g, network(x, time, z)), network(domain.group.act(g, x), time, domain.group.act(g, z))
    )


@torch.no_grad()
def test_in_single_precision_and_saved_and_loaded(tmp_path):
    domain, network = parts()
    x, z = drawn(network, domain, 16)
    network = network.float()
    network.save_pretrained(tmp_path)
    again = LatticeConvolution.from_pretrained(tmp_path)
    arguments = x.to(torch.float32), torch.full((1,), 0.3), z.to(torch.float32)
    found = network(*arguments)
    assert difference(found, again(*arguments)) < 1e-5
    for one in (network, again):
        assert worst(one, domain, x, z, torch.float32) < 1e-4 * max(1.0, float(found["spin"].abs().max()))


def test_random_elements_of_a_large_lattice():
    domain, network = parts()
    numbers = torch.randint(domain.group.count(256), (200,), generator=torch.Generator().manual_seed(1))
    assert gap_of(domain, network, 256, numbers) < 1e-9


def test_unequal_sides_keep_their_smaller_group():
    domain = SpinLattice(sides=(4, 6), shells=2, conditions=["coupling", "field", "temperature"])
    _, network = parts(sides=(4, 6))
    every = torch.arange(domain.group.count(24))
    assert len(every) == 4 * 24 * 2
    assert gap_of(domain, network, 24, every) < 1e-9


def test_relaxed_weights_and_plain_convolutions_break_what_they_may_alone():
    domain, network = parts(symmetry="relaxed")
    for name, parameter in network.named_parameters():
        if name.endswith("blend"):
            torch.nn.init.normal_(parameter)
    plain = parts(symmetry="translations")[1]
    every, shifts = (
        torch.arange(domain.group.count(16)),
        torch.arange(0, 32, 2),
    )  # operation 0, no flip, all translations
    for broken in (network, plain):
        assert gap_of(domain, broken, 16, every) > 0.1
        assert gap_of(domain, broken, 16, shifts) < 1e-9


def test_it_sees_every_condition_and_every_code():
    domain, network = parts()
    x, z = drawn(network, domain, 16)
    time = torch.full((1,), 0.3, dtype=torch.float64)
    with torch.no_grad():
        before = network(x, time, z)["spin"]
        for name in ("coupling", "field", "temperature"):
            other = x.with_values(**{name: x[name].roll(1, -2) + 1.5})
            if name == "field":
                other = x.with_values(field=x["field"].flip(-1))
            assert (network(other, time, z)["spin"] - before).abs().max() > 1e-3
        for name in ("place", "code", "compass", "sign"):
            assert (
                network(x, time, z.with_values(**{name: z[name] + torch.rand_like(z[name])}))["spin"] - before
            ).abs().max() > 1e-3


def test_the_order_of_the_fields_does_not_matter():
    domain, network = parts()
    x, z = drawn(network, domain, 16)
    other = State(x.mask, dict(reversed(x.schema.items())), dict(reversed(x.values.items())))
    code = State(z.mask, dict(reversed(z.schema.items())), dict(reversed(z.values.items())))
    time = torch.full((1,), 0.3, dtype=torch.float64)
    with torch.no_grad():
        assert difference(network(x, time, z), network(other, time, code)) == 0


def test_temperatures_closer_than_eight_bits_differ_under_autocast():
    """2.26 and 2.27 are one number in bfloat16; what they change must come out as in single precision."""
    domain, network = parts()
    network = network.float()
    x, z = drawn(network, domain, 1024)  # sites enough that rounding averages out
    x, z = (
        State(y.mask, y.schema, {name: v.float() if v.is_floating_point() else v for name, v in y.values.items()})
        for y in (x, z)
    )
    found = {}
    for enabled in (False, True):
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            at = [
                network(x.with_values(temperature=torch.tensor([[T]])), torch.tensor([0.3]), z)["spin"]
                for T in (2.26, 2.27)
            ]
        found[enabled] = at[1] - at[0]
        assert at[0].dtype == torch.float32
    assert float((found[True] * found[False]).sum() / found[False].square().sum()) == pytest.approx(1, abs=0.3)


@pytest.mark.parametrize(
    ("kind", "nodes"), [("chain", 5), ("square", 16), ("square", 25), ("triangular", 16), ("cubic", 8)]
)
def test_the_code_has_no_symmetry(kind, nodes):
    domain, code = SpinLattice(kind), SiteCode(kind, dim=3)
    with torch.no_grad():
        v = code(torch.ones(1, nodes, dtype=torch.bool))
    assert stabilizer(domain.group, v).tolist() == [0]


def test_noise_can_break_a_flip():
    z = SiteNoise(dim=3).prior(torch.ones(2, 9, dtype=torch.bool), Streams(0, torch.arange(2)))
    assert z["code"].shape == (2, 9, 3)
    assert torch.equal(z["sign"][..., 0], -z["sign"][..., 1])
    assert z["sign"].std() > 0.5


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"width": 40}, "multiple of the group's 16 elements"),
        ({"flips": ("coupling",)}, "no two labels"),
        ({"lattice": "hexagon"}, "unknown lattice"),
    ],
)
def test_settings_that_do_not_fit(settings, told):
    domain = SpinLattice(conditions=["coupling"])
    with pytest.raises(ValueError, match=told):
        LatticeConvolution({"spin": Categorical("node", 2)}, domain.schema, {}, **settings)


def test_levels_are_the_exact_ground_states():
    generator = torch.Generator().manual_seed(2)
    numbers = (2 * torch.rand(400, 4, generator=generator) - 1) * torch.tensor([1.0, 1.0, 1.0, 3.0])
    numbers[::2, 1], numbers[1::4, 3] = numbers[::2, 0], 0.0
    numbers = numbers[gap(numbers) > 0.01][:24].float()
    domain = SpinLattice(shells=2, conditions=["coupling", "field"])
    given = conditions(numbers, 4)
    mask = torch.ones(len(numbers), 16, dtype=torch.bool)
    state = State(mask, {name: domain.schema[name] for name in given}, given)
    model = Hamiltonian.of(state, domain.torus(16), domain.interaction)
    found = exact.ground_states(model)
    energy = levels(numbers)[:, :-1]
    assert (energy.amin(1) - found.energy).abs().max() < 1e-6
    assert torch.equal((energy <= energy.amin(1, keepdim=True) + 1e-9).sum(1).double(), found.count)
    for k, row in enumerate(energy):
        assert (model.select([k] * 8).energy(patterns(4)) - row).abs().max() < 1e-6


def test_ground_states_of_a_data_set_are_some():
    data = ground_states(4, 200, seed=3)
    x = data.batch(torch.arange(200))
    model = data.domain.hamiltonian(x)
    assert (model.energy(x["spin"])[:40] - exact.ground_states(model.select(slice(40))).energy).abs().max() < 1e-6
    assert len(data.split("test")) == len(data.split("valid")) == 10
    with pytest.raises(UserError, match="even number"):
        ground_states(5, 10)


def test_boltzmann_samples_have_the_exact_energy():
    data = ising(4, chains=200, rounds=60)
    x = data.batch(torch.arange(len(data)))
    temperature, energy = x["temperature"][:, 0], data.domain.hamiltonian(x).energy(x["spin"])
    near = (temperature > 2.0) & (temperature < 2.4)
    model = Hamiltonian.make(data.domain.torus(16), data.domain.interaction)
    expected = (
        torch.stack([exact.mean_energy(model, t)[0] for t in (2.0, 2.2, 2.4)])
        @ torch.tensor([1.0, 4.0, 1.0], dtype=torch.float64)
        / 6
    )
    chains = energy[near].view(60, -1).mean(0)
    assert abs(energy[near].mean() - expected) < 6 * chains.std() / len(chains) ** 0.5


def test_recipes_build_and_train_and_predict():
    for name in ("ground-states", "ising"):
        recipe = load(name)
        data = ground_states(4, 16) if name == "ground-states" else ising(4, chains=16, rounds=1)
        diffusion = assemble(recipe, data.domain, data.marginals())
        assert isinstance(diffusion, Diffusion) and isinstance(diffusion.process, Masked)
        x0 = data.batch(torch.arange(8))
        diffusion(x0, Streams(0, torch.arange(8))).sum().backward()
        assert all(p.grad is not None for p in diffusion.parameters() if p.requires_grad)
        condition = x0.only(*data.domain.conditions)
        sample = Ancestral(diffusion, 2)(Request.of(x0.mask, condition)).x
        assert set(sample.schema) == set(data.domain.schema)
        assert int(sample["spin"].max()) <= 1


def test_a_recipe_says_which_setting_is_wrong():
    with pytest.raises(UserError, match="symmetry"):
        build(Denoiser, {"kind": "LatticeConvolution", "symmetry": "spce"}, schema={}, noisy={}, code={})

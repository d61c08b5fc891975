"""A pipeline is a set of named components.

Others than those of a diffusion are saved and loaded without touching it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import pytest
import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from symdiff import components
from symdiff.breaking.nothing import Nothing
from symdiff.components import COMPONENTS, Component, check_names
from symdiff.denoisers.graph import GraphTransformer
from symdiff.domains.graph import Graph
from symdiff.errors import UserError
from symdiff.pipeline import SymdiffPipeline
from symdiff.processes.masked import Masked
from symdiff.state import schema_to_plain

DOMAIN = Graph()
SIZES = [0.0, 0.0, 0.0, 0.5, 0.5]


class Critic(ModelMixin, ConfigMixin, ABC):
    @abstractmethod
    def forward(self, x: Tensor) -> Tensor: ...


class Halving(Critic):
    """An critic of a stranger."""

    @register_to_config
    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.layer = nn.Linear(width, width // 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)


def diffusion() -> dict:
    schema = schema_to_plain(DOMAIN.schema)
    process = Masked(schema)
    denoiser = GraphTransformer(schema, schema_to_plain(process.noisy_schema()), {}, width=16, layers=1, heads=2)
    return {"denoiser": denoiser, "breaker": Nothing(), "process": process}


@pytest.fixture
def critic(monkeypatch) -> Halving:
    monkeypatch.setitem(COMPONENTS, "critic", Component(Critic))
    torch.manual_seed(0)
    return Halving(6)


@pytest.mark.parametrize("beside", [False, True])
def test_a_component_of_a_new_kind_is_saved_loaded_and_moved(beside, critic, tmp_path):
    pipeline = SymdiffPipeline(DOMAIN.spec, SIZES, critic=critic, **(diffusion() if beside else {}))
    assert set(pipeline.components) == {"critic", *(components.DIFFUSION if beside else ())}
    pipeline.save(tmp_path / "a")
    again = SymdiffPipeline.load(tmp_path / "a")
    assert (
        isinstance(again.critic, Halving)
        and torch.equal(again.critic.layer.weight, critic.layer.weight)
        and not again.critic.training
    )
    assert again.critic.config.width == 6 and set(again.names) == set(pipeline.names)
    assert SymdiffPipeline.from_pretrained(tmp_path / "a", torch.float64).critic.layer.weight.dtype == torch.float64
    if beside:
        assert torch.equal(again.sample(5, 2).state()["edge"], pipeline.sample(5, 2).state()["edge"])
    again.to("meta")
    assert again.critic.layer.weight.device.type == "meta"


def test_names_are_checked(critic, tmp_path):
    for names, message in [
        ([], "the component denoiser is missing"),
        (["critc"], r"critc: no component of that name \(did you mean 'critic'\?\)"),
        (["critic", "denoiser", "process"], "the component breaker is missing"),
        (["encoder", "breaker"], "the component decoder is missing"),
        (["encoder", "decoder", "breaker", "process"], "the component denoiser is missing"),
    ]:
        with pytest.raises(UserError, match=message):
            check_names(names, "here")
    with pytest.raises(UserError, match="the component process is missing"):
        SymdiffPipeline(DOMAIN.spec, SIZES, **{name: part for name, part in diffusion().items() if name != "process"})
    check_names(["critic"], "here")
    SymdiffPipeline(DOMAIN.spec, SIZES, critic=critic).save(tmp_path / "a")
    del COMPONENTS["critic"]
    try:
        with pytest.raises(UserError, match="model_index.json: critic: no component of that name"):
            SymdiffPipeline.load(tmp_path / "a")
    finally:
        COMPONENTS["critic"] = Component(Critic)

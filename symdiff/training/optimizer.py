"""Gradients to steps: AdamW, or Muon for the matrices that carry a network's depth."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

Kind = Literal["adamw", "muon"]


class Optimizer:
    """AdamW for every parameter, or Muon for the matrices inside a module named ``blocks`` and AdamW for the rest.

    Muon orthogonalizes a matrix' momentum (Jordan et al., Muon: An optimizer for hidden layers in neural networks,
    2024); its steps are scaled to the size of AdamW's, so that one learning rate serves both. Only matrices decay: a
    bias or the scale of a norm has no reason to be small.
    """

    def __init__(self, module: nn.Module, kind: Kind, weight_decay: float) -> None:
        named = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
        deep = [p for name, p in named if kind == "muon" and p.ndim == 2 and ".blocks." in f".{name}"]
        rest = [p for _, p in named if all(p is not q for q in deep)]
        groups = [
            {"params": [p for p in rest if p.ndim >= 2], "weight_decay": weight_decay},
            {"params": [p for p in rest if p.ndim < 2], "weight_decay": 0.0},
        ]
        self.module, self.deep = module, deep
        self.parts: list[torch.optim.Optimizer] = []
        if deep:
            self.parts.append(torch.optim.Muon(deep, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"))
        if rest:
            adamw = torch.optim.AdamW([group for group in groups if group["params"]], betas=(0.9, 0.99), fused=True)
            self.parts.append(adamw)

    @torch.no_grad()
    def step(self, learning_rate: float, scale: Tensor, found: Tensor) -> None:
        """One step on the gradients divided by ``scale``; nothing at all where ``found`` is 1. Both are scalars."""
        self.learning_rate = learning_rate
        if self.deep:
            if found.item():
                return
            gradients = [p.grad for p in self.deep if p.grad is not None]
            torch._foreach_div_(gradients, scale)
        for part in self.parts:
            for group in part.param_groups:
                group["lr"] = learning_rate
            if isinstance(part, torch.optim.AdamW):
                # the fused step divides by grad_scale and does nothing where found_inf is 1: clipping costs no pass
                part.grad_scale, part.found_inf = scale, found
            part.step()

    def state(self) -> dict[str, Tensor]:
        """``NAME/exp_avg`` and so on for every parameter that has had a gradient."""
        states = self._states()
        return {
            f"{name}/{key}": value
            for name, parameter in self.module.named_parameters()
            for key, value in states.get(parameter, {}).items()
        }

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Put back what ``state`` returned."""
        for part in self.parts:
            ours = {id(p) for group in part.param_groups for p in group["params"]}
            for name, parameter in self.module.named_parameters():
                if id(parameter) not in ours:
                    continue
                found = {key.rpartition("/")[2]: value for key, value in tensors.items() if key.rpartition("/")[0] == name}
                if found:
                    part.state[parameter] = {key: value.to(parameter.device, copy=True) for key, value in found.items()}

    def _states(self) -> dict:
        return {parameter: state for part in self.parts for parameter, state in part.state.items()}

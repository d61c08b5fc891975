"""Gradients to steps: AdamW, or Muon for the matrices that carry a network's depth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from symdiff.training.muon import PreciseMuon

Kind = Literal["adamw", "muon"]


class Optimizer:
    """AdamW for every parameter, or Muon for the matrices inside a module named ``blocks`` and AdamW for the rest.

    Muon orthogonalizes a matrix' momentum; its steps are scaled to the size of AdamW's, so that one learning rate
    serves both. Only matrices decay: a bias or the scale of a norm has no reason to be small.

    Parameters
    ----------
    module : nn.Module
        Its parameters are known by name and looked up for every step: what wraps or moves a module may replace them.
    kind : {"adamw", "muon"}
        See above.
    weight_decay : float
        Of matrices.
    precise : bool
        Whether Muon, too, works in the type of the weights; else it orthogonalizes in bfloat16.

    References
    ----------
    Jordan et al.: Muon: An optimizer for hidden layers in neural networks (2024).
    """

    def __init__(self, module: nn.Module, kind: Kind, weight_decay: float, precise: bool = False) -> None:
        named = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
        deep = [(name, p) for name, p in named if kind == "muon" and p.ndim == 2 and ".blocks." in f".{name}"]
        rest = [(name, p) for name, p in named if all(p is not q for _, q in deep)]
        groups = [
            {"params": [(name, p) for name, p in rest if p.ndim >= 2], "weight_decay": weight_decay},
            {"params": [(name, p) for name, p in rest if p.ndim < 2], "weight_decay": 0.0},
        ]
        self.module = module
        self.parts: list[torch.optim.Optimizer] = []
        if deep:
            muon = PreciseMuon if precise else torch.optim.Muon
            self.parts.append(muon(deep, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"))
        if rest:
            adamw = torch.optim.AdamW([group for group in groups if group["params"]], betas=(0.9, 0.99), fused=True)
            self.parts.append(adamw)

    @torch.no_grad()
    def step(self, learning_rate: float, scale: Tensor, skip: Tensor) -> None:
        """Take one step on the gradients.

        Parameters
        ----------
        learning_rate : float
            Of this step.
        scale : Tensor
            0-dim: gradients are divided by it, which clips them.
        skip : Tensor
            0-dim float32: 1 for a step that must do nothing at all.
        """
        self.learning_rate = learning_rate
        self._look_up()
        muon = [part for part in self.parts if isinstance(part, torch.optim.Muon)]
        if muon and skip.item():
            return
        for part in muon:
            # as in ``Average``: no public name
            torch._foreach_div_(  # pyright: ignore[reportPrivateImportUsage]
                [p.grad for group in part.param_groups for p in group["params"] if p.grad is not None], scale
            )
        for part in self.parts:
            for group in part.param_groups:
                group["lr"] = learning_rate
            if isinstance(part, torch.optim.AdamW):
                # the fused step divides by grad_scale and does nothing where found_inf is 1: clipping costs no pass
                part.grad_scale, part.found_inf = scale, skip  # pyright: ignore[reportAttributeAccessIssue]
            part.step()

    def state(self) -> dict[str, Tensor]:
        """``NAME/exp_avg`` and so on for every parameter that has had a gradient."""
        self._look_up()
        states = {parameter: state for part in self.parts for parameter, state in part.state.items()}
        return {
            f"{name}/{key}": value
            for name, parameter in self.module.named_parameters()
            for key, value in states.get(parameter, {}).items()
        }

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Put back what ``state`` returned.

        Parameters
        ----------
        tensors : mapping of str to Tensor
            By parameter and quantity, ``name/quantity``; they are copied.
        """
        self._look_up()
        for part in self.parts:
            ours = {id(p) for group in part.param_groups for p in group["params"]}
            for name, parameter in self.module.named_parameters():
                if id(parameter) not in ours:
                    continue
                own = {
                    key.rpartition("/")[2]: value for key, value in tensors.items() if key.rpartition("/")[0] == name
                }
                if own:
                    part.state[parameter] = {key: value.to(parameter.device, copy=True) for key, value in own.items()}

    def _look_up(self) -> None:
        """Take the module's parameters as they are now; the state of one that was replaced is that of its successor."""
        current = dict(self.module.named_parameters())
        for part in self.parts:
            for group in part.param_groups:
                for place, name in enumerate(group["param_names"]):
                    before, now = group["params"][place], current[name]
                    if now is not before:
                        group["params"][place] = now
                        if before in part.state:
                            part.state[now] = part.state.pop(before)

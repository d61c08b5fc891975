"""AdamW over a module, and its state as named tensors."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_MOMENTS = ("step", "exp_avg", "exp_avg_sq")


def adamw(module: nn.Module, learning_rate: float, weight_decay: float) -> torch.optim.AdamW:
    """Fused AdamW. Only matrices decay: a bias or the scale of a norm has no reason to be small."""
    parameters = [p for p in module.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([g for g in groups if g["params"]], lr=learning_rate, betas=(0.9, 0.99), fused=True)


def moments(optimizer: torch.optim.AdamW, module: nn.Module) -> dict[str, Tensor]:
    """The optimizer's state: ``NAME/exp_avg`` and so on for every parameter that has had a gradient."""
    return {
        f"{name}/{key}": optimizer.state[parameter][key]
        for name, parameter in module.named_parameters()
        if optimizer.state.get(parameter)
        for key in _MOMENTS
    }


def restore_moments(optimizer: torch.optim.AdamW, module: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Put back what ``moments`` returned."""
    for name, parameter in module.named_parameters():
        if f"{name}/step" in tensors:
            optimizer.state[parameter] = {
                key: tensors[f"{name}/{key}"].to(parameter.device, copy=True) for key in _MOMENTS
            }

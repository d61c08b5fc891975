"""Laws of the transformer block's own functions."""

from __future__ import annotations

import torch
from torch.nn import functional

from symdiff.nn.transformer import SquaredReLU, attend


def test_squared_relu_has_the_right_derivative():
    x = torch.randn(3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert torch.equal(SquaredReLU.apply(x), functional.relu(x) ** 2)
    assert torch.autograd.gradcheck(SquaredReLU.apply, x)


def test_attention_is_that_of_torch():
    random = torch.Generator().manual_seed(1)
    joint = torch.randn(2, 5, 3 * 8, dtype=torch.float64, generator=random).requires_grad_()
    bias = torch.randn(2, 4, 5, 5, dtype=torch.float64, generator=random)
    query, key, value = (part.unflatten(-1, (4, 2)).transpose(1, 2) for part in joint.chunk(3, -1))
    wanted = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias).transpose(1, 2).flatten(-2)
    torch.testing.assert_close(attend(joint, bias, 4), wanted, rtol=0, atol=1e-12)
    weight = torch.randn(wanted.shape, dtype=torch.float64, generator=random)
    ours, theirs = (torch.autograd.grad((out * weight).sum(), joint)[0] for out in (attend(joint, bias, 4), wanted))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)

"""The 8-bit matrix product for one token or many, straight on the bytes that bitsandbytes stores.

bitsandbytes' own CPU path casts to float16 and, without AVX-512, makes a float32 copy of every weight at every call.
Both kernels here multiply the stored int8 `CB` (row scale = `SCB` / 127) and need no second copy of the weights:

- `int8pack`: `aten::_weight_int8pack_mm`, bfloat16 inputs, any CPU; exact but for bfloat16 rounding.
- `int_mm`: the same for few rows; for many, `torch._int_mm` with each input row quantised to 8 bits (the vector-wise
  scheme of Dettmers et al. 2022, arXiv 2208.07339, without its separate outlier columns).

On a GPU bitsandbytes' kernels are used as they are.
"""

from __future__ import annotations

from typing import Any

import bitsandbytes as bnb
import torch

INT8PACK = "int8pack"
INT_MM = "int_mm"
BITSANDBYTES = "bitsandbytes"

_MANY_ROWS = 16
"""From this many rows on `_int_mm` pays for quantising its input; below, int8pack is as fast and exact."""


class Int8Linear(bnb.nn.Linear8bitLt):  # type: ignore[misc]
    """A `Linear8bitLt` whose forward uses our kernels. PEFT sees, and wraps, the bitsandbytes layer it knows."""

    kernel: str

    @classmethod
    def adopt(cls, layer: bnb.nn.Linear8bitLt, kernel: str) -> Int8Linear:
        """Give an existing layer our forward: same parameters, same memory."""
        layer.__class__ = cls
        assert isinstance(layer, Int8Linear)  # noqa: S101  the line above made it one
        layer.kernel = kernel
        layer.register_buffer("row_scale", layer.weight.SCB.float() / 127, persistent=False)
        # The kernel wants scales in bfloat16, which would round each row's scale: it gets ones, we scale in float32.
        layer.register_buffer("ones", torch.ones(layer.out_features, dtype=torch.bfloat16), persistent=False)
        return layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`x` is [..., in_features] in bfloat16 or float32; gives [..., out_features] in the same type."""
        rows = x.reshape(-1, x.shape[-1])
        if x.requires_grad and torch.is_grad_enabled():
            product = _DifferentiableProduct.apply(rows, self.weight.data, self.row_scale)  # type: ignore[no-untyped-call]
        elif self.kernel == INT_MM and rows.shape[0] >= _MANY_ROWS:
            product = _quantised_rows_product(rows, self.weight.data, self.row_scale)
        else:
            product = torch.ops.aten._weight_int8pack_mm(rows.bfloat16(), self.weight.data, self.ones)
            product = product.float().mul_(self.row_scale)
        if self.bias is not None:
            product = product + self.bias
        shaped: torch.Tensor = product.to(x.dtype).reshape(*x.shape[:-1], -1)
        return shaped


class _DifferentiableProduct(torch.autograd.Function):
    """The product with the weights dequantised for the moment, for training an adapter on the 8-bit base."""

    @staticmethod
    def forward(ctx: Any, rows: torch.Tensor, weight: torch.Tensor, row_scale: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(weight, row_scale)
        return rows @ _dequantised(weight, row_scale, rows.dtype).t()

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        weight, row_scale = ctx.saved_tensors
        return gradients[0] @ _dequantised(weight, row_scale, gradients[0].dtype), None, None


def _dequantised(weight: torch.Tensor, row_scale: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    return (weight.float() * row_scale[:, None]).to(dtype)


def _quantised_rows_product(rows: torch.Tensor, weight: torch.Tensor, row_scale: torch.Tensor) -> torch.Tensor:
    """`rows` [n, in] times the transpose of int8 `weight` [out, in] scaled by `row_scale` [out]; gives float32."""
    exact = rows.float()
    largest = exact.abs().amax(dim=1, keepdim=True).clamp_min(1e-8)
    quantised = (exact * (127 / largest)).round_().to(torch.int8)
    product = torch._int_mm(quantised, weight.t())
    return product.float().mul_(largest / 127).mul_(row_scale)


def choose_kernel() -> str:
    """The kernel for this machine: `_int_mm` is fast only where the CPU has VNNI (AVX-512 or AVX)."""
    if torch.cuda.is_available():
        return BITSANDBYTES
    return INT_MM if torch.cpu._is_vnni_supported() else INT8PACK


def speed_up(model: torch.nn.Module, kernel: str) -> None:
    """Give every 8-bit linear layer of `model` the named kernel."""
    if kernel == BITSANDBYTES:
        return
    for layer in list(model.modules()):
        if type(layer) is bnb.nn.Linear8bitLt:
            Int8Linear.adopt(layer, kernel)

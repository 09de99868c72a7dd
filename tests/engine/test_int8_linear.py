import pytest
import torch

from mhdesk.engine.child.base import load_base
from mhdesk.engine.child.eight_bit_weights import quantise_rows
from mhdesk.engine.child.int8_linear import INT8PACK, INT_MM, Int8Linear, choose_kernel, speed_up


@pytest.fixture(params=[INT8PACK, INT_MM])
def layer(request, tiny_model):
    model, _ = load_base(tiny_model)
    speed_up(model, request.param)
    return model.model.layers[0].mlp.gate_proj


def exact_weight(layer):
    return layer.weight.data.float() * (layer.weight.SCB[:, None] / 127)


@pytest.mark.parametrize("rows", [1, 2, 15, 16, 64])
def test_the_product_is_that_of_the_dequantised_weights(layer, rows):
    x = torch.randn(rows, layer.in_features, generator=torch.Generator().manual_seed(rows))
    exact = x @ exact_weight(layer).t()
    with torch.inference_mode():
        ours = layer(x.bfloat16()).float()
    assert (ours - exact).abs().max() < 0.03 * exact.abs().max()


def test_leading_dimensions_and_type_are_kept(layer):
    for dtype in (torch.bfloat16, torch.float32):
        result = layer(torch.zeros(2, 3, layer.in_features, dtype=dtype))
        assert result.shape == (2, 3, layer.out_features)
        assert result.dtype == dtype
        assert not result.any()


def test_gradients_flow_to_the_input_as_through_the_dequantised_weights(layer):
    x = torch.randn(4, layer.in_features, requires_grad=True)
    layer(x).sum().backward()
    expected = exact_weight(layer).sum(dim=0).expand(4, -1)
    assert torch.allclose(x.grad, expected, atol=1e-4)


def test_every_linear_of_a_loaded_model_uses_our_product(tiny_model):
    model, _ = load_base(tiny_model)
    speed_up(model, choose_kernel())
    linears = [module for name, module in model.named_modules() if name.endswith("_proj")]
    assert len(linears) == 14
    assert all(isinstance(module, Int8Linear) for module in linears)


def test_quantised_rows_are_within_half_a_step_and_the_largest_value_is_exact():
    weight = torch.randn(8, 32, generator=torch.Generator().manual_seed(0))
    weight[3] = 0
    values, largest = quantise_rows(weight)
    back = values.float() * (largest / 127)[:, None]
    assert ((back - weight).abs() <= largest[:, None] / 254 + 1e-6).all()
    assert values[:3].abs().amax(dim=1).eq(127).all()
    assert not values[3].any()

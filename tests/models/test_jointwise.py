import numpy as np
import pytest

from splitpose.models.final import FILTERS as FINAL
from splitpose.models.jointwise import JointwiseConvolution, JointwiseRegression, share_out
from splitpose.models.split import FILTERS as SPLIT
from splitpose.skeleton import JOINTS

ONES = (1,) * 11


def test_shares_at_full_width_are_the_papers():
    assert share_out(256, FINAL) == (25, 27, 35, 25, 27, 35, 27, 27, 10, 10, 8)
    assert share_out(1024, SPLIT) == (105, 105, 140, 105, 105, 140, 105, 105, 35, 35, 44)


@pytest.mark.parametrize("total", [11, 12, 64, 89, 128, 358])
def test_shares_add_up_and_nobody_goes_without(total):
    shares = share_out(total, FINAL)
    assert sum(shares) == total
    assert min(shares) >= 1


def test_convolution_by_hand():
    layer = JointwiseConvolution((2, *ONES[1:]), ONES, use_bias=True)
    layer.build((None, 1, 1, 12))
    kernels = [np.array([[2.0], [3.0]])] + [np.array([[float(k)]]) for k in range(1, 11)]
    layer.set_weights([*kernels, np.arange(11.0)])
    x = np.ones((1, 1, 1, 12), np.float32)
    x[..., 1] = 10
    # The first joint: 2 * 1 + 3 * 10 + bias 0; joint k: k * 1 + bias k.
    np.testing.assert_allclose(np.asarray(layer(x))[0, 0, 0], [32, *[2 * k for k in range(1, 11)]])


def test_regression_by_hand():
    layer = JointwiseRegression(ONES)
    layer.build((None, 1, 2, 11))
    kernels = [np.array([[1.0, 0.0], [0.0, k]]) for k in range(11)]
    layer.set_weights([*kernels, np.zeros(22)])
    x = np.stack([np.full(11, 5.0), np.full(11, 7.0)])[None, None].astype(np.float32)
    # x takes the left place's 5, y is k times the right place's 7.
    np.testing.assert_allclose(np.asarray(layer(x))[0], [[5, 7 * k] for k in range(11)])


def test_weights_are_named_by_joint():
    layer = JointwiseConvolution(ONES, ONES)
    layer.build((None, 4, 4, 11))
    assert [weight.name for weight in layer.weights] == [f"kernel_{joint}" for joint in JOINTS]

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from support.receiver import Receiver, running_receiver

REPOSITORY = Path(__file__).parents[1]
TESTS = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests/e2e and tests/services by their folder, all others as unit unless a module says otherwise.

    The slow tests come first, and first of all those of the whole pipeline, the slowest files, so that all cores
    have work until the end.
    """
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0]
        if folder in ("e2e", "services"):
            item.add_marker(folder)
        elif item.get_closest_marker("integration") is None:
            item.add_marker("unit")
    items.sort(key=lambda item: [item.get_closest_marker(name) is None for name in ("e2e", "integration")])


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real annotations and photographs next to the repository."""
    folder = REPOSITORY.parent / "shared"
    if not folder.is_dir():
        pytest.skip("there is no folder `shared` with real annotations and photographs next to the repository")
    return folder


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver of webhooks on loopback, to which everything is posted as JSON."""
    with running_receiver() as receiver:
        monkeypatch.setenv("SPLITPOSE_WEBHOOK", receiver.url)
        monkeypatch.delenv("SPLITPOSE_WEBHOOK_FORMAT", raising=False)
        yield receiver


@pytest.fixture(scope="session")
def convert(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a function that converts a function and its inputs' (shape, dtype) to a TFLite file."""
    import tensorflow as tf

    folder = tmp_path_factory.mktemp("tflite")

    def convert(name: str, function: Callable[..., object], *inputs: tuple[tuple[int, ...], str]) -> Path:
        signature = [tf.TensorSpec(shape, dtype) for shape, dtype in inputs]
        concrete = tf.function(function, autograph=False).get_concrete_function(*signature)
        path = folder / f"{name}.tflite"
        path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert())
        return path

    return convert


@pytest.fixture(scope="session")
def small(convert: Callable[..., Path]) -> Path:
    """Convolution, depthwise, transposed convolution and a fully connected layer; a delegate takes all of it."""
    import tensorflow as tf

    def weights(*shape: int) -> np.ndarray:
        return np.random.default_rng(0).normal(size=shape).astype(np.float32)

    def function(image: tf.Tensor) -> tf.Tensor:
        x = tf.nn.conv2d(image, weights(3, 3, 3, 4), strides=2, padding="SAME")
        x = tf.nn.depthwise_conv2d(x, weights(3, 3, 4, 1), (1, 1, 1, 1), "SAME")
        x = tf.nn.conv2d_transpose(x, weights(2, 2, 2, 4), (1, 8, 8, 2), strides=2)
        return tf.reshape(x, (1, 128)) @ weights(128, 5)

    return convert("small", function, ((1, 8, 8, 3), "float32"))


@pytest.fixture(scope="session")
def two_inputs(convert: Callable[..., Path]) -> Path:
    """A table looked up by an int32, and a uint8 image; XNNPACK supports neither GATHER nor this CAST."""
    import tensorflow as tf

    def function(index: tf.Tensor, image: tf.Tensor) -> tf.Tensor:
        row = tf.gather(tf.constant([[0.5, 1.5], [2.5, 3.5]]), index)
        return tf.sin(tf.cast(image, tf.float32)) + row

    return convert("two_inputs", function, ((1,), "int32"), ((3, 2), "uint8"))

"""Measure the cost of training on this machine, as ratios: variants, the frozen phase, the input pipeline.

    python benchmarks/training.py [--size 224] [--width 1.0] [--batch 16] [--rounds 6] [--json FILE]

Compared steps alternate, and a ratio is the median of the ratios within the rounds, so that other load on the
machine affects all steps equally. Processor time (of all cores) hardly depends on other load.
"""

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from rich.console import Console
from rich.table import Table

from splitpose import annotations, models
from splitpose.crops import shards
from splitpose.data import flic
from splitpose.files import write_json
from splitpose.models import registry
from splitpose.models.layers import backbone
from splitpose.models.layers.jointwise import JointwiseConvolution, allocate_channels, with_export_layers
from splitpose.models.variants.final import FILTERS
from splitpose.settings import Profile, load
from splitpose.skeleton import JOINTS
from splitpose.synthetic import sample
from splitpose.training.batches import training_batches
from splitpose.training.loss import joint_loss

Step = Callable[[], Any]

HEAD_INPUTS = {"final": ("conv_pw_5_relu", "conv_pw_6_relu", "conv_pw_10_relu")}
"""The backbone layers whose outputs the new layers use; other variants use only the last backbone layer."""

RENDERED_INSTANCES = 40
"""Rendered instances whose crops are read; each has as many copies as in the paper's profile."""

CONSECUTIVE_STEPS = 12
"""Consecutive steps with the same input; the first third is not timed, because the pipeline has prefetched them."""


@dataclass(frozen=True)
class Setup:
    """Input size, width multiplier and batch size of the measured models."""

    size: int
    width: float
    batch_size: int

    def build(self, variant: str, **options: Any) -> keras.Model:
        """Build a variant's model."""
        return models.build(variant, self.size, self.width, **options)

    def constant_batches(self) -> tf.data.Dataset:
        """Return an infinite dataset of one batch in memory."""
        rng = np.random.default_rng(0)
        crops = rng.integers(0, 256, (self.batch_size, self.size, self.size, 3), np.uint8)
        joints = rng.uniform(0, self.size - 1, (self.batch_size, len(JOINTS), 2)).astype(np.float32)
        return tf.data.Dataset.from_tensors((crops, joints)).repeat()


def main() -> None:
    """Measure the ratios and print the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    tf.config.experimental.enable_op_determinism()  # as the training stages do
    setup = Setup(options.size, options.width, options.batch)
    results = {
        "fine_tuning": measure_fine_tuning(setup, options.rounds),
        "frozen_phase": measure_frozen_phase(setup, options.rounds),
        "input_pipeline": measure_input_pipeline(setup),
    }
    show(results)
    if options.json:
        write_json(results, options.json)


def measure_fine_tuning(setup: Setup, rounds: int) -> dict[str, Any]:
    """Compare a step of every variant, and of two other implementations of the final one, with the baseline's.

    The rows of the other implementations also contain the maximum difference between their outputs and the final
    variant's.
    """
    variants = {name: setup.build(name) for name in registry.list_variants()}
    final, crops = variants["final"], next(iter(setup.constant_batches()))[0]
    backbone.recalibrate_batch_norm(final, [crops] * 3)
    variants["final, shared"] = setup.build("final", split="shared")
    others = {"final, export layers": with_export_layers(final), "final, 11 branches": with_branches(final)}
    expected = final(crops, training=False)
    differences = {
        name: {"difference": float(np.abs(model(crops, training=False) - expected).max())}
        for name, model in others.items()
    }
    steps = {name: training_step(model, setup.constant_batches()) for name, model in (variants | others).items()}
    times = measure_times(steps, rounds)
    return {
        name: summarise(step_times, times["baseline"]) | differences.get(name, {})
        for name, step_times in times.items()
    }


def measure_frozen_phase(setup: Setup, rounds: int) -> dict[str, Any]:
    """Compare a step of the frozen phase with a forward pass of the backbone plus a step of the new layers."""
    results = {}
    crops, joints = next(iter(setup.constant_batches()))
    for name in ("baseline", "final"):
        model = setup.build(name)
        backbone.freeze_backbone(model, models.get_variant(name).TRAINABLE_BACKBONE_BLOCKS)
        inputs = HEAD_INPUTS.get(name, ("conv_pw_13_relu",))
        forward = keras.Model(model.input, [model.get_layer(layer).output for layer in inputs])
        features = tuple(keras.tree.flatten(forward(tf.cast(crops, tf.float32), training=False)))
        head = keras.Model(forward.outputs, model.output, name=name)
        head_batches = tf.data.Dataset.from_tensors((features, joints)).repeat()
        steps = {
            "step": training_step(model, setup.constant_batches()),
            "forward": forward_step(forward, crops),
            "head": training_step(head, head_batches, setup.size),
        }
        times = measure_times(steps, rounds)
        results[name] = summarise(times["step"], times["forward"] + times["head"])
    return results


def measure_input_pipeline(setup: Setup) -> dict[str, Any]:
    """Return the baseline's throughput with crops read from disk, relative to that with one batch in memory."""
    results = {}
    with tempfile.TemporaryDirectory() as name:
        folder = render_crops(Path(name), setup.size)
        from_disk = training_batches(folder, setup.size, setup.batch_size, seed=1)
        for phase in ("frozen phase", "fine-tuning"):
            steps = {}
            for source, batches in (("memory", setup.constant_batches()), ("disk", from_disk)):
                model = setup.build("baseline")
                if phase == "frozen phase":
                    backbone.freeze_backbone(model, ())
                steps[source] = training_step(model, batches)
            times = measure_times(steps, rounds=4, consecutive=CONSECUTIVE_STEPS)
            results[f"baseline, {phase}"] = float(np.median(times["memory"][:, 0] / times["disk"][:, 0]))
    return results


def with_branches(final: keras.Model) -> keras.Model:
    """Return the final variant (sliced) with one branch of Keras' own layers per joint after the joint split."""
    at_28 = final.get_layer("add_28").output
    channels = allocate_channels(at_28.shape[-1], FILTERS)
    momentum = final.get_layer("split_dw_bn").momentum
    heatmaps = []
    for joint, end, count in zip(JOINTS, np.cumsum(channels).tolist(), channels, strict=True):
        x = at_28[..., end - count : end]
        x = layers.UpSampling2D(interpolation="bilinear")(x)
        x = backbone.depthwise_conv(x, f"{joint}_dw", momentum)
        x = layers.Conv2D(count, 1, use_bias=False, name=f"{joint}_pw")(x)
        x = backbone.batch_norm_relu(x, f"{joint}_pw", momentum)
        heatmaps.append(layers.Conv2D(1, 1, name=f"{joint}_heatmap")(x))
    model = keras.Model(final.input, layers.Concatenate()(heatmaps), name="final")
    model = keras.models.clone_model(model)
    for layer in model.layers:
        if layer.weights:
            layer.set_weights(branch_weights(final, layer.name, channels))
    return model


def branch_weights(final: keras.Model, name: str, channels: tuple[int, ...]) -> list[np.ndarray]:
    """Return the final variant's weights for a layer of `with_branches`."""
    joint, _, part = name.partition("_")
    if joint not in JOINTS:
        weights: list[np.ndarray] = final.get_layer(name).get_weights()
        return weights
    index = JOINTS.index(joint)
    own = slice(sum(channels[:index]), sum(channels[: index + 1]))
    if part == "heatmap":
        layer = final.get_layer("heatmaps")
        return [np.asarray(layer.kernels[index])[None, None], np.asarray(layer.bias)[index : index + 1]]
    layer = final.get_layer(f"split_{part}")
    if isinstance(layer, JointwiseConvolution):
        return [np.asarray(layer.kernels[index])[None, None]]
    return [weights[:, :, own] if weights.ndim == 4 else weights[own] for weights in layer.get_weights()]


def training_step(model: keras.Model, batches: tf.data.Dataset, size: int | None = None) -> Step:
    """Return a training step as Keras compiles it for `fit`.

    Args:
        model: the model.
        batches: infinite batches.
        size: side of the crops in px, by default that of the model's input.
    """
    codec = models.build_codec(model.name, size or model.input.shape[1])
    model.compile(keras.optimizers.Adam(1e-4, use_ema=True, ema_momentum=0.9), joint_loss(codec))
    model.make_train_function()
    iterator = iter(batches)
    return lambda: model.train_function(iterator)


def forward_step(model: keras.Model, crops: Any) -> Step:
    """Return a forward pass as Keras compiles it for `predict`."""
    model.make_predict_function()
    return lambda: model.predict_function([(crops,)])


def render_crops(folder: Path, size: int) -> Path:
    """Return a folder with training crops of rendered instances, extracted with the paper's settings."""
    settings = load(Profile, Path(__file__).parents[1] / "profiles" / "flic.yaml").crops
    sample.render(folder / "raw", RENDERED_INSTANCES, films=5, seed=1, workers=shards.WORKERS)
    table = annotations.prefix_images(flic.read(folder / "raw", "observer").table, "raw").assign(split="train")
    settings = settings.model_copy(update={"size": size})
    shards.write(shards.plan(table, folder, settings), folder, settings, folder / "crops")
    return folder / "crops"


def measure_times(steps: dict[str, Step], rounds: int, consecutive: int = 1) -> dict[str, np.ndarray]:
    """Return wall and processor time in seconds, (rounds, 2), of alternating steps after a warm-up step."""
    for step in steps.values():
        wait_for(step())
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            for _ in range(consecutive // 3):
                wait_for(step())
            wall, processor = perf_counter(), process_time()
            for _ in range(consecutive - consecutive // 3):
                wait_for(step())
            times[name].append((perf_counter() - wall, process_time() - processor))
    return {name: np.array(step_times) for name, step_times in times.items()}


def wait_for(outputs: Any) -> None:
    """Wait until the outputs of a step are computed."""
    for tensor in tf.nest.flatten(outputs):
        tensor.numpy()


def summarise(times: np.ndarray, reference: np.ndarray) -> dict[str, float]:
    """Return the median ratios of times (rounds, 2) to those of a reference, and milliseconds per step."""
    wall, processor = np.median(times / reference, axis=0)
    return {"ratio": float(wall), "processor_ratio": float(processor), "ms": float(np.median(times[:, 0]) * 1e3)}


def show(results: dict[str, Any]) -> None:
    """Print the tables."""
    console = Console()
    table = Table("fine-tuning", "step / baseline's step", "in processor time", "ms", "difference of outputs")
    for name, row in results["fine_tuning"].items():
        difference = f"{row['difference']:.0e}" if "difference" in row else ""
        table.add_row(name, f"{row['ratio']:.2f}", f"{row['processor_ratio']:.2f}", f"{row['ms']:.0f}", difference)
    console.print(table)
    table = Table("frozen phase", "step / (forward pass + new layers)", "in processor time", "ms")
    for name, row in results["frozen_phase"].items():
        table.add_row(name, f"{row['ratio']:.2f}", f"{row['processor_ratio']:.2f}", f"{row['ms']:.0f}")
    console.print(table)
    table = Table("crops read from disk", "throughput / throughput with one batch in memory")
    for name, ratio in results["input_pipeline"].items():
        table.add_row(name, f"{ratio:.1%}")
    console.print(table)


if __name__ == "__main__":
    main()

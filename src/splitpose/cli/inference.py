"""Commands that run TFLite files: predict and benchmark."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from splitpose.errors import InputError

Threads = Annotated[int, typer.Option(min=1, metavar="N", help="Number of threads of the model.")]


def predict(
    inputs: Annotated[list[Path], typer.Argument(metavar="INPUT", help="Images, videos and folders of them.")],
    model: Annotated[Path, typer.Option(metavar="TFLITE", help="Model to run.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for predictions.csv and the drawings.")],
    box: Annotated[
        tuple[float, float, float, float] | None,
        typer.Option(metavar="X0 Y0 X1 Y1", help="Bounding box of the one person in every input, px."),
    ] = None,
    boxes: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV",
            help="Bounding boxes, one row for each person: columns image, box_x0, box_y0, box_x1, box_y1 (px) and "
            "optionally id, as in an annotation table. Leading folders of an image's path may be omitted.",
        ),
    ] = None,
    coco: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also write the predictions of images as a COCO keypoints JSON, which labelling tools import.",
        ),
    ] = None,
    coco_results: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write them as a list of COCO results with scores."),
    ] = None,
    people: Annotated[
        int, typer.Option(min=1, metavar="N", help="Without a box, search each image for up to N people.")
    ] = 1,
    threads: Threads = 1,
    no_drawings: Annotated[bool, typer.Option("--no-drawings", help="Write predictions.csv only.")] = False,
    no_search: Annotated[
        bool,
        typer.Option("--no-search", help="Without a box, use the whole image instead of searching for a person."),
    ] = False,
    no_tracking: Annotated[
        bool, typer.Option("--no-tracking", help="Use the same crop region in all frames of a video.")
    ] = False,
    no_smoothing: Annotated[
        bool, typer.Option("--no-smoothing", help="Do not smooth the joints of videos over time.")
    ] = False,
) -> None:
    """Predict the joints of people in images and videos with a TFLite file.

    Writes predictions.csv and a copy of each image and video with the joints
    drawn. The model runs on the crop region around each bounding box. Without
    a box, it searches the image for one person, or for up to N with
    --people N; the row of an image without a person has no joints. A model
    without confidence output uses the whole image. In videos, people are
    tracked from frame to frame; several of them require --boxes.

    Inputs that cannot be read are reported and skipped; the exit status is
    then 1. docs/predict.md explains the columns, the search, the tracker and
    the temporal smoothing.
    """
    if box is not None and boxes is not None:
        raise typer.BadParameter("use either --box or --boxes", param_hint="--boxes")
    if people > 1 and (box is not None or boxes is not None or no_search):
        raise typer.BadParameter("requires a search, without --box, --boxes and --no-search", param_hint="--people")
    _require_models([model])
    from splitpose.inference.predict import predict as run
    from splitpose.inference.predict_options import PredictOptions

    options = PredictOptions(
        sliding_window=not no_search,
        people=people,
        track=not no_tracking,
        smooth=not no_smoothing,
        draw=not no_drawings,
        threads=threads,
    )
    run(inputs, model, out, boxes or box, options, coco, coco_results)


def _require_models(models: Iterable[Path]) -> None:
    for model in models:
        if not model.is_file():
            raise InputError(f"{model}: no such TFLite file; `dvc repro convert` writes models/*/*.tflite")


def _duration(seconds: float) -> float:
    if not 0 <= seconds < math.inf:
        raise typer.BadParameter("must be 0 or more seconds")
    return seconds


def benchmark(
    models: Annotated[list[Path], typer.Argument(metavar="TFLITE", help="Models to measure.")],
    target: Annotated[
        str,
        typer.Option(
            metavar="DEVICE",
            help="local | ssh://user@host[:port][/path/of/python] | adb[:serial] | browser[:host[:port]]".replace(
                "[", r"\["
            ),
        ),
    ] = "local",
    threads: Annotated[
        list[int],
        typer.Option(
            min=1,
            metavar="N...",
            help="Numbers of threads. Latency is measured with each of them, everything else with the first.",
        ),
    ] = [1],  # noqa: B006 (typer copies it)
    runs: Annotated[int, typer.Option(min=1, metavar="N", help="Number of timed runs.")] = 200,
    warmup_runs: Annotated[
        int, typer.Option(min=1, metavar="N", help="Number of runs before the timed ones.")
    ] = 20,
    sustained: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            callback=_duration,
            help="Also measure runs without a pause for this long, to detect thermal throttling; 0: do not.",
        ),
    ] = 0.0,
    shape: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SHAPE",
            help="Sizes of an input whose size is open, such as 1,224,224,3; NAME=1,224,224,3 if there are several "
            "inputs, with one --shape for each.",
        ),
    ] = None,
    signature: Annotated[
        str | None, typer.Option(metavar="NAME", help="Signature to measure (default: the first of the file).")
    ] = None,
    benchmark_binary: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Program benchmark_model for adb (default: $SPLITPOSE_BENCHMARK_BINARY)."
        ),
    ] = None,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write the results to this file.")] = None,
) -> None:
    """Measure latency, memory and operators of TFLite files on a target device.

    The target is this machine, a Linux machine over ssh (which requires Python
    with numpy and ai-edge-litert), an Android device over adb (which runs the
    official benchmark_model program), or any browser that opens the printed
    address.

    Inputs are random values. All numeric types and any number of inputs are
    supported; a browser supports fewer types. An open batch size is set to 1;
    other open sizes require --shape. docs/targets.md explains the devices and
    the results.
    """
    _require_models(models)
    from splitpose.benchmark.measure import measure
    from splitpose.benchmark.model_inputs import ModelInputs
    from splitpose.benchmark.targets import BenchmarkOptions, open_target
    from splitpose.cli.benchmark_table import print_benchmark

    options = BenchmarkOptions(tuple(threads), runs, warmup_runs, sustained)
    with open_target(target, benchmark_binary) as device:
        inputs = ModelInputs(signature, tuple(shape or ()))
        result = measure(device, {str(model): model for model in models}, options, inputs)
    if json:
        result.write(json)
    print_benchmark(result)

"""The command `splitpose`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from splitpose.errors import InputError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; 0 only when it did what was asked, 130 when it was interrupted, errors are one line."""
    parser = argparse.ArgumentParser(prog="splitpose", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_settings(commands)
    _add_check(commands)
    _add_compare(commands)
    _add_score(commands)
    _add_predict(commands)
    _add_benchmark(commands)
    _add_promote(commands)
    _add_rollback(commands)
    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:  # a full disk, a folder that may not be written
        print(f"error: {f'{error.filename}: {error.strerror}' if error.filename else error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 0


def _add_settings(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser("settings", help="check params.yaml and the profile that it names")
    command.add_argument("--params", type=Path, default=Path("params.yaml"), metavar="YAML")
    command.set_defaults(run=_settings)


def _settings(options: argparse.Namespace) -> None:
    from splitpose.settings import check

    settings = check(options.params)
    print(f"profile {settings.profile}, variants {', '.join(settings.variants)}")


def _add_check(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser("check", help="what is wrong with annotations and their pictures")
    command.add_argument(
        "path",
        type=Path,
        metavar="PATH",
        help="a COCO keypoints JSON or a folder of some, FLIC, an annotation table",
    )
    command.add_argument("--images", type=Path, metavar="DIR", help="folder of the pictures")
    command.add_argument("--docs", type=Path, metavar="DIR", help="write Data Docs (HTML) there too")
    command.set_defaults(run=_check)


def _check(options: argparse.Namespace) -> None:
    from splitpose.data.format_detection import detect_format

    source = detect_format(options.path, options.images)
    # Great Expectations takes seconds to import, so an invalid source is reported before.
    from splitpose import validation
    from splitpose.report.validation_table import print_validation_result

    try:
        result = validation.validate(
            source.table, source.root, data_docs=options.docs, require_splits=source.has_splits
        )
        print_validation_result(source, result)
        result.raise_if_failed()
    except InputError as error:
        raise InputError(f"{options.path}: {error}") from error
    print(f"passed: {len(result.table):,} rows are valid, {result.summary['quarantined_rows']:,} are quarantined")


def _add_compare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser("compare", help="show the comparison of all variants")
    command.add_argument("--comparison", type=Path, default=Path("reports/comparison.json"), metavar="JSON")
    command.set_defaults(run=_compare)


def _compare(options: argparse.Namespace) -> None:
    from splitpose.files import read_json
    from splitpose.report import tables

    tables.terminal(read_json(options.comparison, produced_by="`make repro`"))


def _add_score(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser(
        "score",
        help="PCK of predictions, from two CSVs",
        description="PCK and the area under its curve, with 95 % intervals, from a CSV of annotations and one of "
        "predictions. Both have a column id and joint columns in px (lsho_x, lsho_y, lelb_x, ...); others are "
        "ignored, rows are matched by id. An annotated joint that is empty in the predictions counts as not found; "
        "a joint that they have no columns of, or that is empty in the annotations, is not scored.",
    )
    command.add_argument("--annotations", type=Path, required=True, metavar="CSV", help="the truth")
    command.add_argument("--predictions", type=Path, required=True, metavar="CSV", help="a row for each of its ids")
    command.add_argument(
        "--thresholds",
        type=float,
        nargs="+",
        metavar="T",
        help="in torso diameters; the area runs to the largest (default: 0.05 0.1 0.2)",
    )
    command.add_argument(
        "--torso",
        choices=["lsho-rhip", "rsho-lhip"],
        default="lsho-rhip",
        help="the two annotated joints that the torso diameter lies between (default: lsho-rhip, as published)",
    )
    command.add_argument(
        "--viewpoint",
        choices=["as-is", "observer"],
        default="as-is",
        help="observer: swap the sides of people whose right shoulder is annotated right of the left one, as in "
        "published figures on FLIC (default: as-is)",
    )
    command.add_argument(
        "--cluster",
        metavar="COLUMN",
        help="of the annotations; the intervals resample people who share its value, e.g. an image, together",
    )
    command.add_argument("--json", type=Path, metavar="FILE", help="write the scores there too")
    command.set_defaults(run=_score)


def _score(options: argparse.Namespace) -> None:
    from splitpose.evaluation.csv_scoring import THRESHOLDS, score
    from splitpose.evaluation.score_table import print_scores
    from splitpose.files import write_json

    result = score(
        options.annotations,
        options.predictions,
        options.torso,
        options.viewpoint,
        options.thresholds or THRESHOLDS,
        options.cluster,
    )
    if options.json:
        write_json(result, options.json)
    print_scores(result)


def _add_predict(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser(
        "predict",
        help="joints of people in pictures and videos",
        description="Finds joints with a TFLite file alone, and writes predictions.csv and every picture and video "
        "with its people drawn into a folder. People are looked at in a box, or in boxes of a CSV, a row a person; "
        "without them one person is searched, or by models without confidence the whole picture is looked at. In a "
        "video people are followed from frame to frame. Inputs that cannot be used are named and skipped, and the "
        "exit status is 1 then. docs/predict.md tells of the columns, of searching, following and smoothing.",
    )
    command.add_argument("inputs", type=Path, nargs="+", metavar="INPUT", help="pictures, videos, folders of them")
    command.add_argument("--model", type=Path, required=True, metavar="TFLITE")
    command.add_argument("--out", type=Path, required=True, metavar="DIR")
    whom = command.add_mutually_exclusive_group()
    whom.add_argument(
        "--box", type=float, nargs=4, metavar=("X0", "Y0", "X1", "Y1"), help="of the person in every input, px"
    )
    whom.add_argument(
        "--boxes",
        type=Path,
        metavar="CSV",
        help="columns image, box_x0, box_y0, box_x1, box_y1, px, and perhaps id, a row a person: of an annotation "
        "table or a detector; an image's path may lack its first folders",
    )
    command.add_argument("--threads", type=_positive, default=1, metavar="N", help="of the model (default: 1)")
    command.add_argument("--no-drawings", action="store_true", help="write predictions.csv alone")
    command.add_argument("--no-searching", action="store_true", help="without a box look at the whole picture")
    command.add_argument("--no-following", action="store_true", help="look at the same square in all frames")
    command.add_argument("--no-smoothing", action="store_true", help="joints of videos as the model finds them")
    command.set_defaults(run=_predict)


def _predict(options: argparse.Namespace) -> None:
    from splitpose.inference.predict import predict
    from splitpose.inference.predict_options import PredictOptions

    how = PredictOptions(
        search=not options.no_searching,
        follow=not options.no_following,
        smooth=not options.no_smoothing,
        draw=not options.no_drawings,
    )
    predict(options.inputs, options.model, options.out, options.box, options.boxes, how, options.threads)


def _add_benchmark(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser(
        "benchmark",
        help="latency, memory and operators of TFLite files on a target device",
        description="Measures TFLite files on this machine, on a Linux machine by ssh (Python with numpy and "
        "ai-edge-litert there), on an Android device by adb (the official benchmark_model program), or in any "
        "browser that opens the address which is then printed. Inputs are random values; all numeric types and any "
        "number of inputs are fine, open dimensions are taken as 1 (a browser takes less). "
        "docs/targets.md explains the devices and the figures.",
    )
    command.add_argument("models", type=Path, nargs="+", metavar="TFLITE")
    command.add_argument(
        "--target",
        default="local",
        metavar="DEVICE",
        help="local | ssh://user@host[:port][/path/of/python] | adb[:serial] | browser[:host[:port]] "
        "(default: local)",
    )
    command.add_argument(
        "--threads",
        type=_positive,
        nargs="+",
        default=[1],
        metavar="N",
        help="of the runtime, one or more numbers; all but latency is measured with the first (default: 1)",
    )
    command.add_argument("--runs", type=_positive, default=200, metavar="N", help="that are timed (default: 200)")
    command.add_argument(
        "--warm-up-runs", type=_positive, default=20, metavar="N", help="before the clock starts (default: 20)"
    )
    command.add_argument(
        "--sustained",
        type=_seconds,
        default=0.0,
        metavar="SECONDS",
        help="run that long without a pause, too, and tell whether the device throttles (default: no)",
    )
    command.add_argument(
        "--benchmark-binary",
        type=Path,
        metavar="FILE",
        help="the benchmark_model program for adb (default: $SPLITPOSE_BENCHMARK_BINARY)",
    )
    command.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    command.set_defaults(run=_benchmark)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not 1 or more")
    return number


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds")
    return seconds


def _benchmark(options: argparse.Namespace) -> None:
    from splitpose.benchmark.measure import measure
    from splitpose.benchmark.table import print_benchmark
    from splitpose.benchmark.targets import Options, target_of

    how = Options(tuple(options.threads), options.runs, options.warm_up_runs, options.sustained)
    with target_of(options.target, options.benchmark_binary) as target:
        result = measure(target, {str(model): model for model in options.models}, how)
    if options.json:
        result.write(options.json)
    print_benchmark(result)


def _add_promote(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser("promote", help="make a version in MLflow's registry the champion, by hand")
    command.add_argument("--version", metavar="N", help="of the profile's model (default: the challenger)")
    command.add_argument("--reason", default="", metavar="TEXT", help="kept with the decision")
    command.add_argument("--params", type=Path, default=Path("params.yaml"), metavar="YAML")
    command.set_defaults(run=_promote)


def _promote(options: argparse.Namespace) -> None:
    from splitpose.promotion import manual

    print(manual.promote(options.params, options.version, options.reason))


def _add_rollback(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser("rollback", help="make the one champion whom the present one replaced, by hand")
    command.add_argument("--reason", default="", metavar="TEXT", help="kept with the decision")
    command.add_argument("--params", type=Path, default=Path("params.yaml"), metavar="YAML")
    command.set_defaults(run=_rollback)


def _rollback(options: argparse.Namespace) -> None:
    from splitpose.promotion import manual

    print(manual.rollback(options.params, options.reason))

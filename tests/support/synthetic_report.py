"""Synthetic results of two variants with one or three repeats, in the layout that the stages write."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

from splitpose import annotations
from splitpose.annotations import BOX_COLUMNS, cast_columns, joints_of, with_joints
from splitpose.evaluation import predictions, training_history
from splitpose.report.inputs import ReportInputs
from splitpose.settings import Params, load
from splitpose.skeleton import INDEX, JOINTS
from splitpose.stages.compare import compare
from splitpose.stages.report import read_inputs
from splitpose.stages.stage_outputs import Reports

VARIANTS = ["baseline", "final"]
PRECISIONS = ("float32", "float16", "int8")
LINEAGE = {"all variants": {"git commit": "no git"}, "baseline": {"MLflow run": "none yet"}}


def percentages(mean: float) -> dict[str, float]:
    """Return `mean` for every joint and joint group, but 10 less for wrists."""
    wrists = dict.fromkeys(["wrist", "lwri", "rwri"], mean - 10)
    return {"mean": mean, "elbow": mean, "wrist": mean - 10, **dict.fromkeys(JOINTS, mean), **wrists}


def intervals(mean: float) -> dict[str, list[float]]:
    """Return intervals of one percentage point to either side."""
    return {key: [value - 1, value + 1] for key, value in percentages(mean).items()}


def metrics(variant: str) -> dict[str, Any]:
    """Return metrics: baseline 80 %, final 90 % at 0.2; 30 less at 0.1, 60 less at 0.05; half of it is the AUC."""
    mean = {"baseline": 80.0, "final": 90.0}[variant]
    at = {"0.05": mean - 60, "0.1": mean - 30, "0.2": mean}
    return {
        "variant": variant,
        "n": 40,
        "without_torso": 0,
        "torso": "lsho-rhip",
        "viewpoint": "observer",
        "decoding": {"baseline": None, "final": "argmax"}[variant],
        "flip_test": False,
        "bootstrap_cluster": "image",
        "parameters": {"baseline": 3_250_326, "final": 2_120_000}[variant],
        "macs": {"baseline": 568_000_000, "final": 732_400_000}[variant],
        "train_loss": 1.57e-4,
        "val_loss": 1.67e-3,
        "best_iteration": 30,
        "pck": {threshold: percentages(value) for threshold, value in at.items()},
        "ci95": {threshold: intervals(value) for threshold, value in at.items()},
        "auc": {"0.2": {**percentages(mean / 2), "ci95": intervals(mean / 2)}},
    }


def parity(variant: str) -> dict[str, Any]:
    """Return parity: files of 4, 2 and 1 MB; int8 loses half a percentage point."""
    mean = metrics(variant)["pck"]["0.2"]["mean"]
    return {
        precision: {
            "bytes": size,
            "pck_0.2_mean": mean - lost,
            "keras_pck_0.2_mean": mean,
            "max_difference": 1e-5,
        }
        for precision, size, lost in zip(PRECISIONS, (4_000_000, 2_000_000, 1_000_000), (0, 0, 0.5), strict=True)
    }


def benchmark(variant: str) -> dict[str, Any]:
    """Return a benchmark: 8, 8 and 3 ms, half of it with two threads; final's int8 file is not fully delegated."""
    device = {
        "target": "local", "cpu": "synthetic <cpu> & co", "architecture": "x86_64", "cores": 2, "system": "Linux",
        "runtime": "synthetic", "delegate": "XNNPACK",
    }  # fmt: skip
    return {"format": {"name": "splitpose benchmark", "version": 2}, "device": device} | {
        precision: _file(p50, delegated=not (variant == "final" and precision == "int8"))
        for precision, p50 in zip(PRECISIONS, (8.0, 8.0, 3.0), strict=True)
    }


def _file(p50: float, delegated: bool) -> dict[str, Any]:
    """Return a file's results: 3 ms to the first output; two thirds of the time in products; no p99."""
    speed = {
        "threads": 1,
        "runs": 10,
        "p50_ms": p50,
        "p95_ms": 2 * p50,
        "gflops": 100.0,
        "share_of_float32_peak": 0.5,
    }
    profile = [
        {"name": "Fully Connected (NC, F32) GEMM", "ms": p50 / 3},
        {"name": "Fully Connected (NC, F32) GEMM", "ms": p50 / 3},
        {"name": "Convolution (NHWC, F32) DWConv", "ms": p50 / 3},
    ]
    return speed | {
        "bytes": 4_000_000, "sha256": "a" * 64, "macs": 400_000_000, "operators": [], "warmup_runs": 2,
        "load_ms": 1.0, "first_run_ms": 2.0, "init_ms": 3.0, "peak_memory_mb": 9.5, "fully_delegated": delegated,
        "delegate_partitions": 1, "by_threads": [speed, speed | {"threads": 2, "p50_ms": p50 / 2}],
        "operator_timings": profile,
    }  # fmt: skip


def decodings(variant: str) -> list[dict[str, Any]]:
    """Return the headline decoding, and one with the flip test that has 2 points more at each threshold."""
    scores = metrics(variant)
    name = scores["decoding"] or "coordinates"
    headline = {"pck": scores["pck"], "ci95": scores["ci95"], "auc": scores["auc"]}
    gain = {"difference": 2.0, "ci95": [-0.5, 4.5], "outcome": "not distinguishable"}
    flipped = {
        "pck": {threshold: percentages(groups["mean"] + 2) for threshold, groups in scores["pck"].items()},
        "ci95": {threshold: intervals(groups["mean"] + 2) for threshold, groups in scores["pck"].items()},
    }
    return [
        {"name": name, "headline": True, "forward_passes": 1, "gain": {}, **headline},
        {
            "name": f"{name} + flip test",
            "headline": False,
            "forward_passes": 2,
            "gain": {threshold: {"mean": gain} for threshold in scores["pck"]},
            **flipped,
        },
    ]


def person_detection(variant: str) -> dict[str, Any]:
    """Return person thresholds: none for baseline; for final 0.75 and one false alarm in 20 test images."""
    validation = {"people": 20, "misses": 0, "empty": 20, "false_alarms": 0}
    calibrated = {"threshold": 0.75, "validation": validation, "test": validation | {"false_alarms": 1}}
    missing = {"threshold": None, "validation": None, "test": None}
    file = {"baseline": missing, "final": calibrated}[variant]
    return {"empty_images": "rendered", "files": dict.fromkeys(PRECISIONS, file)}


def robustness(variant: str) -> dict[str, Any]:
    """Return robustness: baseline does not follow shifted crops; both variants are robust to darkening."""
    ratio = {"baseline": 0.1, "final": 0.75}[variant]
    degradation = {"mean_pose": 61.5, "criterion": "degrades slowly", "passed": True}
    return {
        "n": 40,
        "flip_equivariance": {
            "median": 0.061,
            "within": {"0.2": 90.0},
            "criterion": "close",
            "passed": True,
        },
        "shift_equivariance": {
            "steps": {"2": {"px": 2, "shift_ratio": 1.0}, "8": {"px": 8, "shift_ratio": ratio}},
            "criterion": "follows",
            "passed": variant == "final",
        },
        "darkening": {"pck_0.2": {"1": 90.0, "0.4": 84.6}, **degradation},
        "blur": {"pck_0.2": {"0": 90.0, "3": 70.0}, **degradation},
    }


TRAINING_SECONDS = {"train_frozen": 60.0, "fine_tune": 300.0}
"""Wall-clock time of each training stage of every variant."""


def write_results(root: Path) -> None:
    """Write the JSON files that comparison.json is computed from: metrics, parity, benchmark."""
    for name, content in (("metrics", metrics), ("parity", parity), ("benchmark", benchmark)):
        (root / name).mkdir(parents=True)
        for variant in VARIANTS:
            (root / name / f"{variant}.json").write_text(json.dumps(content(variant)))


def comparison(profile: str = "sample", repeats: int = 1) -> dict[str, Any]:
    """Return the expected comparison of one repeat; with more, scores and intervals are the same."""
    return {
        "profile": profile,
        "variants": {variant: entry(variant, repeats) for variant in VARIANTS},
    }


def seeds(variant: str, repeats: int) -> dict[str, Any]:
    """Return the entry of the seeds: of several repeats, the second is exported; ranges are 4 points wide."""
    scores = metrics(variant)
    if repeats == 1:
        return {"count": 1, "exported": 1, "covered": False, "pck_0.2_mean": [scores["pck"]["0.2"]["mean"]]}

    def ranges(groups: dict[str, Any]) -> dict[str, Any]:
        return {group: [low - 1, high + 1] for group, (low, high) in groups.items()}

    return {
        "count": repeats,
        "exported": 2,
        "covered": True,
        "pck_0.2_mean": np.linspace(*ranges(scores["ci95"]["0.2"])["mean"], repeats).tolist(),
        "pck_range": {threshold: ranges(groups) for threshold, groups in scores["ci95"].items()},
        "auc_range": {"0.2": ranges(scores["auc"]["0.2"]["ci95"])},
    }


def entry(variant: str, repeats: int = 1) -> dict[str, Any]:
    """Return one variant's entry of the expected comparison."""
    scores, files, times = metrics(variant), parity(variant), benchmark(variant)
    return {
        "parameters": scores["parameters"],
        "macs": scores["macs"],
        "pck": {
            threshold: {**scores["pck"][threshold], "ci95": scores["ci95"][threshold]}
            for threshold in ("0.05", "0.1", "0.2")
        },
        "auc": scores["auc"],
        "seeds": seeds(variant, repeats),
        "train_loss": 1.57e-4,
        "val_loss": 1.67e-3,
        "tflite": {
            precision: {
                "bytes": files[precision]["bytes"],
                "pck_0.2_mean": files[precision]["pck_0.2_mean"],
                "p50_ms": times[precision]["p50_ms"],
                "p95_ms": times[precision]["p95_ms"],
                "fully_delegated": times[precision]["fully_delegated"],
            }
            for precision in PRECISIONS
        },
    }


def history() -> pd.DataFrame:
    """Return a training history of four validation steps, of which the third is the best."""
    return pd.DataFrame(
        {
            "phase": ["frozen", "fine_tune", "fine_tune", "fine_tune"],
            "iteration": [10, 20, 30, 40],
            "train_loss": [0.1, 0.05, 0.02, 0.01],
            "val_loss": [0.2, 0.09, 0.05, 0.06],
            "val_pck_0.2": [20.0, 50.0, 70.0, 65.0],
            "learning_rate": [1e-3, 1e-4, 1e-4, 1e-4],
            "averaged": [False, True, True, True],
        }
    )


def standing() -> np.ndarray:
    """Return a standing pose, (K, 2) px, whose torso diameter is exactly 50 px (30 across, 40 down)."""
    return np.array(
        [
            [65, 40],
            [72, 60],
            [70, 78],
            [35, 40],
            [28, 60],
            [30, 78],
            [60, 80],
            [35, 80],
            [53, 18],
            [47, 18],
            [50, 24],
        ],
        float,
    )


def people(count: int) -> pd.DataFrame:
    """Return `count` rows of the annotation table, all standing in images/a.png, 100 x 100 px."""
    rows = pd.DataFrame({"id": [f"p{n}" for n in range(count)]}).assign(
        image="images/a.png",
        width=100,
        height=100,
        split="test",
        group="film",
        **dict.fromkeys(BOX_COLUMNS),
    )
    return cast_columns(with_joints(rows, np.repeat(standing()[None], count, axis=0)))


def six_people() -> pd.DataFrame:
    """Return six people, p0 to p5; p5 is p4 annotated again, all joints 5 px (0.1 torso diameters) to the right."""
    rows = people(6).assign(image=[f"images/{name}.png" for name in "abcdee"])
    joints = joints_of(rows).copy()
    joints[5, :, 0] += 5
    return with_joints(rows, joints)


WRONG_PEOPLE = {"baseline": (6, 3, 6), "final": (1, 0, 2)}
"""Number of people, from p0 on, for which each repeat of a variant has wrong predictions."""


def predicted_joints(variant: str, repeat: int = 1) -> np.ndarray:
    """Return the predictions of a variant's repeat for the six people, (6, K, 2) px.

    baseline is 20 px (0.4 torso diameters) off at the wrists of WRONG_PEOPLE, final 14 px (0.28) at all joints.
    """
    joints = joints_of(six_people()).copy()
    wrong = WRONG_PEOPLE[variant][repeat - 1]
    if variant == "baseline":
        joints[:wrong, [INDEX["lwri"], INDEX["rwri"]], 1] += 20
    else:
        joints[:wrong, :, 1] += 14
    return joints


def write_project(root: Path, profile: Path, repeats: int = 1) -> Path:
    """Write all that the stages compare and report read: params.yaml, profiles/, data/ and reports/.

    Of three repeats, the second is exported.
    """
    (root / "profiles").mkdir(parents=True)
    short = profile.read_text().replace("resamples: 10000", "resamples: 200")
    (root / "profiles" / profile.name).write_text(short)
    numbers = list(range(1, repeats + 1))
    params = f"profile: {profile.stem}\nrepeats: {numbers}\nvariants: {{baseline: {{}}, final: {{}}}}\n"
    (root / "params.yaml").write_text(params)
    annotations.write(six_people(), root / "data" / "annotations" / "annotations.parquet")
    checks = {"passed": True, "rows": {"train": 1, "val": 2}, "failures": []}
    (root / "data" / "annotations" / "checks.json").write_text(json.dumps(checks))
    for name in "abcde":
        _write_image(root / "data" / "images" / f"{name}.png", 100)
    reports = root / "reports"
    write_results(reports)
    for split in annotations.SPLITS:
        _write_image(reports / "crops" / f"{split}.jpg", 60)
    for variant in VARIANTS:
        _write_image(reports / "cases" / f"{variant}.jpg", 60)
        ids = list(six_people()["id"])
        exported = min(repeats, 2)
        predictions.write(ids, predicted_joints(variant, exported), reports / "predictions" / f"{variant}.csv")
        for repeat in range(1, repeats + 1):
            path = reports / "repeat_predictions" / variant / f"{repeat}.csv"
            predictions.write(ids, predicted_joints(variant, repeat), path)
        selection = {"seed": 33, "val_pck_0.2": 70.0, "val_loss": 0.05, "iteration": 30}
        content = {"selected": exported, "repeats": {str(k): selection for k in range(1, repeats + 1)}}
        (reports / "repeats").mkdir(exist_ok=True)
        (reports / "repeats" / f"{variant}.json").write_text(json.dumps(content))
        training_history.write(history(), reports / "history" / f"{variant}.csv")
        for stage, seconds in TRAINING_SECONDS.items():
            for repeat in range(1, repeats + 1):
                path = reports / "training_time" / stage / f"{variant}-{repeat}.json"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(json.dumps({f"{stage}_seconds": seconds}))
        for folder, content in (
            ("decodings", decodings(variant)),
            ("robustness", robustness(variant)),
            ("person_detection", person_detection(variant)),
        ):
            (reports / folder).mkdir(exist_ok=True)
            (reports / folder / f"{variant}.json").write_text(json.dumps(content))
    return root


def run_compare(project: Path) -> None:
    """Run the stage compare on such a project."""
    reports, annotated = project / "reports", project / "data" / "annotations"
    compare(project / "profiles" / "sample.yaml", project / "params.yaml", annotated, reports)


def read(project: Path) -> ReportInputs:
    """Read the inputs of the report from such a project; run it in the project's folder."""
    data = project / "data"
    profile = project / "profiles" / "sample.yaml"
    params = load(Params, project / "params.yaml")
    return read_inputs(profile, params, data, data / "annotations", Reports(project / "reports"))


def _write_image(path: Path, side: int) -> None:
    """Write a grey square."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((side, side, 3), 90, np.uint8))

"""Made-up results of two variants, in the layout that the stages write."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

from splitpose import annotations
from splitpose.annotations import BOX_COLUMNS, joints_of, typed, with_joints
from splitpose.evaluation import predictions
from splitpose.report import results
from splitpose.report.results import Evidence
from splitpose.settings import Profile, load
from splitpose.skeleton import INDEX, JOINTS
from splitpose.training import history as curves

VARIANTS = ["baseline", "final"]
PRECISIONS = ("float32", "float16", "int8")
LINEAGE = {"all variants": {"git commit": "no git"}, "baseline": {"MLflow run": "none yet"}}


def percentages(mean: float) -> dict[str, float]:
    """Every joint and mean at `mean`, but wrists 10 lower."""
    wrists = dict.fromkeys(["wrist", "lwri", "rwri"], mean - 10)
    return {"mean": mean, "elbow": mean, "wrist": mean - 10, **dict.fromkeys(JOINTS, mean), **wrists}


def intervals(mean: float) -> dict[str, list[float]]:
    """One percent to either side."""
    return {key: [value - 1, value + 1] for key, value in percentages(mean).items()}


def metrics(variant: str) -> dict[str, Any]:
    """baseline finds 80 %, final 90 % at 0.2; 30 less at 0.1, 60 less at 0.05; half of it is the area."""
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
        "best_iteration": 900,
        "pck": {threshold: percentages(value) for threshold, value in at.items()},
        "ci95": {threshold: intervals(value) for threshold, value in at.items()},
        "auc": {"0.2": {**percentages(mean / 2), "ci95": intervals(mean / 2)}},
    }


def parity(variant: str) -> dict[str, Any]:
    """4, 2 and 1 MB; int8 loses half a percent."""
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
    """8, 8 and 3 ms, half of it with two threads; the int8 file of final is not fully delegated."""
    device = {
        "target": "local", "cpu": "made-up <cpu> & co", "architecture": "x86_64", "cores": 2, "system": "Linux",
        "runtime": "made up", "delegate": "XNNPACK",
    }  # fmt: skip
    return {"format": {"name": "splitpose benchmark", "version": 2}, "device": device} | {
        precision: _figures(p50, delegated=not (variant == "final" and precision == "int8"))
        for precision, p50 in zip(PRECISIONS, (8.0, 8.0, 3.0), strict=True)
    }


def _figures(p50: float, delegated: bool) -> dict[str, Any]:
    """3 ms to the first answer; two thirds of the time are products; p99 is not known, as on Android."""
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


def readings(variant: str) -> list[dict[str, Any]]:
    """The headline's reading, and one with the flip test that finds 2 points more at each threshold."""
    scores = metrics(variant)
    name = scores["decoding"] or "coordinates"
    found = {"pck": scores["pck"], "ci95": scores["ci95"], "auc": scores["auc"]}
    gain = {"difference": 2.0, "ci95": [-0.5, 4.5], "verdict": "not distinguishable"}
    more = {
        "pck": {threshold: percentages(groups["mean"] + 2) for threshold, groups in scores["pck"].items()},
        "ci95": {threshold: intervals(groups["mean"] + 2) for threshold, groups in scores["pck"].items()},
    }
    return [
        {"reading": name, "headline": True, "runs_of_the_model": 1, "gain": {}, **found},
        {
            "reading": f"{name} + flip test",
            "headline": False,
            "runs_of_the_model": 2,
            "gain": {threshold: {"mean": gain} for threshold in scores["pck"]},
            **more,
        },
    ]


def behaviour(variant: str) -> dict[str, Any]:
    """baseline does not follow its crops; both see well in the dark."""
    followed = {"baseline": 0.1, "final": 0.75}[variant]
    falls = {"mean_pose": 61.5, "bound": "falls slowly", "holds": True}
    return {
        "n": 40,
        "mirrored": {"median": 0.061, "within": {"0.2": 90.0}, "bound": "stays near", "holds": True},
        "shifted": {
            "steps": {"2": {"px": 2, "followed": 1.0}, "8": {"px": 8, "followed": followed}},
            "bound": "follows",
            "holds": variant == "final",
        },
        "darker": {"pck_0.2": {"1": 90.0, "0.4": 84.6}, **falls},
        "blurrier": {"pck_0.2": {"0": 90.0, "3": 70.0}, **falls},
    }


def write(root: Path) -> tuple[Path, Path, Path]:
    """The three folders of JSON files: metrics, parity, benchmark."""
    folders = root / "metrics", root / "parity", root / "benchmark"
    for folder, content in zip(folders, (metrics, parity, benchmark), strict=True):
        folder.mkdir(parents=True)
        for variant in VARIANTS:
            (folder / f"{variant}.json").write_text(json.dumps(content(variant)))
    return folders


def comparison(profile: str = "sample") -> dict[str, Any]:
    """The comparison as it should come out, put together by hand."""
    return {
        "operator_timings": profile,
        "variants": {variant: entry(variant) for variant in VARIANTS},
    }


def entry(variant: str) -> dict[str, Any]:
    """One variant's entry in it."""
    scores, files, times = metrics(variant), parity(variant), benchmark(variant)
    return {
        "parameters": scores["parameters"],
        "macs": scores["macs"],
        "pck": {
            threshold: {**scores["pck"][threshold], "ci95": scores["ci95"][threshold]}
            for threshold in ("0.05", "0.1", "0.2")
        },
        "auc": scores["auc"],
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
    """Four looks, the last but one of which is the best."""
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
    """(K, 2) px of one person whose torso diameter is exactly 50 px (30 across, 40 down)."""
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
    """`count` rows of the annotation table, all standing in pictures/a.png, 100 x 100 px."""
    rows = pd.DataFrame({"id": [f"p{n}" for n in range(count)]}).assign(
        image="pictures/a.png",
        width=100,
        height=100,
        split="test",
        group="film",
        **dict.fromkeys(BOX_COLUMNS),
    )
    return typed(with_joints(rows, np.repeat(standing()[None], count, axis=0)))


def six_people() -> pd.DataFrame:
    """Six, p0 to p5; p5 is p4 annotated again, all joints 5 px (0.1 torso diameters) to the right."""
    rows = people(6).assign(image=[f"pictures/{name}.png" for name in "abcdee"])
    joints = joints_of(rows).copy()
    joints[5, :, 0] += 5
    return with_joints(rows, joints)


def found_by(variant: str) -> np.ndarray:
    """(6, K, 2) px of the test people that a variant predicts.

    baseline is 20 px (0.4 torso diameters) off at every wrist, final 14 px (0.28) at every joint of p0.
    """
    joints = joints_of(six_people()).copy()
    if variant == "baseline":
        joints[:, [INDEX["lwri"], INDEX["rwri"]], 1] += 20
    else:
        joints[0, :, 1] += 14
    return joints


def project(root: Path, profile: Path) -> Path:
    """All that the report stage reads, in a folder of its own: params.yaml, profiles/, data/ and reports/."""
    (root / "profiles").mkdir(parents=True)
    short = profile.read_text().replace("resamples: 10000", "resamples: 200")
    (root / "profiles" / profile.name).write_text(short)
    (root / "params.yaml").write_text(f"profile: {profile.stem}\nvariants: {{baseline: {{}}, final: {{}}}}\n")
    annotations.write(six_people(), root / "data" / "annotations" / "annotations.parquet")
    checks = {"passed": True, "rows": {"train": 1, "val": 2}, "failures": []}
    (root / "data" / "annotations" / "checks.json").write_text(json.dumps(checks))
    for name in "abcde":
        _picture(root / "data" / "pictures" / f"{name}.png", 100)
    reports = root / "reports"
    write(reports)
    for split in annotations.SPLITS:
        _picture(reports / "crops" / f"{split}.jpg", 60)
    for variant in VARIANTS:
        _picture(reports / "cases" / f"{variant}.jpg", 60)
        predictions.write(list(six_people()["id"]), found_by(variant), reports / "predictions" / f"{variant}.csv")
        curves.write(history(), reports / "history" / f"{variant}.csv")
        for folder, content in (("decodings", readings(variant)), ("robustness", behaviour(variant))):
            (reports / folder).mkdir(exist_ok=True)
            (reports / folder / f"{variant}.json").write_text(json.dumps(content))
    return root


def read(project: Path) -> Evidence:
    """The evidence that the report stage reads from such a project."""
    profile = project / "profiles" / "sample.yaml"
    data, reports = project / "data", project / "reports"
    return results.read(profile, load(Profile, profile).scoring, VARIANTS, data, data / "annotations", reports)


def _picture(path: Path, side: int) -> None:
    """A grey square."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((side, side, 3), 90, np.uint8))

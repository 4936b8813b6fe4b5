"""Paths of the pipeline's files below data/, models/ and reports/, relative to the project's root.

The stages receive their paths as options from dvc.yaml; a test checks that dvc.yaml and this module agree. All
other code (tracking, promotion, the report, the command line) takes its paths from this module.
"""

from pathlib import Path

PARAMS = Path("params.yaml")
PROFILES = Path("profiles")

DATA = Path("data")
SOURCE_FINGERPRINT = DATA / "fingerprints" / "source.json"
BACKGROUND_FINGERPRINT = DATA / "fingerprints" / "background_images.json"
WEIGHTS_FINGERPRINT = DATA / "fingerprints" / "weights.json"
RAW = DATA / "raw"
INCOMING = DATA / "incoming"
INCOMING_VERSION = DATA / "incoming.dvc"
ANNOTATIONS = DATA / "annotations"
ANNOTATION_TABLE = ANNOTATIONS / "annotations.parquet"
QUARANTINE = ANNOTATIONS / "quarantine.csv"
WARNINGS = ANNOTATIONS / "warnings.csv"
VALIDATION_SUMMARY = ANNOTATIONS / "checks.json"
IMAGE_SCAN = ANNOTATIONS / "image_scan.parquet"
CROPS = DATA / "crops"

MODELS = Path("models")

REPORTS = Path("reports")
CROP_SHEETS = REPORTS / "crops"
COMPARISON = REPORTS / "comparison.json"
COMPARISON_MARKDOWN = REPORTS / "comparison.md"
PAGE = REPORTS / "index.html"
FIGURES = REPORTS / "figures"
PLOTS = REPORTS / "plots"
TRAINING_PLOT = PLOTS / "training.csv"
THRESHOLDS_PLOT = PLOTS / "thresholds.csv"
ANALYSIS = REPORTS / "analysis"
PAIRED_DIFFERENCES = ANALYSIS / "paired_differences.json"
SLICES = ANALYSIS / "slices.json"
ANNOTATOR_AGREEMENT = ANALYSIS / "annotator_agreement.json"
PCK_CURVES = ANALYSIS / "pck_curves.json"
SEED_VARIATION = ANALYSIS / "seed_variation.json"
RECOMMENDATION = ANALYSIS / "recommendation.json"
SELECTED_INSTANCES = ANALYSIS / "selected_instances.json"
TRAINING_TIME = REPORTS / "training_time"
COMPARATORS = REPORTS / "comparators.json"
DATA_DOCS = REPORTS / "data_docs"
DECISIONS = REPORTS / "decisions.jsonl"
LOGS = REPORTS / "logs"


def profile(name: str) -> Path:
    """Return the path of a profile."""
    return PROFILES / f"{name}.yaml"


def initial_weights(variant: str) -> Path:
    """Return the path of the folder of the weights that a variant's training starts from."""
    return MODELS / variant / "initial"


def repeats(variant: str) -> Path:
    """Return the path of the folder with the results of a variant's repeated training runs."""
    return MODELS / variant / "repeats"


def initial_weights_record(variant: str) -> Path:
    """Return the path of the record of where a variant's initial weights come from."""
    return initial_weights(variant) / "initial.json"


def frozen_weights(variant: str, repeat: int) -> Path:
    """Return the path of a repeat's weights after the frozen phase."""
    return repeats(variant) / str(repeat) / "frozen.weights.h5"


def frozen_history(variant: str, repeat: int) -> Path:
    """Return the path of the training history of a repeat's frozen phase."""
    return repeats(variant) / str(repeat) / "frozen.csv"


def repeat_weights(variant: str, repeat: int) -> Path:
    """Return the path of a repeat's weights after fine-tuning."""
    return repeats(variant) / str(repeat) / "final.weights.h5"


def repeat_history(variant: str, repeat: int) -> Path:
    """Return the path of a repeat's training history over both phases."""
    return repeats(variant) / str(repeat) / "history.csv"


def final_weights(variant: str) -> Path:
    """Return the path of a variant's weights after fine-tuning: those of the selected repeat."""
    return MODELS / variant / "final.weights.h5"


def tflite(variant: str, precision: str) -> Path:
    """Return the path of one of a variant's TFLite files."""
    return MODELS / variant / f"{precision}.tflite"


def history(variant: str) -> Path:
    """Return the path of a variant's training history over both phases: that of the selected repeat."""
    return REPORTS / "history" / f"{variant}.csv"


def repeat_selection(variant: str) -> Path:
    """Return the path of the validation results of a variant's repeats and the number of the selected one."""
    return REPORTS / "repeats" / f"{variant}.json"


def training_time(stage: str, variant: str, repeat: int) -> Path:
    """Return the path of the wall-clock time of a repeat's training stage, train_frozen or fine_tune."""
    return TRAINING_TIME / stage / f"{variant}-{repeat}.json"


def metrics(variant: str) -> Path:
    """Return the path of all metrics of a variant, with intervals."""
    return REPORTS / "metrics" / f"{variant}.json"


def scores(variant: str) -> Path:
    """Return the path of the selected metrics of a variant that `dvc metrics` compares."""
    return REPORTS / "scores" / f"{variant}.json"


def predictions(variant: str) -> Path:
    """Return the path of a variant's predictions on the test split."""
    return REPORTS / "predictions" / f"{variant}.csv"


def all_repeat_predictions(variant: str) -> Path:
    """Return the path of the folder with the predictions of a variant's repeats on the test split."""
    return REPORTS / "repeat_predictions" / variant


def repeat_predictions(variant: str, repeat: int) -> Path:
    """Return the path of a repeat's predictions on the test split."""
    return all_repeat_predictions(variant) / f"{repeat}.csv"


def decodings(variant: str) -> Path:
    """Return the path of a variant's PCK with each decoding and with the flip test."""
    return REPORTS / "decodings" / f"{variant}.json"


def robustness(variant: str) -> Path:
    """Return the path of a variant's results on flipped, shifted, darkened and blurred crops."""
    return REPORTS / "robustness" / f"{variant}.json"


def cases(variant: str) -> Path:
    """Return the path of the contact sheet of a variant's best and worst crops."""
    return REPORTS / "cases" / f"{variant}.jpg"


def parity(variant: str) -> Path:
    """Return the path of the comparison of a variant's TFLite files with its Keras model."""
    return REPORTS / "parity" / f"{variant}.json"


def person_detection(variant: str) -> Path:
    """Return the path of the person thresholds of a variant's TFLite files, with their errors."""
    return REPORTS / "person_detection" / f"{variant}.json"


def benchmark(variant: str) -> Path:
    """Return the path of the latency and operator timings of a variant's TFLite files."""
    return REPORTS / "benchmark" / f"{variant}.json"


def crop_sheet(split: str) -> Path:
    """Return the path of the contact sheet of a split's crops."""
    return CROP_SHEETS / f"{split}.jpg"

"""A miniature project: DVC runs it in seconds, because its stages copy files from inputs/."""

import json
import os
import subprocess
import sys
from pathlib import Path

VARIANTS = ("plain", "fast")
COLUMNS = ("phase", "iteration", "train_loss", "val_loss", "val_pck_0.2", "learning_rate")
ROWS = [
    dict(zip(COLUMNS, values, strict=True))
    for values in [
        ("frozen", 10, 0.5, 0.6, 10.0, 0.001),
        ("fine_tune", 20, 0.25, 0.3, 40.0, 0.002),
        ("fine_tune", 30, 0.125, 0.2, 50.0, 0.0),
    ]
]
SELECTION = {
    "selected": 1,
    "repeats": {"1": {"seed": 7, "val_pck_0.2": 50.0, "val_loss": 0.2, "iteration": 30}},
}
METRICS = {
    "n": 7, "torso": "lsho-rhip", "viewpoint": "observer", "parameters": 1000, "macs": 5000,
    "train_loss": 0.125, "val_loss": 0.2, "best_iteration": 30,
    "pck": {"0.05": {"mean": 20.5, "leye": None}, "0.2": {"mean": 50.5, "lwri": 42.0}},
    "ci95": {"0.05": {"mean": [18.0, 23.0], "leye": None}, "0.2": {"mean": [48.0, 53.0], "lwri": [35.0, 49.0]}},
    "auc": {"0.2": {"mean": 30.5, "leye": None, "ci95": {"mean": [28.0, 33.0], "leye": None}}},
}  # fmt: skip
DECODINGS = [
    {"name": "argmax", "pck": {"0.2": {"mean": 50.5}}},
    {"name": "argmax + flip test", "pck": {"0.2": {"mean": 52.5}}},
]
PARITY = {"int8": {"bytes": 321, "pck_0.2_mean": 49.5, "keras_pck_0.2_mean": 50.5, "max_difference": 0.25}}
BENCHMARK = {
    "device": {"cpu": "toy", "cores": 2},
    "int8": {"p50_ms": 1.5, "p95_ms": 2.5, "fully_delegated": True},
}
COMPARISON = "| variant | PCK@0.2 |\n|---|---|\n| plain | 50.5 |\n"

PARAMS = "profile: tiny\nrepeats: [1]\nvariants:\n  plain: {}\n  fast: {fine_tune: {learning_rate: 1.0e-5}}\n"
PROFILE = """\
source: {kind: sample, people: 20}
training:
  batch_size: 4
  frozen: {iterations: 10, learning_rate: 1.0e-3}
  fine_tune: {iterations: 20, learning_rate: 2.0e-3}
unused: 1
"""
TRAIN = """\
import csv, shutil, sys
from splitpose.tracking import live_run

variant, repeat, history = sys.argv[1:]
if variant == "plain":  # one variant is enough: MLflow takes seconds to start
    with live_run(variant, int(repeat)) as log:
        for row in list(csv.DictReader(open("inputs/history.csv")))[1:]:
            log({key: int(value) if key == "iteration" else value for key, value in row.items()})
shutil.copy("inputs/history.csv", history)
"""
PIPELINE = """\
stages:
  download:
    cmd: mkdir -p data/crops && cp inputs/people.txt data/crops && cp inputs/people.txt data && echo 20 people
    deps: [inputs/people.txt]
    params: [profile, {'profiles/${profile}.yaml': [source]}]
    outs: [data/crops, data/people.txt]
  train_frozen:
    matrix: {variant: '${variants}', repeat: '${repeats}'}
    cmd:
      - mkdir -p models/${item.variant}/repeats/${item.repeat}
      - echo ${item.variant} > models/${item.variant}/repeats/${item.repeat}/frozen.weights.h5
    deps: [data/crops]
    params: ['variants.${item.variant}', {'profiles/${profile}.yaml': [training.batch_size, training.frozen]}]
    outs: ['models/${item.variant}/repeats/${item.repeat}/frozen.weights.h5']
  fine_tune:
    matrix: {variant: '${variants}', repeat: '${repeats}'}
    cmd:
      - cd models/${item.variant}/repeats/${item.repeat} && cp frozen.weights.h5 final.weights.h5
      - >-
        python train.py ${item.variant} ${item.repeat}
        models/${item.variant}/repeats/${item.repeat}/history.csv
    deps: [data/crops, 'models/${item.variant}/repeats/${item.repeat}/frozen.weights.h5', train.py]
    params: ['variants.${item.variant}', {'profiles/${profile}.yaml': [training.batch_size, training.fine_tune]}]
    outs:
      - models/${item.variant}/repeats/${item.repeat}/final.weights.h5
      - models/${item.variant}/repeats/${item.repeat}/history.csv
  select:
    matrix: {variant: '${variants}'}
    cmd: >-
      mkdir -p reports/history reports/repeats
      && cp models/${item.variant}/repeats/1/final.weights.h5 models/${item.variant}/final.weights.h5
      && cp models/${item.variant}/repeats/1/history.csv reports/history/${item.variant}.csv
      && cp inputs/selection.json reports/repeats/${item.variant}.json
    deps: ['models/${item.variant}/repeats']
    params: [repeats]
    outs:
      - models/${item.variant}/final.weights.h5
      - reports/history/${item.variant}.csv
      - reports/repeats/${item.variant}.json
  evaluate:
    matrix: {variant: '${variants}'}
    cmd: >-
      mkdir -p reports/metrics reports/predictions reports/decodings reports/robustness reports/cases
      && cp inputs/metrics.json reports/metrics/${item.variant}.json
      && cp inputs/decodings.json reports/decodings/${item.variant}.json
      && echo '{}' > reports/robustness/${item.variant}.json
      && echo jpeg > reports/cases/${item.variant}.jpg
      && echo id > reports/predictions/${item.variant}.csv
      && mkdir -p reports/repeat_predictions/${item.variant}
      && echo id > reports/repeat_predictions/${item.variant}/1.csv
    deps:
      - models/${item.variant}/final.weights.h5
      - models/${item.variant}/repeats
      - reports/history/${item.variant}.csv
      - data/people.txt
    params: [repeats]
    outs:
      - reports/predictions/${item.variant}.csv
      - reports/repeat_predictions/${item.variant}
      - reports/decodings/${item.variant}.json
      - reports/robustness/${item.variant}.json
      - reports/cases/${item.variant}.jpg
    metrics: ['reports/metrics/${item.variant}.json']
  convert:
    matrix: {variant: '${variants}'}
    cmd: >-
      mkdir -p reports/parity && cp inputs/parity.json reports/parity/${item.variant}.json
      && echo ${item.variant} > models/${item.variant}/int8.tflite
    deps: ['models/${item.variant}/final.weights.h5']
    outs: ['models/${item.variant}/int8.tflite']
    metrics: ['reports/parity/${item.variant}.json']
  benchmark:
    matrix: {variant: '${variants}'}
    cmd: mkdir -p reports/benchmark && cp inputs/benchmark.json reports/benchmark/${item.variant}.json
    deps: ['models/${item.variant}/int8.tflite']
    metrics: ['reports/benchmark/${item.variant}.json']
  report:
    cmd: mkdir -p reports/figures && cp inputs/comparison.md reports && echo png > reports/figures/curves.png
    deps: [reports/metrics, reports/parity, reports/benchmark]
    outs: [reports/comparison.md, reports/figures]
"""


def write(root: Path, pipeline: str = PIPELINE) -> Path:
    """Write the project to an empty folder."""
    history = [",".join(COLUMNS), *(",".join(str(value) for value in row.values()) for row in ROWS)]
    files = {
        ".dvc/config": "[core]\n    analytics = false\n    no_scm = true\n",
        "dvc.yaml": pipeline,
        "params.yaml": PARAMS,
        "profiles/tiny.yaml": PROFILE,
        "train.py": TRAIN,
        "inputs/people.txt": "20 people\n",
        "inputs/history.csv": "\n".join(history) + "\n",
        "inputs/selection.json": json.dumps(SELECTION),
        "inputs/metrics.json": json.dumps(METRICS),
        "inputs/decodings.json": json.dumps(DECODINGS),
        "inputs/parity.json": json.dumps(PARITY),
        "inputs/benchmark.json": json.dumps(BENCHMARK),
        "inputs/comparison.md": COMPARISON,
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def repro(root: Path) -> None:
    """Run the project's stages with DVC."""
    python = Path(sys.executable)
    environment = {**os.environ, "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run([python, "-m", "dvc", "repro", "-q"], cwd=root, env=environment, check=True)

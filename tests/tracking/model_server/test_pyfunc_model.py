"""The registered champion in MLflow's model server, and in a process without splitpose."""

import base64
import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import requests
from support import spot_model
from support.servers import Server, free_port

from splitpose.skeleton import JOINTS
from splitpose.tracking.model_registry import ModelRegistry
from splitpose.tracking.runs import open_run

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project whose registry has a champion that detects white dots and a challenger that returns the centre."""
    root = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        registry = ModelRegistry(root, "tiny")
        run = open_run(root, "tiny", "spot", "1").id
        registry.promote(registry.register(run, *spot_model.write_pair(root / "spot.tflite", "1")))
        middle = spot_model.write_pair(root / "middle.tflite", "2", variant="middle", **spot_model.COORDINATES)
        registry.register(run, *middle)
    return root


@pytest.fixture(scope="module")
def address(project: Path) -> Iterator[str]:
    """The address of a server of the champion."""
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", "models:/splitpose-tiny@champion"]
    command += ["--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)]
    environment = {"MLFLOW_TRACKING_URI": f"sqlite:///{project}/mlflow.db", "MLFLOW_DISABLE_TELEMETRY": "true"}
    server = Server(command, f"http://127.0.0.1:{port}/ping", environment)
    try:
        yield f"http://127.0.0.1:{port}/invocations"
    finally:
        server.kill()


def model_folder(project: Path, name: str) -> Path:
    """Return the folder of the model in MLflow's artifacts."""
    (tflite,) = (project / "mlartifacts").rglob(f"{name}-float32.tflite")
    return tflite.parents[1]


def image(x: int, y: int) -> str:
    """Return an image of 96 x 64 px, black with a white dot at (x, y), as PNG in base64."""
    pixels = np.zeros((64, 96, 3), np.uint8)
    pixels[y - 4 : y + 5, x - 4 : x + 5] = 255
    return base64.b64encode(cv2.imencode(".png", pixels)[1].tobytes()).decode()


def box(*edges: float | None) -> dict[str, float | None]:
    return dict(zip(("box_x0", "box_y0", "box_x1", "box_y1"), edges, strict=True))


def post(address: str, content: Any, kind: str = "dataframe_records") -> requests.Response:
    return requests.post(address, json={kind: content}, timeout=30)


def test_images_with_and_without_boxes(address):
    boxed = {"image": image(57, 20)} | box(44, 26, 76, 34)
    response = post(address, [boxed, {"image": image(41, 14)}, {"image": image(41, 14)} | box(*[None] * 4)])
    assert response.status_code == 200
    rows = response.json()["predictions"]
    assert [[(row[f"{joint}_x"], row[f"{joint}_y"]) for joint in JOINTS] for row in rows] == [
        [(57, 21)] * 11, [(41.5, 13.5)] * 11, [(41.5, 13.5)] * 11,
    ]  # fmt: skip
    assert all(0.9 < row["nose_confidence"] <= 1 for row in rows[:1])


@pytest.mark.parametrize("kind", ["inputs", "instances", "dataframe_split"])
def test_other_request_formats_have_the_same_response(address, kind):
    rows = {
        "inputs": {"image": [image(41, 14)]},
        "instances": [{"image": image(41, 14)}],
        "dataframe_split": {"columns": ["image"], "data": [[image(41, 14)]]},
    }
    assert post(address, rows[kind], kind).json() == post(address, [{"image": image(41, 14)}]).json()


def test_the_models_input_example_is_a_valid_request(address, project):
    example = (model_folder(project, "spot") / "serving_input_example.json").read_bytes()
    response = requests.post(address, data=example, headers={"Content-Type": "application/json"}, timeout=30)
    assert response.status_code == 200
    assert [len(row) for row in response.json()["predictions"]] == [33, 33]


def test_concurrent_requests_get_their_own_responses(address):
    def found(dot: int) -> set[float]:
        rows = post(address, [{"image": image(dot, 34)}] * 200).json()["predictions"]
        return {round(row["nose_x"], 3) for row in rows}

    dots = [6, 18, 30, 42, 54, 66, 78, 90]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(found, dots)) == [{dot - 0.5} for dot in dots]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"image": ""}, "row 2 of 2: no image; send the bytes of a JPEG or PNG file (base64 in JSON)"),
        ({"image": "bm8gcGljdHVyZQ=="}, "row 2 of 2: image: not an image, damaged or truncated;"),
        ({"image": image(41, 14)[:40]}, "row 2 of 2: image: not an image, damaged or truncated;"),
        ({"image": image(41, 14)} | box(5, 5, 5, 9), "row 2 of 2: the box (5, 5, 5, 9) is empty;"),
        ({"image": image(41, 14)} | box(5, 5, 1e999, 9), "row 2 of 2: the box (5, 5, inf, 9) is incomplete or"),
        ({"image": image(41, 14)} | box(5, 5, None, 9), "row 2 of 2: the box (5, 5, nan, 9) is incomplete or"),
        ({"image": image(41, 14), "box_x0": "left"}, "Failed to convert column box_x0"),  # MLflow's own
        ({}, "Failed to convert column image"),
    ],
)
def test_invalid_rows_are_rejected_with_a_reason(address, row, message):
    body = json.dumps({"dataframe_records": [{"image": image(41, 14)}, row]})  # requests refuses infinity
    response = requests.post(address, data=body, headers={"Content-Type": "application/json"}, timeout=30)
    assert response.status_code == 400
    assert message in response.json()["message"].splitlines()[-1]


@pytest.mark.parametrize("body", ['{"dataframe_records": [{"photo": "x"}]}', '{"images": []}', "{", "[]"])
def test_invalid_requests_are_rejected(address, body):
    response = requests.post(address, data=body, headers={"Content-Type": "application/json"}, timeout=30)
    assert response.status_code == 400
    assert "message" in response.json()


def test_the_model_runs_where_splitpose_is_not_installed(project, tmp_path):
    # -S ignores the .pth files of site-packages, so the installed splitpose is not found.
    program = (
        "import sys, importlib.util, mlflow; assert importlib.util.find_spec('splitpose') is None;"
        "model = mlflow.pyfunc.load_model(sys.argv[1]); prediction = model.predict(model.input_example);"
        "import splitpose; print(splitpose.__file__);"
        "print(prediction['lsho_x'].tolist(), prediction['lsho_confidence'].tolist());"
        "print({'tensorflow', 'keras'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", program, str(model_folder(project, "middle"))],
        env=os.environ | {"PYTHONPATH": sysconfig.get_path("purelib"), "MLFLOW_DISABLE_TELEMETRY": "true"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    home, prediction, heavy = done.stdout.splitlines()
    assert Path(home).is_relative_to(model_folder(project, "middle") / "code")
    assert prediction == "[32.0, 31.5] [None, None]"  # the centres of the example's box and image
    assert heavy == "set()"


def test_requirements_are_few_and_installed(project):
    lines = (model_folder(project, "spot") / "requirements.txt").read_text().split()
    assert lines == [f"{name}=={version(name)}" for name in (line.split("==")[0] for line in lines)]
    assert len(lines) < 10

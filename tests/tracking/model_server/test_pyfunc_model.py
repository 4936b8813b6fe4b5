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
from support.foreign_page import open_foreign_page
from support.servers import Server, free_port

from splitpose.skeleton import JOINTS
from splitpose.tracking.model_registry import ModelRegistry
from splitpose.tracking.runs import open_run

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project whose registry has a champion that detects bright dots and a challenger that returns the centre."""
    root = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        registry = ModelRegistry(root, "tiny")
        run = open_run(root, "tiny", "spot", "1").id
        registry.promote(
            registry.register(run, *spot_model.write_pair(root / "spot.tflite", "1", person_threshold=0.5))
        )
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


def image(x: int, y: int, value: int = 255) -> str:
    """Return an image of 96 x 64 px, black with a dot at (x, y), as PNG in base64."""
    pixels = np.zeros((64, 96, 3), np.uint8)
    pixels[y - 4 : y + 5, x - 4 : x + 5] = value
    return base64.b64encode(cv2.imencode(".png", pixels)[1].tobytes()).decode()


def box(*edges: float | None) -> dict[str, float | None]:
    return dict(zip(("box_x0", "box_y0", "box_x1", "box_y1"), edges, strict=True))


def post(address: str, content: Any, kind: str = "dataframe_records", **params: object) -> requests.Response:
    return requests.post(address, json={kind: content, "params": params}, timeout=30)


def test_images_with_and_without_boxes(address):
    boxed = {"image": image(57, 20)} | box(44, 26, 76, 34)
    response = post(address, [boxed, {"image": image(41, 14)}, {"image": image(41, 14)} | box(*[None] * 4)])
    assert response.status_code == 200
    first, second, third = response.json()["predictions"]
    assert {(first[f"{joint}_x"], first[f"{joint}_y"]) for joint in JOINTS} == {(57, 21)}
    assert (first["region_x"], first["region_y"], first["region_side"]) == (60, 30, 48)
    assert 0.9 < first["nose_confidence"] <= 1
    assert abs(second["nose_x"] - 41) < 5 and second["region_side"] < 9  # found by the search
    assert second == third | {"row": 2}


def test_an_image_without_a_person_has_an_empty_row(address):
    rows = post(address, [{"image": image(41, 14, value=90)}, {"image": image(41, 14)}]).json()["predictions"]
    assert [row["row"] for row in rows] == [1, 2]
    assert {value for name, value in rows[0].items() if name != "row"} == {None}


def test_the_number_of_people_is_a_parameter(address):
    assert [row["row"] for row in post(address, [{"image": image(41, 14)}], people=1).json()["predictions"]] == [1]
    response = post(address, [{"image": image(41, 14)}], people=21)
    assert response.status_code == 400
    assert "people is 21; use 1 to 20" in response.json()["message"]
    assert post(address, [{"image": image(41, 14)}], people="two").status_code == 400


def test_a_large_image_in_a_small_file_is_rejected(address):
    file = base64.b64encode(cv2.imencode(".png", np.zeros((8001, 8001), np.uint8))[1].tobytes()).decode()
    response = post(address, [{"image": file}])
    assert response.status_code == 400
    assert "image: has 8001 x 8001 px, but at most 64 million px are accepted" in response.json()["message"]


def test_too_many_rows_are_rejected(address):
    response = post(address, [{"image": image(41, 14)}] * 257)
    assert response.status_code == 400
    assert "the request has 257 rows; send at most 256 at once" in response.json()["message"]


def test_a_page_of_another_origin_gets_no_prediction(address):
    body = json.dumps({"dataframe_records": [{"image": image(41, 14)}]})
    post_it = {"method": "POST", "body": body}
    root = address.removesuffix("/invocations")
    typed = {"headers": {"Content-Type": "application/json"}}
    results = open_foreign_page(
        {
            "json": (address, post_it | typed),
            "csv": (address, post_it | {"headers": {"Content-Type": "text/csv"}}),
            "text": (address, post_it | {"mode": "no-cors"}),
            "json as text": (address, post_it | typed | {"mode": "no-cors"}),
            "untyped": (address, post_it | {"mode": "no-cors", "untyped": True}),
            "read ping": (f"{root}/ping", {}),
            "call ping": (f"{root}/ping", {"mode": "no-cors"}),
        }
    )
    blocked, unreadable = {"error": "TypeError"}, {"type": "opaque", "status": 0, "text": ""}
    assert results == {
        "json": blocked,  # the browser asks the server first (preflight), which refuses
        "csv": blocked,
        "text": unreadable,  # sent without asking; the server rejects the content types, see below
        "json as text": unreadable,  # the browser replaces the content type
        "untyped": unreadable,
        "read ping": blocked,
        "call ping": unreadable,
    }
    preflight = requests.options(
        address, headers={"Origin": "http://example.com", "Access-Control-Request-Method": "POST"}, timeout=30
    )
    assert preflight.status_code == 405
    for headers in ({"Content-Type": "text/plain;charset=UTF-8"}, {"Content-Type": "multipart/form-data"}, {}):
        response = requests.post(address, data=body.encode(), headers=headers, timeout=30)
        assert response.status_code in (415, 500)
        assert "predictions" not in response.text
        assert "access-control-allow-origin" not in response.headers


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
    assert [len(row) for row in response.json()["predictions"]] == [37, 37]


def test_concurrent_requests_get_their_own_responses(address):
    def found(dot: int) -> set[float]:
        rows = post(address, [{"image": image(dot, 34)}] * 20).json()["predictions"]
        return {round(row["nose_x"], 3) for row in rows}

    dots = [6, 18, 30, 42, 54, 66, 78, 90]
    with ThreadPoolExecutor(8) as pool:
        for dot, places in zip(dots, pool.map(found, dots), strict=True):
            assert len(places) == 1
            assert abs(places.pop() - dot) < 5


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"image": ""}, "row 2 of 2: no image; send the bytes of a JPEG or PNG file (base64 in JSON)"),
        ({"image": "bm8gcGljdHVyZQ=="}, "row 2 of 2: image: not an image, damaged or truncated;"),
        ({"image": image(41, 14)[:80]}, "row 2 of 2: image: damaged or truncated;"),
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

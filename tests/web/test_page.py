"""The page in a real Chromium, against Python's predictions for the same images."""

import base64
import http.server
import json
import os
import shutil
import subprocess
import threading
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from web.conftest import CHAMPION, REPOSITORY, serve

from splitpose import images
from splitpose.annotations import joints_of
from splitpose.crops.geometry import CropRegion, ImagePyramid, crop_region
from splitpose.data import coco
from splitpose.drawing import draw_joints
from splitpose.inference.pose_model import PoseModel, Prediction
from splitpose.inference.sliding_window import joints_crop_policy, search, search_people
from splitpose.web import static_server

pytestmark = pytest.mark.integration

FAKE_CAMERA = "--use-fake-device-for-media-stream"


def predict(model: Path, image: np.ndarray, region: CropRegion | None = None) -> Prediction:
    """Predict a region of an image with Python, by default the whole image."""
    height, width = image.shape[:2]
    region = region or CropRegion((width - 1) / 2, (height - 1) / 2, max(height, width))
    return PoseModel.load(model).predict_region(ImagePyramid(image), region)


def predict_joints(model: Path, image: Path, region: CropRegion | None = None) -> np.ndarray:
    return predict(model, images.read(image), region).joints


def search_person(path: Path, image: Path) -> Prediction:
    """Predict an image with Python as `splitpose predict` does without a box."""
    model, pixels = PoseModel.load(path), images.read(image)
    found = search(model, ImagePyramid(pixels), pixels.shape[1::-1], joints_crop_policy(model.joints_padding))
    assert found is not None
    return found


def dots_image() -> np.ndarray:
    """Return the image of dots with a wide border."""
    from support import web_models

    return np.pad(web_models.image(), ((60, 40), (30, 140), (0, 0)), constant_values=web_models.GREY)


def test_the_javascript_modules_conform_to_the_vectors(built):
    tests = sorted(map(str, Path(__file__).parent.glob("*.test.mjs")))
    completed = subprocess.run(["node", "--test", *tests], capture_output=True, text=True)
    assert completed.returncode == 0, completed.stdout


def test_every_model_is_predicted_and_drawn_as_by_python(drive, url, models):
    files = sorted(models.glob("*/*.tflite"))
    result = drive("models", url, models=[[path.parent.name, path.stem] for path in files])
    assert result["first"]["selected"] == ["final", "float32"]
    assert result["first"]["offered"] == ["baseline", "dots", "final", "float32", "int8"]
    assert result["first"]["champion"] == f"Champion: {CHAMPION}"
    assert result["first"]["marked"] == ["final", "float32"]
    trained_on = "trained on: 75 % of the groups of data/incoming, 3 listed groups or images."
    assert result["first"]["trainedOn"] == f"final, {trained_on}"
    assert result["first"]["sides"].startswith("“Left” is the side towards the right of the image")
    image = images.read(static_server.DIST / "sample.jpg")
    for path, state in zip(files, result["states"], strict=True):
        assert state["selected"] == [path.parent.name, path.stem]
        assert (state["champion"] is None) == (state["selected"] != ["final", "float32"])
        assert state["trainedOn"] == f"{path.parent.name}, {trained_on}"
        expected = predict(path, image, CropRegion(**state["region"]))
        np.testing.assert_allclose(state["joints"], expected.joints, atol=1, err_msg=str(path))
        canvas = cv2.imdecode(np.frombuffer(base64.b64decode(state["png"]), np.uint8), cv2.IMREAD_COLOR)
        drawing = draw_joints(image, expected.joints, confidence=expected.confidence)
        assert np.abs(canvas.astype(int) - drawing)[(drawing != image).any(axis=2)].mean() < 30
        p50, p95, runs, _ = map(str, state["latency"])
        assert 0 < float(p50) <= float(p95)
        assert int(runs) >= 5
        assert state["message"] == ""


def test_a_users_image_and_model_and_a_selected_region(drive, url, models, tmp_path):
    from support import web_models

    image, model = tmp_path / "dots.png", models / "dots" / "float32.tflite"
    cv2.imwrite(str(image), dots_image())
    positions = web_models.JOINT_POSITIONS + [30, 60]
    result = drive("openFiles", url, image=str(image), model=str(model), corners=[[60, 80], [200, 250]])
    found, selected, whole = (np.array(result[key]["joints"]) for key in ("found", "selected", "whole"))
    expected = search_person(model, image)
    assert result["found"]["region"] == pytest.approx(vars(expected.region))
    np.testing.assert_allclose(found, expected.joints, atol=0.01)
    np.testing.assert_allclose(whole, predict_joints(model, image), atol=0.01)
    np.testing.assert_allclose(found, positions, atol=2)
    np.testing.assert_allclose(selected, positions, atol=2)
    # The region's corners are rounded to whole px of the screen, as the pointer's position is.
    np.testing.assert_allclose(selected, predict_joints(model, image, CropRegion(130, 165, 170)), atol=1)
    assert result["cleared"]["joints"] == result["found"]["joints"]
    assert "dots" in result["found"]["metadata"]
    assert result["found"]["selected"] == []


@pytest.fixture(scope="module")
def calibrated(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file that detects dots, with a person threshold of 0.9 in its metadata."""
    path = tmp_path_factory.mktemp("calibrated") / "calibrated.tflite"
    content = (models / "dots" / "float32.tflite").read_bytes()
    path.write_bytes(content.replace(b'"person_threshold":null', b'"person_threshold":0.90'))
    return path


def content(file: dict[str, str]) -> bytes:
    """Return the content of a saved file."""
    return base64.b64decode(file["content"])


def test_several_people_are_found_and_saved_and_an_image_without_a_person_has_none(
    drive, url, calibrated, tmp_path
):
    from support import web_models

    single = cv2.resize(web_models.image(), None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA)
    image = np.full((300, 560, 3), web_models.GREY, np.uint8)
    image[40:240, 20:250] = web_models.image()
    image[80:240, 340:524] = single
    cv2.imwrite(str(tmp_path / "two.png"), image)
    cv2.imwrite(str(tmp_path / "empty.png"), np.full((120, 160, 3), web_models.GREY, np.uint8))
    files = {"image": str(tmp_path / "two.png"), "empty": str(tmp_path / "empty.png")}
    result = drive("people", url, model=str(calibrated), **files)
    model = PoseModel.load(calibrated)
    policy = joints_crop_policy(model.joints_padding)
    expected = search_people(model, ImagePyramid(image), image.shape[1::-1], policy, 5)
    assert len(expected) == 2
    for found, person in zip(result["all"]["people"], expected, strict=True):
        np.testing.assert_allclose(found["joints"], person.joints, atol=0.01)
        assert found["region"] == pytest.approx(vars(person.region))
    assert result["one"]["people"] == result["all"]["people"][:1]
    assert result["limit"] == "5"  # 9 was entered
    assert result["all"]["threshold"] == "0.90"

    png, saved = result["files"]
    assert png["name"] == "two-splitpose.png"
    drawn = cv2.imdecode(np.frombuffer(content(png), np.uint8), cv2.IMREAD_COLOR)
    assert drawn.shape == image.shape
    assert (drawn != image).any(axis=2).mean() > 0.01
    assert saved["name"] == "two-splitpose.json"
    (tmp_path / "saved.json").write_bytes(content(saved))
    rows = coco.read(
        tmp_path / "saved.json", [tmp_path], tmp_path, coco.ReadOptions(min_joints=1, min_side=1)
    ).table
    assert rows["image"].tolist() == ["two.png"] * 2
    np.testing.assert_allclose(joints_of(rows), [person.joints for person in expected], atol=0.02)
    scores = [annotation["score"] for annotation in json.loads(content(saved))["annotations"]]
    assert scores == pytest.approx([person.mean_confidence for person in expected], abs=1e-3)

    assert result["none"]["people"] == []
    assert result["none"]["status"] == "No person: no score reaches the threshold of 0.90."
    assert result["label"] == "empty.png without a person according to calibrated.tflite"
    assert json.loads(content(result["emptyJson"]))["annotations"] == []
    assert result["lowered"]["threshold"] == "0.00"

    # The threshold does not hide the person in a region that the user states, as with `predict --box`.
    assert result["selected"]["threshold"] == "0.90"
    assert result["isDisabled"]
    [person] = result["selected"]["people"]
    assert np.mean(person["confidence"]) < 0.9
    [annotation] = json.loads(content(result["selectedJson"]))["annotations"]
    assert annotation["score"] == pytest.approx(np.mean(person["confidence"]), abs=1e-3)
    [person] = result["whole"]["people"]
    assert person["region"] == {"x": 79.5, "y": 59.5, "side": 160}


def test_a_precision_can_be_selected_after_a_file_and_a_damaged_file_changes_nothing(drive, url, models, tmp_path):
    (tmp_path / "damaged.tflite").write_bytes((models / "dots" / "float32.tflite").read_bytes()[:3000])
    cv2.imwrite(str(tmp_path / "dots.png"), dots_image())
    files = {"damaged": str(tmp_path / "damaged.tflite"), "image": str(tmp_path / "dots.png")}
    opened = models / "dots" / "float16.tflite"
    result = drive("modelSelection", url, model=str(opened), precision="int8", **files)
    assert result["opened"]["selected"] == []
    assert result["opened"]["champion"] is None
    assert result["selected"]["selected"] == ["final", "int8"]
    assert result["error"].startswith("damaged.tflite: ")
    assert result["error"].endswith("; final int8 remains in use")
    assert result["after"]["selected"] == ["final", "int8"]
    expected = search_person(models / "final" / "int8.tflite", tmp_path / "dots.png")
    np.testing.assert_allclose(result["after"]["joints"], expected.joints, atol=1)
    assert result["after"]["message"] == ""


def test_a_paused_video_can_be_searched_for_an_image(drive, url, tmp_path):
    from support import web_models

    path, frame = tmp_path / "moving.webm", dots_image()
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"VP80"), 10, frame.shape[1::-1])
    for number in range(20):
        writer.write(np.roll(frame, 60 if number >= 10 else 0, axis=1))
    writer.release()
    result = drive("seek", url, video=str(path), model="dots", times=[1.5, 0.5])
    later, earlier = (np.array(state["joints"]) for state in result["states"])
    positions = web_models.JOINT_POSITIONS + [30, 60]
    np.testing.assert_allclose(earlier, positions, atol=3)
    np.testing.assert_allclose(later, positions + [60, 0], atol=3)
    assert result["file"] == "moving-0.50s-splitpose.json"
    assert result["time"] == "0:00.5 / 0:02.0"
    assert result["outside"] == []


def test_the_person_in_a_video_is_tracked(drive, url, models, tmp_path):
    path, still = tmp_path / "dots.webm", tmp_path / "dots.png"
    frame = dots_image()
    cv2.imwrite(str(still), frame)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"VP80"), 10, frame.shape[1::-1])
    for _ in range(10):
        writer.write(frame)
    writer.release()
    result = drive("video", url, video=str(path), model="dots")
    model = models / "dots" / "float32.tflite"
    tracked, whole = np.array(result["tracked"]["joints"]), np.array(result["whole"]["joints"])
    expected = predict_joints(model, still)
    np.testing.assert_allclose(whole, expected, atol=1)  # the video is compressed
    for _ in range(5):
        expected = predict_joints(model, still, crop_region(expected, np.empty(0), "joints", 1.5))
    np.testing.assert_allclose(tracked, expected, atol=1)
    assert np.abs(tracked - whole).max() > 2
    assert result["whole"]["size"] == [400, 300]
    assert int(result["tracked"]["latency"][3]) > 1
    assert result["button"] == "Play"


def test_the_camera_is_predicted(drive, url):
    state = drive("camera", url, flags=[FAKE_CAMERA])
    assert state["pressed"] == "true"
    assert "towards the left of this mirrored image" in state["sides"]
    assert int(state["latency"][3]) > 1
    assert np.isfinite(state["joints"]).all()


def test_a_denied_camera_is_reported(drive, url):
    state = drive("deniedCamera", url, flags=[FAKE_CAMERA])
    assert state["error"].startswith("Access to the camera was denied; allow it")
    assert state["joints"]  # the sample remains


def test_invalid_files_are_reported_and_a_valid_one_works_afterwards(drive, url, models, tmp_path):
    from support import web_models

    described, plain = models / "dots" / "float32.tflite", tmp_path / "plain.tflite"
    plain.write_bytes(web_models.dots(half=False))
    contents = {
        "text.tflite": b"no model",
        "cut.tflite": described.read_bytes()[:3000],
        "format.tflite": described.read_bytes().replace(b'"format":3', b'"format":9'),
        "flat.tflite": web_models.convert(lambda x: x * 2.0, (1, 4)),
        "other.tflite": web_models.convert(lambda x: x * 2.0, (1, 8, 8, 3)),
        "open.tflite": web_models.convert(lambda x: x * 2.0, (None, 8, 8, 3)),
        "broken.jpg": b"\xff\xd8\xff\xe0 nothing",
        "broken.webm": b"nothing",
        "notes.txt": b"hello",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    inputs = {".tflite": "model-file", ".jpg": "image-file", ".webm": "video-file", ".txt": "image-file"}
    files = [[inputs[Path(name).suffix], str(tmp_path / name)] for name in contents]
    result = drive("invalidFiles", url, files=files, valid=str(plain))
    for error, expected in zip(
        result["errors"],
        [
            "text.tflite: not a TFLite file",
            "cut.tflite: ",
            "format.tflite: metadata cannot be read (format)",
            "flat.tflite: not a pose model: the input is (1, 4), not one square RGB image",
            "other.tflite: not a pose model: the output is (1, 8, 8, 3), neither coordinates nor heatmaps of 11",
            "open.tflite: LiteRT.js does not support inputs of unknown size",
            "broken.jpg: not an image that this browser can read",
            "broken.webm: not a video that this browser can play",
            "notes.txt: not an image that this browser can read",
        ],
        strict=True,
    ):
        assert error.startswith(expected)
        assert "\n" not in error
    assert result["after"]["message"] == ""
    # Without metadata the codec is inferred from the shape of the output, as in Python.
    assert "metadatanone" in result["after"]["metadata"]
    expected = search_person(plain, static_server.DIST / "sample.jpg").joints
    np.testing.assert_allclose(result["after"]["joints"], expected, atol=0.01)


def test_a_page_without_models(drive, built, tmp_path):
    shutil.copytree(built, tmp_path / "page", copy_function=os.link)
    assert static_server.publish_models(tmp_path / "models", tmp_path / "page") == []
    with serve(tmp_path / "page") as address:
        state = drive("withoutModels", address)
    assert state["message"].startswith("There are no models on this page yet; open a .tflite file")
    assert state["offered"] == []


def test_a_loaded_page_works_without_its_server(drive, site, tmp_path):
    with serve(site) as address:
        online = drive("store", address, profile=str(tmp_path))
    assert online["offline"] == "This page is stored on this device and works offline."
    result = drive("offline", address, profile=str(tmp_path), other="baseline")
    assert result["first"]["joints"] == online["joints"]
    assert result["other"]["selected"] == ["baseline", "float32"]


def test_neither_the_page_nor_its_workers_can_reach_another_origin(drive, url):
    requests = []

    class OtherOrigin(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            requests.append(self.path)

    server = http.server.HTTPServer(("127.0.0.1", 0), OtherOrigin)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
    try:
        address = f"http://127.0.0.1:{server.server_port}/x"
        result = drive("otherOrigin", url, whole=True, address=address)["result"]
    finally:
        server.shutdown()
        server.server_close()
    assert result == {"fromPage": ["blocked", "blocked"], "fromWorkers": [["blocked"]]}
    assert requests == []


def test_a_foreign_page_can_neither_read_nor_change_nor_embed_anything(drive, url, site, tmp_path):
    (tmp_path / "index.html").write_text("<body></body>")
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    handler.log_message = lambda *_: None
    before = {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
    try:
        foreign = f"http://127.0.0.1:{server.server_port}/"
        result = drive("foreignOrigin", url, whole=True, foreign=foreign)["result"]
    finally:
        server.shutdown()
        server.server_close()
    assert result == {"reached": [], "frame": "chrome-error://chromewebdata/"}
    assert {path: path.read_bytes() for path in site.rglob("*") if path.is_file()} == before


def test_the_page_fits_on_a_phone_and_all_controls_into_a_desktop_window(drive, url, tmp_path):
    screens = [[390, 844, "light"], [320, 600, "dark"], [1280, 900, "light"]]
    result = drive("screenshots", url, folder=str(tmp_path), screens=screens)
    assert result == {"overflow": [0, 0, 0], "outside": [[], [], []]}


def test_the_tools_are_pinned_and_the_lock_contains_no_url():
    lock = (REPOSITORY / "web" / "package-lock.json").read_text()
    assert "://" not in lock
    assert '"integrity"' in lock

"""The page in a real Chromium, against what Python finds in the same pictures."""

import base64
import http.server
import os
import shutil
import subprocess
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from web.conftest import REPOSITORY, serving

from splitpose import images
from splitpose.crops.geometry import CropRegion, ImagePyramid, crop_region
from splitpose.drawing import draw_joints
from splitpose.inference import pose_model as predicting_model
from splitpose.inference.crop_pose import predict
from splitpose.inference.metadata import read_metadata
from splitpose.inference.pose_model import Look
from splitpose.inference.runtime import Runtime
from splitpose.inference.sliding_window import region_around_joints, search
from splitpose.web import static_server

CAMERA = "--use-fake-device-for-media-stream"


def looked_at(model: Path, picture: np.ndarray, region: CropRegion | None = None):
    """Joints and confidences by Python; without a region in the whole picture."""
    height, width = picture.shape[:2]
    region = region or CropRegion((width - 1) / 2, (height - 1) / 2, max(height, width))
    described = read_metadata(model)
    return predict(Runtime(model), picture, region, described.codec() if described else None)


def joints_by_python(model: Path, picture: Path, region: CropRegion | None = None):
    return looked_at(model, images.read(picture), region)[0]


def searched(path: Path, picture: Path) -> Look:
    """What `splitpose predict` finds without a box."""
    model, pixels = predicting_model.load(path), images.read(picture)
    found = search(model, ImagePyramid(pixels), pixels.shape[1::-1], region_around_joints(model.joints_margin))
    assert found is not None
    return found


def test_the_javascript_modules_keep_to_the_vectors(built):
    tests = sorted(map(str, Path(__file__).parent.glob("*.test.mjs")))
    done = subprocess.run(["node", "--test", *tests], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_every_model_finds_and_draws_what_python_does(drive, url, models):
    files = sorted(models.glob("*/*.tflite"))
    seen = drive("models", url, models=[[path.parent.name, path.stem] for path in files])
    assert seen["first"]["chosen"] == ["final", "float32"]
    assert seen["first"]["offered"] == ["baseline", "dots", "final", "float32", "int8"]
    for path, shown in zip(files, seen["each"], strict=True):
        assert shown["chosen"] == [path.parent.name, path.stem]
        picture = images.read(static_server.DIST / "sample.jpg")
        found, confidence = looked_at(path, picture, CropRegion(**shown["square"]))
        np.testing.assert_allclose(shown["joints"], found, atol=1, err_msg=str(path))
        canvas = cv2.imdecode(np.frombuffer(base64.b64decode(shown["png"]), np.uint8), cv2.IMREAD_COLOR)
        drawn = draw_joints(picture, found, confidence=confidence)
        assert np.abs(canvas.astype(int) - drawn)[(drawn != picture).any(axis=2)].mean() < 30
        p50, p95, runs, _ = map(str, shown["figures"])
        assert 0 < float(p50) <= float(p95)
        assert int(runs) >= 5
        assert shown["message"] == ""


def test_ones_own_picture_model_and_square(drive, url, models, tmp_path):
    from web import made

    picture, model = tmp_path / "dots.png", models / "dots" / "float32.tflite"
    cv2.imwrite(str(picture), np.pad(made.picture(), ((60, 40), (30, 140), (0, 0)), constant_values=made.GREY))
    places = made.PLACES + [30, 60]
    seen = drive("own", url, picture=str(picture), model=str(model), square=[[60, 80], [200, 250]])
    found, part, whole = (np.array(seen[each]["joints"]) for each in ("found", "part", "whole"))
    assert seen["found"]["square"] == pytest.approx(vars(searched(model, picture).region))
    np.testing.assert_allclose(found, searched(model, picture).joints, atol=0.01)
    np.testing.assert_allclose(whole, joints_by_python(model, picture), atol=0.01)
    np.testing.assert_allclose(found, places, atol=2)
    np.testing.assert_allclose(part, places, atol=2)
    # The square's corners are those of the mouse, which stands on whole px of the screen.
    np.testing.assert_allclose(part, joints_by_python(model, picture, CropRegion(130, 165, 170)), atol=1)
    assert seen["again"]["joints"] == seen["found"]["joints"]
    assert "dots" in seen["found"]["card"]
    assert seen["found"]["chosen"] == []


def test_the_person_in_a_video_is_followed(drive, url, models, tmp_path):
    from web import made

    path, still = tmp_path / "dots.webm", tmp_path / "dots.png"
    frame = np.pad(made.picture(), ((60, 40), (30, 140), (0, 0)), constant_values=made.GREY)
    cv2.imwrite(str(still), frame)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"VP80"), 10, frame.shape[1::-1])
    for _ in range(10):
        writer.write(frame)
    writer.release()
    seen = drive("video", url, video=str(path), model="dots")
    model = models / "dots" / "float32.tflite"
    followed, whole = np.array(seen["followed"]["joints"]), np.array(seen["whole"]["joints"])
    expected = joints_by_python(model, still)
    np.testing.assert_allclose(whole, expected, atol=1)  # the video is compressed
    for _ in range(5):
        expected = joints_by_python(model, still, crop_region(expected, np.empty(0), "joints", 1.5))
    np.testing.assert_allclose(followed, expected, atol=1)
    assert np.abs(followed - whole).max() > 2
    assert seen["whole"]["size"] == [400, 300]
    assert int(seen["followed"]["figures"][3]) > 1
    assert seen["button"] == "Play"


def test_the_camera_is_looked_at(drive, url):
    seen = drive("camera", url, flags=[CAMERA])
    assert seen["pressed"] == "true"
    assert int(seen["figures"][3]) > 1
    assert np.isfinite(seen["joints"]).all()


def test_a_denied_camera_is_told(drive, url):
    seen = drive("deniedCamera", url, flags=[CAMERA])
    assert seen["told"].startswith("The camera was refused; allow it")
    assert seen["joints"]  # the sample stays


def test_bad_files_are_told_and_do_no_harm(drive, url, models, tmp_path):
    from web import made

    good, plain = models / "dots" / "float32.tflite", tmp_path / "plain.tflite"
    plain.write_bytes(made.dots(half=False))
    contents = {
        "text.tflite": b"no model",
        "cut.tflite": good.read_bytes()[:3000],
        "card.tflite": good.read_bytes().replace(b'"format":1', b'"format":9'),
        "flat.tflite": made.converted(lambda x: x * 2.0, (1, 4)),
        "other.tflite": made.converted(lambda x: x * 2.0, (1, 8, 8, 3)),
        "open.tflite": made.converted(lambda x: x * 2.0, (None, 8, 8, 3)),
        "broken.jpg": b"\xff\xd8\xff\xe0 nothing",
        "broken.webm": b"nothing",
        "notes.txt": b"hello",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    inputs = {".tflite": "model-file", ".jpg": "picture-file", ".webm": "video-file", ".txt": "picture-file"}
    files = [[inputs[Path(name).suffix], str(tmp_path / name)] for name in contents]
    seen = drive("badFiles", url, files=files, good=str(plain))
    for told, expected in zip(
        seen["told"],
        [
            "text.tflite: not a TFLite file",
            "cut.tflite: ",
            "card.tflite: its card cannot be read (format)",
            "flat.tflite: takes (1, 4), not one square colour picture; it is no pose model",
            "other.tflite: gives (1, 8, 8, 3), neither coordinates nor heatmaps of 11 joints",
            "open.tflite: LiteRT.js runs no inputs of open size",
            "broken.jpg: no picture that this browser can read",
            "broken.webm: no video that this browser can play",
            "notes.txt: no picture that this browser can read",
        ],
        strict=True,
    ):
        assert told.startswith(expected)
        assert "\n" not in told
    assert seen["after"]["message"] == ""
    # A file without a card is read by the shape of its output, as Python does it.
    assert "cardnone" in seen["after"]["card"]
    found = searched(plain, static_server.DIST / "sample.jpg").joints
    np.testing.assert_allclose(seen["after"]["joints"], found, atol=0.01)


def test_no_predicting_modelyet(drive, built, tmp_path):
    shutil.copytree(built, tmp_path / "page", copy_function=os.link)
    assert static_server.publish_models(tmp_path / "models", tmp_path / "page") == 0
    with serving(tmp_path / "page") as address:
        seen = drive("empty", address)
    assert seen["message"].startswith("There are no models here yet: `make repro` trains them")
    assert seen["offered"] == []


def test_once_loaded_it_works_with_the_server_gone(drive, site, tmp_path):
    with serving(site) as address:
        online = drive("kept", address, profile=str(tmp_path))
    assert online["offline"].startswith("Kept on this device")
    seen = drive("offline", address, profile=str(tmp_path), other="baseline")
    assert seen["first"]["joints"] == online["joints"]
    assert seen["other"]["chosen"] == ["baseline", "float32"]


def test_nothing_can_be_sent_elsewhere(drive, url):
    """Neither the page nor the runtime's thread reaches another origin, be it this very machine."""
    reached = []

    class Elsewhere(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            reached.append(self.path)

    server = http.server.HTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
    try:
        seen = drive("privacy", url, whole=True, elsewhere=f"http://127.0.0.1:{server.server_port}/x")["answer"]
    finally:
        server.shutdown()
        server.server_close()
    assert seen == {"answers": ["refused", "refused"], "threads": [["refused"]]}
    assert reached == []


def test_the_page_fits_a_phone(drive, url, tmp_path):
    screens = [[390, 844, "light"], [320, 600, "dark"]]
    assert drive("screenshots", url, folder=str(tmp_path), screens=screens) == [0, 0]


def test_the_tools_are_pinned_and_no_address_is_in_the_lock():
    lock = (REPOSITORY / "web" / "package-lock.json").read_text()
    assert "://" not in lock
    assert '"integrity"' in lock

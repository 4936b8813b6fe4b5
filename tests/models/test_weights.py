"""Files that keras.applications writes, whole and damaged, and a server on loopback in place of Keras'."""

import hashlib
import threading
import time
from base64 import b64encode
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import h5py
import keras
import numpy as np
import pytest

from splitpose import models
from splitpose.errors import InputError
from splitpose.models import weights
from splitpose.models.backbone import backbone_layers
from splitpose.models.weights import load_backbone

SIZE, WIDTH = 64, 0.25


def mobilenet(top=False, width=WIDTH):
    """With BatchNorm's weights by chance too, so that a mix-up of any two shows."""
    keras.utils.set_random_seed(1)
    network = keras.applications.MobileNet(
        include_top=top, alpha=width, weights=None, input_shape=(SIZE, SIZE, 3), classes=7
    )
    rng = np.random.default_rng(0)
    network.set_weights([w if w.ndim == 4 else rng.uniform(0.5, 1.5, w.shape) for w in network.get_weights()])
    return network


@pytest.fixture(scope="module")
def donor():
    return mobilenet()


@pytest.fixture(scope="module")
def donated(donor, tmp_path_factory):
    """The donor's weights as `.weights.h5`."""
    path = tmp_path_factory.mktemp("donor") / "donor.weights.h5"
    donor.save_weights(path)
    return path


def legacy(network, path, root=None):
    """As Keras 2 wrote ImageNet's: a group for each layer, its weights named in bytes, with ":0" behind."""
    with h5py.File(path, "w") as file:
        folder = file.create_group(root) if root else file
        folder.attrs["layer_names"] = np.array([layer.name.encode() for layer in network.layers])
        for layer in network.layers:
            group = folder.create_group(layer.name)
            names = [f"{layer.name}/{weight.name}:0".encode() for weight in layer.weights]
            group.attrs["weight_names"] = np.array(names, "S") if names else np.zeros(0, "S1")
            for name, weight in zip(names, layer.get_weights(), strict=True):
                group[name.decode()] = weight
    return path


def model(name="baseline", width=WIDTH):
    keras.utils.set_random_seed(0)
    return models.build(name, SIZE, width)


def assert_filled(filled, donor):
    for layer, _ in backbone_layers(filled):
        for found, wanted in zip(layer.get_weights(), donor.get_layer(layer.name).get_weights(), strict=True):
            np.testing.assert_array_equal(found, wanted)


@cache
def untouched(width):
    """A model for the tests that must not change it, with its weights."""
    baseline = model(width=width)
    return baseline, baseline.get_weights()


def refused(source, message, width=WIDTH):
    """In one line, and the model as it was."""
    baseline, before = untouched(width)
    with pytest.raises(InputError, match=message) as raised:
        load_backbone(baseline, str(source), width)
    assert "\n" not in str(raised.value)
    assert all((a == b).all() for a, b in zip(before, baseline.get_weights(), strict=True))


@pytest.mark.parametrize("name", ["baseline", "final"])
@pytest.mark.parametrize("top", [False, True])
@pytest.mark.parametrize("kind", ["weights.h5", "h5", "whole.h5"])
def test_every_kind_of_file_fills_the_trunk(tmp_path, capsys, donor, name, top, kind):
    network, path = mobilenet(top) if top else donor, tmp_path / f"donor.{kind}"
    if kind == "weights.h5":
        network.save_weights(path)
    else:
        legacy(network, path, "model_weights" if kind == "whole.h5" else None)
    filled = model(name)
    others = {layer.name: layer.get_weights() for layer in filled.layers}
    load_backbone(filled, str(path), WIDTH)
    assert_filled(filled, network)
    new = set(others) - {layer.name for layer, _ in backbone_layers(filled)}
    for layer in new:
        assert all(
            (a == b).all() for a, b in zip(others[layer], filled.get_layer(layer).get_weights(), strict=True)
        )
    assert capsys.readouterr().out == f"trunk: {path}, sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def test_kerass_own_h5_of_a_whole_model(tmp_path, donor):
    donor.save(tmp_path / "donor.h5")
    filled = model()
    load_backbone(filled, str(tmp_path / "donor.h5"), WIDTH)
    assert_filled(filled, donor)


def test_a_trained_variant_gives_its_trunk(tmp_path):
    first, second = model("baseline"), model("final")
    first.get_layer("conv_pw_3").set_weights([np.full((1, 1, 32, 32), 0.5)])
    first.save_weights(tmp_path / "baseline.weights.h5")
    load_backbone(second, str(tmp_path / "baseline.weights.h5"), WIDTH)
    assert_filled(second, first)


def test_random_keeps_what_the_model_has(capsys):
    same = model()
    load_backbone(same, "random", WIDTH)
    assert all((a == b).all() for a, b in zip(model().get_weights(), same.get_weights(), strict=True))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["baseline", "no_gap", "split", "final"])
def test_pixels_are_made_ready_inside_the_model(donor, donated, name):
    """The model takes 0..255 as they are; MobileNet in keras.applications wants them through preprocess_input."""
    filled = model(name)
    load_backbone(filled, str(donated), WIDTH)
    pixels = np.random.default_rng(1).integers(0, 256, (2, SIZE, SIZE, 3)).astype(np.float32)
    ready = keras.applications.mobilenet.preprocess_input(pixels.copy())
    assert ready.min() >= -1 and ready.max() <= 1 and ready.min() < -0.9
    for place in ("conv1_relu", "conv_pw_3_relu"):  # before the final variant's own layers
        ours = keras.Model(filled.input, filled.get_layer(place).output)(pixels, training=False)
        keras_own = keras.Model(donor.input, donor.get_layer(place).output)(ready, training=False)
        np.testing.assert_allclose(ours, keras_own, rtol=1e-4, atol=1e-5)
        assert np.std(ours, axis=(0, 1, 2)).max() > 0.01  # the pixels show
    # And nothing else of the model sees the pixels: what comes after is the whole rest.
    rest = keras.Model(filled.get_layer("scale_pixels").output, filled.output)
    np.testing.assert_allclose(filled(pixels, training=False), rest(ready, training=False), rtol=1e-4, atol=1e-4)


def test_a_file_of_another_width_is_told_by_layer_and_shapes(donated):
    refused(
        donated,
        r"donor.weights.h5: conv1 has 3x3x3x8, and at model.width_multiplier 0.5 3x3x3x16 are wanted; "
        r"give weights of this width, or set model.width_multiplier to theirs",
        width=0.5,
    )


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("kind", ["weights.h5", "h5"])
def test_a_truncated_file_is_refused(tmp_path, donor, share, kind):
    path = tmp_path / f"x.{kind}"
    donor.save_weights(path) if kind == "weights.h5" else legacy(donor, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    refused(path, r"x.\S*h5: not a weights file, or damaged \(.*\); delete it and get it anew")


@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html><title>Sign in</title>", b"PK\x03\x04" + bytes(500)])
def test_what_is_no_hdf5_is_refused(tmp_path, content):
    (tmp_path / "x.h5").write_bytes(content)
    refused(tmp_path / "x.h5", r"x.h5: not a weights file, or damaged \(.*\); delete it and get it anew")


def test_a_file_of_another_network_is_refused(tmp_path):
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save_weights(tmp_path / "x.weights.h5")
    refused(
        tmp_path / "x.weights.h5", r"x.weights.h5: has no layer conv1; give weights of keras.applications' Mobile"
    )


@pytest.mark.parametrize("spoilt", [np.nan, np.inf])
def test_a_number_that_is_none_is_refused_by_its_layer(tmp_path, spoilt):
    network = mobilenet()
    kernel = network.get_layer("conv_pw_7").get_weights()[0]
    kernel[0, 0, 3, 5] = spoilt
    network.get_layer("conv_pw_7").set_weights([kernel])
    refused(legacy(network, tmp_path / "x.h5"), r"x.h5: conv_pw_7 holds something that is no number; delete it")


def test_a_missing_file_is_named(tmp_path):
    refused(
        tmp_path / "nowhere.h5", r"nowhere.h5: no such file; give random, imagenet or the path of a weights file"
    )
    refused(tmp_path, r"no such file; give random, imagenet or the path of a weights file")


def test_a_network_without_this_trunk_is_told(donated):
    other = keras.Sequential([keras.Input((SIZE, SIZE, 3)), keras.layers.Flatten()], name="flat")
    with pytest.raises(
        InputError, match=r"model.backbone_weights: flat has no layers of MobileNet v1; give random"
    ):
        load_backbone(other, str(donated), WIDTH)


def test_imagenet_has_four_widths():
    refused(
        "imagenet",
        r"imagenet: there are weights for the widths 0.25, 0.5, 0.75, 1.0, none for model.width_multiplier 0.3",
        width=0.3,
    )


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        self.server.answer(self)

    def send(self, content, status=200, length=None, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(monkeypatch, tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.asked = True, []
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setattr(weights, "ADDRESS", f"http://127.0.0.1:{server.server_port}/mobilenet")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    yield server
    server.shutdown()
    server.server_close()


def test_imagenet_is_fetched_once_and_kept_where_keras_looks(server, tmp_path, donor, capsys):
    content = legacy(donor, tmp_path / "donor.h5").read_bytes()
    md5 = b64encode(hashlib.md5(content).digest()).decode()
    server.answer = lambda handler: handler.send(content, x_goog_hash=f"crc32c=AAAAAA==, md5={md5}")
    for _ in range(2):
        filled = model()
        load_backbone(filled, "imagenet", WIDTH)
        assert_filled(filled, donor)
    assert server.asked == ["/mobilenet/mobilenet_2_5_224_tf_no_top.h5"]
    kept = tmp_path / "keras" / "models" / "mobilenet_2_5_224_tf_no_top.h5"
    assert kept.read_bytes() == content
    fetching, *trunk = capsys.readouterr().out.splitlines()
    assert fetching == f"trunk: fetching {weights.ADDRESS}/mobilenet_2_5_224_tf_no_top.h5"
    assert trunk == [f"trunk: {kept}, sha256 {hashlib.sha256(content).hexdigest()}"] * 2


def stalls(handler):
    handler.send(b"x" * 100, length=1000)
    handler.wfile.flush()
    time.sleep(1)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda handler: handler.send(b"gone", 404), r"the server answers 404 Not Found"),
        (lambda handler: handler.send(b"x" * 100, length=1000), r".*100 bytes read, 900 more expected.*"),
        (
            lambda handler: handler.send(b"x" * 100, x_goog_hash="md5=AAAA"),
            r"what came is not what the server says",
        ),
        (stalls, r".*timed out"),
    ],
)
def test_what_goes_wrong_on_the_way_is_told_and_leaves_nothing(server, monkeypatch, tmp_path, answer, reason):
    monkeypatch.setattr(weights, "TIMEOUT", 0.2)
    server.answer = answer
    refused(
        "imagenet",
        rf"model.backbone_weights: imagenet: http://\S+: {reason}.*; fetch it on another machine and put the",
    )
    assert list((tmp_path / "keras" / "models").iterdir()) == []


def test_without_a_network_the_way_out_is_told_at_once(server, tmp_path):
    server.shutdown()
    server.server_close()
    start = time.monotonic()
    refused(
        "imagenet",
        r": Connection refused; fetch it on another machine",
    )
    assert time.monotonic() - start < 5
    assert list((tmp_path / "keras" / "models").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(server, tmp_path):
    (tmp_path / "keras").write_text("a file where the folder should be")
    refused("imagenet", r"model.backbone_weights: imagenet: .*(Not a directory|File exists); fetch it")


def test_a_file_under_way_has_another_name(server, tmp_path):
    """So that what a killed download leaves is never taken for the whole file, as Keras does."""
    folder, content, seen = tmp_path / "keras" / "models", bytes(300_000), []

    def answer(handler):
        handler.send(content[:200_000], length=len(content))
        deadline = time.monotonic() + 10
        while not any(path.stat().st_size for path in folder.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.01)
        seen.extend(path.name for path in folder.iterdir() if path.stat().st_size)
        handler.wfile.write(content[200_000:])

    server.answer = answer
    assert weights.imagenet(WIDTH).read_bytes() == content
    assert seen == [".part-mobilenet_2_5_224_tf_no_top.h5"]
    assert [path.name for path in folder.iterdir()] == ["mobilenet_2_5_224_tf_no_top.h5"]

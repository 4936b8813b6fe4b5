import pytest

from splitpose.tracking.headline import headline_metrics

METRICS = {
    "n": 7,
    "parameters": 1000,
    "macs": 5000,
    "pck": {
        "0.1": {"mean": 20.5, "elbow": 18.0, "wrist": 15.0, "lelb": 17.0},
        "0.2": {"mean": 50.5, "elbow": 48.0, "wrist": None, "lelb": 47.0},
    },
    "auc": {"0.2": {"mean": 30.5, "lelb": 29.0}},
}
SELECTION = {"selected": 2, "repeats": {"1": {"val_pck_0.2": 49.0}, "2": {"val_pck_0.2": 52.0}}}
PARITY = {"int8": {"bytes": 321, "pck_0.2_mean": 49.5}, "float32": {"bytes": 1200, "pck_0.2_mean": 50.5}}
BENCHMARK = {
    "device": {"cpu": "a"},
    "int8": {"p50_ms": 1.5, "p95_ms": 2.5},
    "float32": {"p50_ms": 4.0, "p95_ms": 5.0},
}


def test_scores_sizes_and_latencies_have_the_prefix_of_their_section():
    values = headline_metrics(METRICS, SELECTION, PARITY, BENCHMARK)
    assert values == {
        "test/pck_0.1_mean": 20.5,
        "test/pck_0.2_mean": 50.5,
        "test/pck_0.2_elbow": 48.0,  # wrists are never annotated, so they have no score
        "test/auc_0.2_mean": 30.5,
        "val/best_pck_0.2": 52.0,  # of the selected repeat
        "device/bytes_float32": 1200.0,
        "device/bytes_int8": 321.0,
        "device/p50_ms_float32": 4.0,
        "device/p50_ms_int8": 1.5,
        "device/pck_0.2_mean_int8": 49.5,
        "device/parameters": 1000.0,
        "device/macs": 5000.0,
        "data/test_instances": 7.0,
    }
    assert {type(value) for value in values.values()} == {float}


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_what_was_not_measured_is_left_out(precision):
    pck = {"0.2": {"mean": 50.5}}
    values = headline_metrics({**METRICS, "pck": pck}, SELECTION, {precision: PARITY[precision]}, {})
    assert {key for key in values if key.startswith("test/")} == {"test/pck_0.2_mean", "test/auc_0.2_mean"}
    measured = {f"device/bytes_{precision}", "device/parameters", "device/macs"}
    measured |= {"device/pck_0.2_mean_int8"} if precision == "int8" else set()
    assert {key for key in values if key.startswith("device/")} == measured

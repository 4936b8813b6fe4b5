from splitpose.stages.evaluate import _few


def test_the_few_scores_are_named_as_in_mlflow_largest_threshold_first():
    at = {"0.1": {"mean": 50.0, "elbow": 40.0, "wrist": 30.0}, "0.2": {"mean": 80.0, "elbow": 70.0, "wrist": None}}
    few = _few({"pck": at, "auc": {"0.2": {"mean": 45.0, "ci95": {"mean": [44.0, 46.0]}}}})
    assert list(few.items()) == [
        ("pck_0.2_mean", 80.0),
        ("pck_0.1_mean", 50.0),
        ("pck_0.2_elbow", 70.0),
        ("pck_0.2_wrist", None),
        ("auc_0.2_mean", 45.0),
    ]

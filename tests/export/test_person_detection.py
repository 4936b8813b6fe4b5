import numpy as np
import pytest
from support.fake_model import HIGH_CONFIDENCE, LOW_CONFIDENCE, FakeModel

from splitpose.export.person_detection import DetectionScores, calibrate, choose_threshold, score_images


def scores(people, empty):
    return DetectionScores(np.array(people, float), np.array(empty, float))


@pytest.mark.parametrize(
    ("people", "empty", "threshold"),
    [
        # Separate: the middle of the gap between 0.5 and 0.8, not of the wider one between 0.1 and 0.5.
        ([0.8, 0.9], [0.1, 0.5], 0.65),
        # A miss of 4 images with people (0.25) costs less than one false alarm of 2 images (0.5).
        ([0.4, 0.8, 0.9, 0.95], [0.3, 0.6], 0.7),
        # A false alarm of 4 (0.25) costs less than a miss of 2 (0.5).
        ([0.5, 0.9], [0.1, 0.2, 0.3, 0.7], 0.4),
        # A miss of 2 costs as much as a false alarm of 2: 0.4 to 0.5 has a margin of 0.1, 0.6 to 0.8 one of 0.2.
        ([0.5, 0.8], [0.4, 0.6], 0.7),
        # Confidences that are not higher with people than without.
        ([0.5, 0.5], [0.5, 0.5], 0.0),
        ([0.2, 0.3], [0.6, 0.7], 0.0),
        # Rounded to four digits.
        ([0.5], [0.33333], 0.4167),
    ],
)
def test_the_threshold_has_the_lowest_sum_of_error_rates(people, empty, threshold):
    assert choose_threshold(scores(people, empty)) == threshold


def test_errors_are_counted_on_both_sets():
    result = calibrate(scores([0.4, 0.8, 0.9, 0.95], [0.3, 0.6]), scores([0.7, 0.69, 0.1], [0.7, 0.71, 0.2, 0.3]))
    assert result == {
        "threshold": 0.7,
        "validation": {"people": 4, "misses": 1, "empty": 2, "false_alarms": 0},
        "test": {"people": 3, "misses": 2, "empty": 4, "false_alarms": 2},  # 0.7 itself is a person
    }


def test_an_image_has_the_confidence_of_the_person_found():
    person, no_person = FakeModel([(60, 50, 40)]), FakeModel([])
    pixels = np.zeros((120, 160, 3), np.uint8)
    found = score_images([person, no_person], iter([pixels, pixels]))
    assert found == pytest.approx(np.array([[HIGH_CONFIDENCE] * 2, [LOW_CONFIDENCE] * 2]))

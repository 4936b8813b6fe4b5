import pandas as pd
import pytest

from splitpose.validation.size_faults import find_size_faults


@pytest.mark.parametrize(
    ("image_size", "cause"),
    [
        ("480x720", "width and height are exchanged"),
        ("360x240", "the images were resized by 0.5 after the annotation"),
        ("700x100", "use the images that were annotated"),
    ],
)
def test_images_of_another_size_than_the_file_states(image_size: str, cause: str) -> None:
    metrics = pd.DataFrame(
        {"id": ["f-1", "f-2"], "image": ["a", "b"], "width": 720, "height": 480, "image_size": image_size}
    )
    (finding,) = find_size_faults(metrics)
    assert finding.startswith("f: the images of 2 of 2 people have other sizes than the file states")
    assert cause in finding


def test_images_of_the_stated_size_and_missing_images_pass() -> None:
    metrics = pd.DataFrame(
        {"id": ["f-1", "f-2"], "image": ["a", "b"], "width": 720, "height": 480, "image_size": ["720x480", None]}
    )
    assert find_size_faults(metrics) == []

import numpy as np
import pandas as pd
import pytest

from splitpose.validation.leakage import frame_distance, near_duplicate_of


def make_table(*rows: tuple[str, str, str]) -> pd.DataFrame:
    """Return a table with the split, group and image of each row."""
    return pd.DataFrame(rows, columns=["split", "group", "image"])


def test_frame_distance_is_to_the_closest_training_frame() -> None:
    table = make_table(
        ("train", "film", "film-00000100.jpg"),
        ("train", "film", "film-00000150.jpg"),
        ("val", "film", "film-00000110.jpg"),
        ("test", "film", "film-00000125.jpg"),
        ("test", "film", "film-00000150.jpg"),
        ("test", "film", "film-00000128.jpg"),
        ("test", "other", "other-00000100.jpg"),
        ("test", "film", "film-last.jpg"),
    )
    np.testing.assert_array_equal(frame_distance(table), [np.nan, np.nan, 10, 15, 0, 18, np.nan, np.nan])


@pytest.mark.parametrize(
    ("name", "distance"),
    [("12.jpg", 2), ("a/12", 2), ("v2.x/12.jpg", 2), ("12a.jpg", np.nan), ("1.2/12x", np.nan), ("1" * 16, np.nan)],
)
def test_the_frame_number_is_at_the_end_of_the_name(name: str, distance: float) -> None:
    table = make_table(("test", "film", name), ("train", "film", "14.jpg"))
    np.testing.assert_array_equal(frame_distance(table), [distance, np.nan])


def test_without_scored_rows_there_is_no_leakage() -> None:
    table = make_table(("train", "film", "a1.jpg"), ("train", "film", "a2.jpg"))
    assert frame_distance(table).isna().all()
    assert near_duplicates(table, ["0" * 64] * 2) == [None, None]


def near_duplicates(
    table: pd.DataFrame, hashes: list[str | None], sources: list[str] | None = None
) -> list[str | None]:
    result = near_duplicate_of(table, pd.Series(sources or ["raw"] * len(table)), pd.Series(hashes, dtype=object))
    return result.tolist()


def test_the_most_similar_training_image_is_the_near_duplicate() -> None:
    table = make_table(
        ("train", "a", "a.jpg"),
        ("train", "b", "b.jpg"),
        ("train", "c", "c.jpg"),
        ("val", "d", "d.jpg"),
        ("test", "e", "e.jpg"),
        ("test", "e", "e.jpg"),
        ("test", "f", "f.jpg"),
        ("test", "g", "g.jpg"),
    )
    none, f6, far = "0" * 64, "f" * 6 + "0" * 58, "f" * 6 + "8" + "0" * 57  # with 0, 24 and 25 bits set
    hashes = [none, "f" * 64, None, f6, f6, f6, far, None]
    assert near_duplicates(table, hashes) == [None, None, None, "a.jpg", "d.jpg", "d.jpg", "d.jpg", None]
    assert near_duplicates(
        table.drop(index=3).reset_index(drop=True), [none, "f" * 64, None, f6, f6, far, None]
    ) == [
        *[None] * 3,
        "a.jpg",
        "a.jpg",
        None,
        None,
    ]


def test_images_of_one_group_are_only_compared_across_sources() -> None:
    table = make_table(
        ("train", "x.jpg", "incoming/x.jpg"), ("test", "x.jpg", "raw/x.jpg"), ("train", "x.jpg", "raw/y.jpg")
    )
    same = ["0" * 64] * 3
    assert near_duplicates(table, same) == [None, None, None]
    assert near_duplicates(table, same, ["incoming", "raw", "raw"]) == [None, "incoming/x.jpg", None]


def test_more_images_than_a_chunk() -> None:
    numbers = np.random.default_rng(0).integers(0, 256, (150, 32), dtype=np.uint8)
    texts = [row.tobytes().hex() for row in numbers]
    learned = [("train", f"a{i}", f"a{i}.jpg") for i in range(150)]
    scored = [("test", f"b{i}", f"b{i}.jpg") for i in range(150)]
    table = make_table(*learned, *scored)
    assert near_duplicates(table, texts + texts[::-1])[150:] == [f"a{i}.jpg" for i in range(150)][::-1]

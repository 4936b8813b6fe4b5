import numpy as np
import pandas as pd
import pytest

from splitpose.validation.leakage import frames_apart, near_duplicate_of


def rows(*people: tuple[str, str, str]) -> pd.DataFrame:
    """Split, group and image of each person."""
    return pd.DataFrame(people, columns=["split", "group", "image"])


def test_frames_apart_is_to_the_closest_frame_that_was_learned_from() -> None:
    table = rows(
        ("train", "film", "film-00000100.jpg"),
        ("train", "film", "film-00000150.jpg"),
        ("val", "film", "film-00000110.jpg"),
        ("test", "film", "film-00000125.jpg"),
        ("test", "film", "film-00000150.jpg"),
        ("test", "film", "film-00000128.jpg"),
        ("test", "other", "other-00000100.jpg"),
        ("test", "film", "film-last.jpg"),
    )
    np.testing.assert_array_equal(frames_apart(table), [np.nan, np.nan, 10, 15, 0, 18, np.nan, np.nan])


@pytest.mark.parametrize(
    ("name", "apart"),
    [("12.jpg", 2), ("a/12", 2), ("v2.x/12.jpg", 2), ("12a.jpg", np.nan), ("1.2/12x", np.nan), ("1" * 16, np.nan)],
)
def test_a_frame_is_the_number_that_a_name_ends_in(name: str, apart: float) -> None:
    table = rows(("test", "film", name), ("train", "film", "14.jpg"))
    np.testing.assert_array_equal(frames_apart(table), [apart, np.nan])


def test_without_scored_rows_nothing_is_apart_or_alike() -> None:
    table = rows(("train", "film", "a1.jpg"), ("train", "film", "a2.jpg"))
    assert frames_apart(table).isna().all()
    assert alike(table, ["0" * 64] * 2) == [None, None]


def alike(
    table: pd.DataFrame, fingerprints: list[str | None], sources: list[str] | None = None
) -> list[str | None]:
    found = near_duplicate_of(
        table, pd.Series(sources or ["raw"] * len(table)), pd.Series(fingerprints, dtype=object)
    )
    return found.tolist()


def test_looks_like_names_the_most_similar_picture_that_was_learned_from() -> None:
    table = rows(
        ("train", "a", "a.jpg"),
        ("train", "b", "b.jpg"),
        ("train", "c", "c.jpg"),
        ("val", "d", "d.jpg"),
        ("test", "e", "e.jpg"),
        ("test", "e", "e.jpg"),
        ("test", "f", "f.jpg"),
        ("test", "g", "g.jpg"),
    )
    none, f6, far = "0" * 64, "f" * 6 + "0" * 58, "f" * 6 + "8" + "0" * 57  # 0, 24 and 25 bits are set
    fingerprints = [none, "f" * 64, None, f6, f6, f6, far, None]
    assert alike(table, fingerprints) == [None, None, None, "a.jpg", "d.jpg", "d.jpg", "d.jpg", None]
    assert alike(table.drop(index=3).reset_index(drop=True), [none, "f" * 64, None, f6, f6, far, None]) == [
        *[None] * 3,
        "a.jpg",
        "a.jpg",
        None,
        None,
    ]


def test_pictures_of_one_group_are_compared_only_across_sources() -> None:
    table = rows(
        ("train", "x.jpg", "incoming/x.jpg"), ("test", "x.jpg", "raw/x.jpg"), ("train", "x.jpg", "raw/y.jpg")
    )
    same = ["0" * 64] * 3
    assert alike(table, same) == [None, None, None]
    assert alike(table, same, ["incoming", "raw", "raw"]) == [None, "incoming/x.jpg", None]


def test_more_pictures_than_are_compared_at_once() -> None:
    numbers = np.random.default_rng(0).integers(0, 256, (150, 32), dtype=np.uint8)
    texts = [row.tobytes().hex() for row in numbers]
    learned = [("train", f"a{i}", f"a{i}.jpg") for i in range(150)]
    scored = [("test", f"b{i}", f"b{i}.jpg") for i in range(150)]
    table = rows(*learned, *scored)
    assert alike(table, texts + texts[::-1])[150:] == [f"a{i}.jpg" for i in range(150)][::-1]

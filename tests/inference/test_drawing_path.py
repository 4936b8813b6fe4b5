from pathlib import Path

from splitpose.inference.drawing_path import drawing_path

OUT = Path("out")


def test_a_drawing_has_its_inputs_name():
    assert drawing_path(OUT, "sub/a.jpg") == OUT / "sub" / "a.jpg"
    assert drawing_path(OUT, "sub/a.avi", ".mp4") == OUT / "sub" / "a.avi.mp4"


def test_long_names_are_shortened_keep_their_suffix_and_remain_different():
    first, second = (drawing_path(OUT, f"sub/{'ä' * 120}{number}.avi", ".mp4") for number in (1, 2))
    assert first != second
    for path in (first, second):
        assert path.parent == OUT / "sub"
        assert path.name.startswith("ä" * 80)
        assert path.suffix == ".mp4"
        assert len(path.name.encode()) <= 200

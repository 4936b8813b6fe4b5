import pytest

from splitpose.errors import InputError
from splitpose.inference.runtime import Runtime


def test_missing_and_other_files_are_reported(tmp_path):
    with pytest.raises(InputError, match=r"x.tflite: no such TFLite file"):
        Runtime(tmp_path / "x.tflite")
    (tmp_path / "x.tflite").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"x.tflite: not a TFLite file that runs here"):
        Runtime(tmp_path / "x.tflite")

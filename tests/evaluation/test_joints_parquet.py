from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from splitpose.annotations import COLUMNS
from splitpose.errors import InputError
from splitpose.evaluation import joints_csv
from splitpose.evaluation.joints_parquet import read
from splitpose.skeleton import INDEX


def test_annotation_table(tmp_path: Path) -> None:
    table = pd.DataFrame({column: [0.1, np.nan] for column in COLUMNS}).assign(id=["007", "b"], image=["x", "y"])
    table.to_parquet(tmp_path / "a.parquet")
    table.to_csv(tmp_path / "a.csv", index=False)
    people, same = read(tmp_path / "a.parquet", "image"), joints_csv.read(tmp_path / "a.csv", "image")
    assert people.format == "Parquet table"
    assert people.ids == same.ids == ["007", "b"]
    assert people.joints[0, INDEX["nose"]].tolist() == [0.1, 0.1]
    np.testing.assert_array_equal(people.joints, same.joints)
    np.testing.assert_array_equal(people.boxes, same.boxes)
    assert people.labels is not None
    assert people.labels.tolist() == ["x", "y"]


def test_errors(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pd.DataFrame({"id": ["a", "a"], "nose_x": [1, 2], "nose_y": [1, 2]}).to_parquet(path)
    with pytest.raises(InputError, match=r"a.parquet, row 2: id 'a' is already in row 1; remove one of the rows"):
        read(path)
    pd.DataFrame({"id": ["a"], "nose_x": [np.inf], "nose_y": [1]}).to_parquet(path)
    with pytest.raises(InputError, match=r"a.parquet, row 1 \(id 'a'\): column 'nose_x' holds 'inf', which is not"):
        read(path)
    path.write_bytes(b"PAR1 truncated")
    with pytest.raises(InputError, match=r"a.parquet: not a readable Parquet file \(.*\); write it again"):
        read(path)

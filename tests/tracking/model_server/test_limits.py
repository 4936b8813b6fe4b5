import pytest

from splitpose.errors import InputError
from splitpose.tracking.model_server.limits import Limits

pytestmark = pytest.mark.unit


def test_a_configuration_changes_some_limits():
    assert Limits.from_config({"max_rows": 3}) == Limits(max_rows=3)
    assert Limits.from_config(None) == Limits.from_config(Limits().to_config()) == Limits()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"rows": 3}, "unknown key 'rows'; use max_rows, max_bytes, max_pixels, max_people"),
        ({"max_rows": 0}, "max_rows is 0; use a positive integer"),
        ({"max_pixels": "12"}, "max_pixels is '12'; use a positive integer"),
        ({"max_bytes": True}, "max_bytes is True; use a positive integer"),
    ],
)
def test_invalid_limits_are_reported(config, message):
    with pytest.raises(InputError, match=f"^model configuration: {message}$"):
        Limits.from_config(config)

import pytest

from splitpose.settings import Profile, load


@pytest.fixture
def profile(repository):
    return load(Profile, repository / "profiles" / "sample.yaml")

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real annotations and pictures beside the repository."""
    folder = REPOSITORY.parent / "shared"
    if not folder.is_dir():
        pytest.skip("no folder `shared` with real annotations and pictures beside the repository")
    return folder


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY

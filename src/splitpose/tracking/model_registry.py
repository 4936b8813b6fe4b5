"""Versions of a profile's model in MLflow's registry: the champion in use, the challenger, and who came before."""

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from splitpose.errors import ExternalServiceError, InputError
from splitpose.files import atomic_file
from splitpose.inference.metadata import require_metadata
from splitpose.tracking.runs import answering, connect, has_store

if TYPE_CHECKING:  # MLflow takes seconds to import
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

CHAMPION, CHALLENGER = "champion", "challenger"
HISTORY = "splitpose.champions"
"""Tag of the registered model: numbers of the champions, e.g. "1 3 2", each in the place of the one before."""
REMEMBERED = 500
"""Champions in that tag; MLflow's databases have 5000 characters for it."""


@dataclass(frozen=True)
class Version:
    """A registered TFLite file: MLflow's number and run, the file's SHA-256, its metadata, and all tags."""

    number: str
    run: str
    sha256: str
    variant: str
    precision: str
    tags: Mapping[str, str]


class Registry:
    """Versions of one profile's model, which MLflow knows as splitpose-<profile>.

    All methods raise OutsideError where MLflow does not answer. Whatever is done twice changes nothing.
    """

    def __init__(self, root: Path, profile: str):
        """The registry of the store that `runs.connect` finds. Nothing is asked yet."""
        self.root = root
        self.name = f"splitpose-{profile}"

    def register(self, run: str, tflite: Path) -> Version:
        """Keep a file as a model of a run, ready to be served, and make it the challenger.

        The same file of the same run is the same version. Raises InputError naming a file that is missing, no
        TFLite file or has no metadata.
        """
        metadata = require_metadata(tflite)
        content = tflite.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        new = Version("", run, sha256, metadata.variant, metadata.precision, {})
        known = [version for version in self.versions() if (version.run, version.sha256) == (run, sha256)]
        if not known or not self._is_whole(known[0]):
            self._log(new, content)
        version = known[0] if known else self._create(new)
        self._point(CHALLENGER, version)
        return version

    def champion(self) -> Version | None:
        """The version in use, None where there is none yet."""
        return self._under(CHAMPION)

    def challenger(self) -> Version | None:
        """The version that was registered last, None where there is none yet."""
        return self._under(CHALLENGER)

    def versions(self) -> list[Version]:
        """All versions, the oldest first."""
        if not has_store(self.root):
            return []
        found: list[ModelVersion] = []
        with answering():
            token: str | None = ""
            while token is not None:
                page = self._client.search_model_versions(f"name='{self.name}'", page_token=token or None)
                found += page
                token = page.token or None
        return [_version(one) for one in sorted(found, key=lambda one: int(one.version))]

    def fetch(self, version: Version, folder: Path) -> Path:
        """Put a version's TFLite file into `folder`.

        Raises InputError where the file is gone, broken or another one than was registered.
        """
        if not version.sha256:
            raise InputError(f"{self._called(version)}: was registered without splitpose, so nobody knows its file")
        place, name = f"{_place(version)}/artifacts", _file_name(version)
        with tempfile.TemporaryDirectory() as temporary:
            with answering():
                if f"{place}/{name}" not in self._listed(version.run, place):
                    raise InputError(f"{self._called(version)}: its file is gone from run {version.run}")
                copy = Path(self._client.download_artifacts(version.run, f"{place}/{name}", temporary))
            content = copy.read_bytes()
        if hashlib.sha256(content).hexdigest() != version.sha256:
            raise InputError(f"{self._called(version)}: its file in run {version.run} is broken or another one")
        with atomic_file(folder / name) as beside:
            beside.write_bytes(content)
        return folder / name

    def promote(self, version: Version) -> None:
        """Make a version the champion, and remember whom it replaces."""
        champion = self.champion()
        if champion is None or champion.number != version.number:
            past = [*self._before(), *([champion.number] if champion else [])]
            self._remember([*past, version.number])
            self._point(CHAMPION, version)

    def previous(self) -> Version:
        """Whom the champion replaced, of those that still exist. Raises InputError where there is nobody."""
        before = self._before()
        version = self._numbered(before[-1]) if before else None
        if version is None:
            raise InputError(
                f"{self.name}: no earlier champion to go back to; `splitpose promote` takes any version"
            )
        return version

    def rollback(self) -> Version:
        """Make the one champion whom it replaced; once more goes back one more. Raises InputError as `previous`."""
        before, version = self._before(), self.previous()
        self._point(CHAMPION, version)
        self._remember(before)
        return version

    def tag(self, version: Version, tags: Mapping[str, str]) -> None:
        """Set tags of a version."""
        with answering():
            for key, value in tags.items():
                self._client.set_model_version_tag(self.name, version.number, key, value)

    @cached_property
    def _client(self) -> "MlflowClient":
        return connect(self.root)

    def _model(self) -> "RegisteredModel | None":
        if not has_store(self.root):
            return None
        with answering():
            found = self._client.search_registered_models(f"name='{self.name}'")
        return found[0] if found else None

    def _under(self, alias: str) -> Version | None:
        model = self._model()
        number = model.aliases.get(alias) if model else None
        return self._numbered(str(number)) if number else None

    def _numbered(self, number: str) -> Version | None:
        return next((version for version in self.versions() if version.number == number), None)

    def _point(self, alias: str, version: Version) -> None:
        model = self._model()
        if model is None or str(model.aliases.get(alias)) != version.number:
            with answering():
                self._client.set_registered_model_alias(self.name, alias, version.number)

    def _before(self) -> list[str]:
        """Numbers of the champions before the present one, the latest last, without those that were deleted.

        The alias is what counts: the tag runs ahead of it where a process ended between the two, and does not know
        of aliases that were set elsewhere.
        """
        model = self._model()
        if model is None:
            return []
        exist = {version.number for version in self.versions()}
        numbers = [number for number in model.tags.get(HISTORY, "").split() if number in exist]
        history = [number for number, _ in groupby(numbers)]
        champion = str(model.aliases.get(CHAMPION))
        if champion not in history:
            return history
        return history[: len(history) - 1 - history[::-1].index(champion)]

    def _remember(self, numbers: list[str]) -> None:
        with answering():
            self._client.set_registered_model_tag(self.name, HISTORY, " ".join(numbers[-REMEMBERED:]))

    def _log(self, version: Version, content: bytes) -> None:
        from splitpose.tracking.model_server.save import save

        with tempfile.TemporaryDirectory() as temporary:
            file = Path(temporary) / _file_name(version)
            file.write_bytes(content)
            folder = Path(temporary) / "model"
            with answering():
                save(file, folder)
                self._client.log_artifacts(version.run, str(folder), _place(version))

    def _create(self, version: Version) -> Version:
        tags = {f"splitpose.{key}": getattr(version, key) for key in ("sha256", "variant", "precision")}
        model = self._model()
        with answering():
            if model is None:
                self._client.create_registered_model(self.name)
            source = f"runs:/{version.run}/{_place(version)}"
            return _version(self._client.create_model_version(self.name, source, version.run, tags))

    def _is_whole(self, version: Version) -> bool:
        with tempfile.TemporaryDirectory() as temporary:
            try:
                self.fetch(version, Path(temporary))
            except ExternalServiceError:
                raise
            except InputError:
                return False
        return True

    def _listed(self, run: str, place: str) -> set[str]:
        """Paths of a run's files in a folder; none where run or folder are gone."""
        from mlflow.exceptions import MlflowException

        try:
            return {file.path for file in self._client.list_artifacts(run, place)}
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return set()
            raise

    def _called(self, version: Version) -> str:
        return f"{self.name}, version {version.number}"


def _version(found: "ModelVersion") -> Version:
    """What MLflow knows; a version that was made elsewhere has no hash, and cannot be fetched."""
    tags = dict(found.tags)
    sha256, variant, precision = (tags.get(f"splitpose.{key}", "") for key in ("sha256", "variant", "precision"))
    return Version(str(found.version), found.run_id or "", sha256, variant, precision, tags)


def _place(version: Version) -> str:
    """Folder of a run's files that has the model; the same for the same file."""
    return f"serving/{version.sha256[:12]}"


def _file_name(version: Version) -> str:
    return f"{version.variant}-{version.precision}.tflite"

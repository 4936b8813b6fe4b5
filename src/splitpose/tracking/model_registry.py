"""MLflow's model registry: the versions of a profile's model; aliases are champion, challenger and reference."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from splitpose.data.training_groups import TrainingGroups
from splitpose.errors import ExternalServiceError, InputError
from splitpose.files import atomic_file
from splitpose.inference.metadata import Metadata, require_metadata
from splitpose.tracking import presentation
from splitpose.tracking.registered_version import RegisteredVersion
from splitpose.tracking.runs import connect, has_store, translated_errors, without_credentials

if TYPE_CHECKING:  # MLflow takes seconds to import
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

CHAMPION, CHALLENGER, REFERENCE = "champion", "challenger", "reference"
"""Aliases of the registered model."""
REFERENCE_NUMBER = "splitpose.reference"
"""Tag of the registered model: the number of the reference, which MLflow does not remember if it is deleted."""
HISTORY = "splitpose.champions"
"""Tag of the registered model: the version numbers of all champions in order, e.g. "1 3 2"."""
MAX_HISTORY = 500
"""Maximum number of champions in the tag HISTORY, which MLflow's databases limit to MAX_TAG characters."""
WEIGHTS = "splitpose.weights_sha256"
"""Tag of a version: the hash of its Keras weights file; versions of earlier releases do not have it."""
TRAINING_GROUPS = "splitpose.training_groups"
"""Tag of a version: a summary of the groups that it was trained on."""
RECORD = "splitpose.training_groups_json"
"""Tag of a version: the record of these groups, unless it is longer than MAX_TAG; the file contains it, too."""
MAX_TAG = 5000
"""Maximum number of characters of a tag in MLflow's databases."""


class ModelRegistry:
    """The registered model splitpose-<profile> and its versions.

    All methods raise ExternalServiceError if MLflow fails. Repeating a call changes nothing.
    """

    def __init__(self, root: Path, profile: str):
        """Use the store that `runs.connect` selects. Nothing is read yet."""
        self.root = root
        self.name = f"splitpose-{profile}"

    def register(self, run: str, tflite: Path, weights: Path) -> RegisteredVersion:
        """Register a TFLite file as a model of a run, ready to be served, and make it the challenger.

        Registering the same file of the same run again returns the same version, and restores its files if they are
        missing or damaged.

        Args:
            run: the id of the run.
            tflite: the file, with metadata.
            weights: the Keras weights that it was converted from; they are stored next to it.

        Raises:
            InputError: a file is missing, the first is not a TFLite file or has no valid metadata, or it was
                converted from other weights.
        """
        metadata = require_metadata(tflite)
        sha256 = _sha256(tflite)
        if not weights.is_file():
            raise InputError(f"{weights}: no such weights file; train the model again")
        if metadata.weights_sha256 != _sha256(weights):
            raise InputError(f"{weights}: {tflite} was converted from other weights; convert the model again")
        try:
            tags = _tags(metadata) | {"splitpose.sha256": sha256}
        except InputError as error:
            raise InputError(f"{tflite}: {error}; convert the model again") from error
        new = RegisteredVersion("", run, sha256, metadata.variant, metadata.precision, tags)
        same = (version for version in self.versions() if (version.run, version.sha256) == (run, sha256))
        version = next(same, None)
        if version is None or not self._is_intact(version):
            self._log_model(new, tflite, weights)
        if version is None:
            version = self._create(new)
        elif missing := {key: value for key, value in new.tags.items() if version.tags.get(key) != value}:
            self.set_tags(version, missing)
            version = replace(version, tags={**version.tags, **missing})
        self._set_alias(CHALLENGER, version)
        return version

    def champion(self) -> RegisteredVersion | None:
        """Return the champion, None if there is none yet or if it was deleted."""
        return self._by_alias(CHAMPION)

    def deleted_champion(self) -> str | None:
        """Return the number of the champion if its version or its alias was deleted, else None."""
        model = self._registered_model()
        history = model.tags.get(HISTORY, "").split() if model else []
        return history[-1] if history and self.champion() is None else None

    def reference(self) -> RegisteredVersion | None:
        """Return the fixed version that challengers are compared with, None if there is none or it was deleted."""
        return self._by_alias(REFERENCE)

    def deleted_reference(self) -> str | None:
        """Return the number of the reference if its version or its alias was deleted, else None."""
        model = self._registered_model()
        number = model.tags.get(REFERENCE_NUMBER) if model else None
        return number if number and self.reference() is None else None

    def set_reference(self, version: RegisteredVersion) -> None:
        """Make a version the reference, and remember its number."""
        # In this order, an interruption cannot look like a deletion.
        self._set_alias(REFERENCE, version)
        model = self._registered_model()
        if model is None or model.tags.get(REFERENCE_NUMBER) != version.number:
            with translated_errors():
                self._client.set_registered_model_tag(self.name, REFERENCE_NUMBER, version.number)

    def challenger(self) -> RegisteredVersion | None:
        """Return the version that was registered last, None if there is none yet."""
        return self._by_alias(CHALLENGER)

    def versions(self) -> list[RegisteredVersion]:
        """Return all versions in ascending order of their numbers."""
        if not has_store(self.root):
            return []
        versions: list[ModelVersion] = []
        with translated_errors():
            token: str | None = ""
            while token is not None:
                page = self._client.search_model_versions(f"name='{self.name}'", page_token=token or None)
                versions += page
                token = page.token or None
        return [_from_mlflow(version) for version in sorted(versions, key=lambda version: int(version.version))]

    def download(self, version: RegisteredVersion, folder: Path) -> Path:
        """Download a version's TFLite file into `folder`, and return its path.

        Raises:
            InputError: the file is missing or damaged, or it is not the one that was registered.
        """
        if not version.sha256:
            raise InputError(
                f"{self._label(version)}: was not registered by splitpose, so its file cannot be identified"
            )
        return self._download(version, _file_name(version), version.sha256, folder)

    def file_location(self, version: RegisteredVersion) -> str:
        """Return the path or URI of a version's TFLite file, without credentials; the file may be missing."""
        return self._place(version, _file_name(version))

    def download_weights(self, version: RegisteredVersion, folder: Path) -> Path:
        """Download a version's Keras weights into `folder`, and return their path.

        Raises:
            InputError: the version has none, because an earlier release registered it; or they are missing or
                damaged, or not the ones that were registered.
        """
        sha256 = version.tags.get(WEIGHTS)
        if not sha256:
            raise InputError(
                f"{self._label(version)}: has no Keras weights, because an earlier release registered it; "
                "start from a version that was registered later, or from scratch"
            )
        return self._download(version, _weights_name(version), sha256, folder)

    def promote(self, version: RegisteredVersion) -> None:
        """Make a version the champion, and add it to the history of champions."""
        champion = self.champion()
        if champion and champion.number == version.number:
            return
        earlier = [*self._earlier_champions(), *([champion.number] if champion else [])]
        if not earlier:
            self._set_alias(CHAMPION, version)  # first, so that an interruption does not look like a deletion
        self._save_history([*earlier, version.number])
        self._set_alias(CHAMPION, version)
        self.mark_champions()

    def previous_champion(self) -> RegisteredVersion:
        """Return the latest earlier champion that still exists. Raises InputError if there is none."""
        earlier = self._earlier_champions()
        version = self._by_number(earlier[-1]) if earlier else None
        if version is None:
            raise InputError(f"{self.name}: there is no earlier champion; `splitpose promote` accepts any version")
        return version

    def rollback(self) -> RegisteredVersion:
        """Make the previous champion the champion again, and return it.

        A second rollback restores the champion before that one.

        Raises:
            InputError: there is no earlier champion.
        """
        earlier, version = self._earlier_champions(), self.previous_champion()
        self._set_alias(CHAMPION, version)
        self._save_history(earlier)
        self.mark_champions()
        return version

    def mark_champions(self) -> None:
        """Mark the present and former champions and their runs by a tag, for MLflow's tables."""
        champion = self.champion()
        numbers = [*self._earlier_champions(), *([champion.number] if champion else [])]
        with translated_errors():
            presentation.mark_champions(self._client, self.name, self.versions(), numbers)

    def set_tags(self, version: RegisteredVersion, tags: Mapping[str, str]) -> None:
        """Set tags of a version."""
        with translated_errors():
            for key, value in tags.items():
                self._client.set_model_version_tag(self.name, version.number, key, value)

    @cached_property
    def _client(self) -> "MlflowClient":
        return connect(self.root)

    def _registered_model(self) -> "RegisteredModel | None":
        """Return MLflow's registered model, None if it does not exist yet."""
        if not has_store(self.root):
            return None
        with translated_errors():
            models = self._client.search_registered_models(f"name='{self.name}'")
        return models[0] if models else None

    def _by_alias(self, alias: str) -> RegisteredVersion | None:
        model = self._registered_model()
        number = model.aliases.get(alias) if model else None
        return self._by_number(str(number)) if number else None

    def _by_number(self, number: str) -> RegisteredVersion | None:
        return next((version for version in self.versions() if version.number == number), None)

    def _set_alias(self, alias: str, version: RegisteredVersion) -> None:
        model = self._registered_model()
        if model is None or str(model.aliases.get(alias)) != version.number:
            with translated_errors():
                self._client.set_registered_model_alias(self.name, alias, version.number)

    def _earlier_champions(self) -> list[str]:
        """Return the numbers of all champions before the present one, the latest last, without deleted versions.

        The alias is authoritative: the tag is ahead of it if a process ended between setting the two, and it does
        not contain aliases that were set elsewhere.
        """
        model = self._registered_model()
        if model is None:
            return []
        present = {version.number for version in self.versions()}
        numbers = [number for number in model.tags.get(HISTORY, "").split() if number in present]
        history = [number for number, _ in groupby(numbers)]
        champion = str(model.aliases.get(CHAMPION))
        if champion not in history:
            return history
        return history[: len(history) - 1 - history[::-1].index(champion)]

    def _save_history(self, numbers: list[str]) -> None:
        with translated_errors():
            self._client.set_registered_model_tag(self.name, HISTORY, " ".join(numbers[-MAX_HISTORY:]))

    def _download(self, version: RegisteredVersion, name: str, sha256: str, folder: Path) -> Path:
        """Download one of the version's files into `folder`.

        Raises:
            InputError: the file is missing or has another hash.
        """
        label = self._label(version)
        artifact_path = f"{_artifact_path(version)}/artifacts"
        with tempfile.TemporaryDirectory() as temporary:
            with translated_errors():
                if f"{artifact_path}/{name}" not in self._list_artifacts(version.run, artifact_path):
                    place = self._place(version, name)
                    raise InputError(f"{label}: its file is missing from run {version.run} (expected: {place})")
                copy = self._client.download_artifacts(version.run, f"{artifact_path}/{name}", temporary)
            content = Path(copy).read_bytes()
        if hashlib.sha256(content).hexdigest() != sha256:
            place = self._place(version, name)
            raise InputError(f"{label}: its file in run {version.run} is damaged or was replaced ({place})")
        with atomic_file(folder / name) as temporary_file:
            temporary_file.write_bytes(content)
        return folder / name

    def _place(self, version: RegisteredVersion, name: str) -> str:
        """Return where a file of the version should be, as text without credentials."""
        from mlflow.exceptions import MlflowException

        path = f"{_artifact_path(version)}/artifacts/{name}"
        try:
            uri = self._client.get_run(version.run).info.artifact_uri
        except MlflowException:  # the run does not exist
            return path
        return without_credentials(f"{uri}/{path}").removeprefix("file://")

    def _log_model(self, version: RegisteredVersion, tflite: Path, weights: Path) -> None:
        """Log the file as an MLflow model to the version's run, with the weights next to it."""
        from splitpose.tracking.model_server.save import save

        with tempfile.TemporaryDirectory() as temporary:
            file = Path(temporary) / _file_name(version)
            shutil.copyfile(tflite, file)
            folder = Path(temporary) / "model"
            with translated_errors():
                save(file, folder)
                shutil.copyfile(weights, folder / "artifacts" / _weights_name(version))
                self._client.log_artifacts(version.run, str(folder), _artifact_path(version))

    def _create(self, version: RegisteredVersion) -> RegisteredVersion:
        """Create the version in MLflow; the registered model too if it does not exist yet."""
        model = self._registered_model()
        with translated_errors():
            if model is None:
                description = presentation.describe_model(self.name)
                self._client.create_registered_model(self.name, description=description)
            source = f"runs:/{version.run}/{_artifact_path(version)}"
            tags, description = dict(version.tags), presentation.describe_version(version.tags)
            return _from_mlflow(
                self._client.create_model_version(self.name, source, version.run, tags, description=description)
            )

    def _is_intact(self, version: RegisteredVersion) -> bool:
        """Return whether the version's files can be downloaded unchanged."""
        with tempfile.TemporaryDirectory() as temporary:
            try:
                self.download(version, Path(temporary))
                self.download_weights(version, Path(temporary))
            except ExternalServiceError:
                raise
            except InputError:
                return False
        return True

    def _list_artifacts(self, run: str, folder: str) -> set[str]:
        """Return the paths of a run's artifacts in a folder, none if the run or the folder does not exist."""
        from mlflow.exceptions import MlflowException

        try:
            return {file.path for file in self._client.list_artifacts(run, folder)}
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return set()
            raise

    def _label(self, version: RegisteredVersion) -> str:
        return f"{self.name}, version {version.number}"


def _from_mlflow(version: "ModelVersion") -> RegisteredVersion:
    """Convert MLflow's model version; one that was not registered by us has no hash and cannot be downloaded."""
    tags = dict(version.tags)
    sha256, variant, precision = (tags.get(f"splitpose.{key}", "") for key in ("sha256", "variant", "precision"))
    return RegisteredVersion(str(version.version), version.run_id or "", sha256, variant, precision, tags)


def _tags(metadata: Metadata) -> dict[str, str]:
    """Return the tags of a version that its metadata determine."""
    tags = {
        "splitpose.variant": metadata.variant,
        "splitpose.precision": metadata.precision,
        WEIGHTS: metadata.weights_sha256,
    }
    if metadata.training_groups is None:
        return tags | {TRAINING_GROUPS: "unknown"}
    record = json.dumps(metadata.training_groups)
    groups = TrainingGroups.from_json(metadata.training_groups)
    return tags | {TRAINING_GROUPS: groups.summary()} | ({RECORD: record} if len(record) <= MAX_TAG else {})


def _artifact_path(version: RegisteredVersion) -> str:
    """Return the folder of the model in the run's artifacts; it depends on the file's content alone."""
    return f"serving/{version.sha256[:12]}"


def _file_name(version: RegisteredVersion) -> str:
    return f"{version.variant}-{version.precision}.tflite"


def _weights_name(version: RegisteredVersion) -> str:
    return f"{version.variant}.weights.h5"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

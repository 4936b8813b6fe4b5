"""Typed, strict parameters: params.yaml and the profile that it names.

An unknown key or a wrong type ends in one line that names the file and the key.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt, ValidationError

from splitpose.errors import InputError

Fraction = Annotated[float, Field(ge=0, le=1)]
Viewpoint = Literal["observer", "person"]


class Strict(BaseModel):
    """Base of all settings: frozen, no unknown keys, no silent conversion of text to numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class SampleSource(Strict):
    """People rendered on the spot in FLIC's archive layout."""

    kind: Literal["sample"]
    people: Annotated[int, Field(ge=20)]
    films: Annotated[int, Field(ge=5)]
    seed: NonNegativeInt
    viewpoint: Viewpoint


class FlicSource(Strict):
    """FLIC or FLIC-full; `archive` is a local zip, null to download it."""

    kind: Literal["flic"]
    edition: Literal["FLIC", "FLIC-full"]
    archive: str | None
    viewpoint: Viewpoint


class CocoSource(Strict):
    """Own pictures: a COCO keypoints JSON and the folder of its pictures."""

    kind: Literal["coco"]
    annotations: str
    images: str
    min_joints: PositiveInt
    test_fraction: Fraction


Source = Annotated[SampleSource | FlicSource | CocoSource, Field(discriminator="kind")]


class Validation(Strict):
    """How the validation split is cut from the training rows, by group (film or picture)."""

    fraction: Fraction
    seed: NonNegativeInt


class Crops(Strict):
    """Crops around a person and their augmented copies."""

    size: PositiveInt
    around: Literal["joints", "box"]
    margin: PositiveFloat
    copies: PositiveInt
    rotation: Annotated[float, Field(ge=0, le=180)]
    scale: tuple[PositiveFloat, PositiveFloat] = Field(strict=False)
    shift: Fraction
    mirror: Fraction
    brightness: Fraction
    seed: NonNegativeInt
    shards: PositiveInt


class Model(Strict):
    """What all variants share."""

    width: PositiveFloat
    trunk: str
    batchnorm_momentum: Fraction
    split: Literal["sliced", "shared"]


class Phase(Strict):
    """One of the two training phases."""

    iterations: PositiveInt
    learning_rate: PositiveFloat
    warm_up: NonNegativeInt
    schedule: Literal["plateau", "cosine"]


class Training(Strict):
    """Both training phases and what they share."""

    batch: PositiveInt
    seed: NonNegativeInt
    evaluate_every: PositiveInt
    plateau_patience: PositiveInt
    average_decay: Fraction
    heatmap_width: PositiveFloat
    frozen: Phase
    fine_tune: Phase


class Scoring(Strict):
    """The PCK protocol."""

    thresholds: tuple[PositiveFloat, ...] = Field(strict=False)
    torso: Literal["lsho-rhip", "rsho-lhip"]
    resamples: PositiveInt
    seed: NonNegativeInt

    @property
    def torso_joints(self) -> tuple[str, str]:
        """The two joints of the torso diameter."""
        start, end = self.torso.split("-")
        return start, end


class Conversion(Strict):
    """TFLite conversion."""

    calibration_crops: PositiveInt
    seed: NonNegativeInt


class Benchmark(Strict):
    """Latency on a target device."""

    target: Literal["local"]
    threads: PositiveInt
    warm_up_runs: PositiveInt
    runs: PositiveInt


class Profile(Strict):
    """One file under profiles/: all numbers of a run."""

    source: Source
    validation: Validation
    crops: Crops
    model: Model
    training: Training
    scoring: Scoring
    conversion: Conversion
    benchmark: Benchmark


class PhaseOverride(Strict):
    """What one variant may set differently in a phase."""

    iterations: PositiveInt | None = None
    learning_rate: PositiveFloat | None = None


class VariantOverride(Strict):
    """What stands behind a variant's name in params.yaml."""

    frozen: PhaseOverride = PhaseOverride()
    fine_tune: PhaseOverride = PhaseOverride()


class Params(Strict):
    """params.yaml: the profile's name and the variants."""

    profile: str
    variants: dict[str, VariantOverride]


MODELS = Path(__file__).parent / "models"

Settings = TypeVar("Settings", bound=Strict)


def load(kind: type[Settings], path: Path) -> Settings:
    """Read a YAML file into settings of `kind`.

    Raises InputError with one line naming the file and the first bad key.
    """
    if not path.is_file():
        known = ", ".join(sorted(other.stem for other in path.parent.glob("*.yaml"))) or "none"
        raise InputError(f"{path}: no such file; files there: {known}")
    try:
        content: Any = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "(the whole file)"
        what = "unknown key" if first["type"] == "extra_forbidden" else first["msg"]
        raise InputError(f"{path}: {key}: {what}") from error


def check(params: Path) -> Params:
    """Read params.yaml and the profile it names, before anything runs on them.

    Raises InputError naming the file and key, also for a variant that has no module.
    """
    settings = load(Params, params)
    load(Profile, params.parent / "profiles" / f"{settings.profile}.yaml")
    for name in settings.variants:
        if not (MODELS / f"{name}.py").is_file():
            raise InputError(f"{params}: variants.{name}: there is no module {name}.py in src/splitpose/models/")
    return settings

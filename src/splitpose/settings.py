"""Typed and strictly validated parameters: params.yaml and the profile that it names.

An unknown key or a value of the wrong type raises InputError with one line that names the file and the key.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from splitpose.errors import InputError, some_of
from splitpose.skeleton import JOINTS
from splitpose.yaml_files import explain_value, read_yaml

Fraction = Annotated[float, Field(ge=0, le=1)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
"""Random seed. Keras takes 32 bits; the limit leaves room for the seeds of repeats (see `repeat_seed`)."""
MinJoints = Annotated[int, Field(ge=1, le=len(JOINTS))]
Viewpoint = Literal["observer", "person"]
Decoding = Literal["argmax", "dark"]
CoordinateLoss = Literal["squared", "huber", "wing"]
RegionFrom = Literal["joints", "bbox"]
JointSplit = Literal["sliced", "shared"]
Precision = Literal["float32", "float16", "int8"]
PRECISIONS: tuple[Precision, ...] = ("float32", "float16", "int8")

SIZE_MULTIPLE = 32
"""The side of a crop must be a multiple of this, because the backbone halves it five times."""

IMAGENET_WIDTHS = (0.25, 0.5, 0.75, 1.0)
"""Width multipliers for which keras.applications provides ImageNet weights of MobileNet."""


RENAMED_KEYS = {
    "crops.around": "crops.region_from",
    "crops.margin": "crops.padding",
    "crops.copies": "crops.copies_per_instance",
    "crops.mirror": "crops.horizontal_flip_prob",
    "crops.people_per_shard": "crops.instances_per_shard",
    "model.width": "model.width_multiplier",
    "model.trunk": "model.backbone_weights",
    "training.batch": "training.batch_size",
    "training.average_decay": "training.ema_decay",
    "training.heatmap_width": "training.heatmap_fwhm",
    "training.evaluate_every": "training.validation_interval",
    "training.frozen.warm_up": "training.frozen.warmup_iterations",
    "training.fine_tune.warm_up": "training.fine_tune.warmup_iterations",
    "scoring.drawn_by": "scoring.bootstrap_cluster",
    "conversion.max_points": "conversion.max_pck_drop",
    "benchmark.warm_up_runs": "benchmark.warmup_runs",
}
"""Keys of earlier versions and their present names, so that the error for an old profile names the new key."""


class Strict(BaseModel):
    """Base class of all settings: immutable; unknown keys and text in place of numbers are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class SampleSource(Strict):
    """Synthetic people, rendered in FLIC's archive layout."""

    kind: Literal["sample"]
    people: Annotated[int, Field(ge=20)]
    films: Annotated[int, Field(ge=5)]
    seed: Seed
    viewpoint: Viewpoint


class FlicSource(Strict):
    """FLIC or FLIC-full; `archive` is a local zip file or an http(s) URL, null for the known URLs."""

    kind: Literal["flic"]
    edition: Literal["FLIC", "FLIC-full"]
    archive: str | None
    viewpoint: Viewpoint


def _as_list(value: Any) -> Any:
    if isinstance(value, str | list):
        return [value] if isinstance(value, str) else value
    raise PydanticCustomError("paths", "Input should be a path or a list of paths")


def _as_splits(value: Any) -> Any:
    if isinstance(value, str | list | dict):
        return value if isinstance(value, dict) else {"train": value}
    raise PydanticCustomError("paths", "Input should be a path, a list of paths, or either of them for each split")


def _renamed(old: str, new: str) -> BeforeValidator:
    """Return a validator that reports the old name of a value with its new one."""

    def check(value: Any) -> Any:
        if value == old:
            raise PydanticCustomError("renamed", f"the value '{old}' was renamed to '{new}'")
        return value

    return BeforeValidator(check)


Paths = Annotated[list[str], Field(min_length=1), BeforeValidator(_as_list)]
"""A path or a list of paths."""


def as_joint_map(value: Any) -> Any:
    """Return the names of a file's keypoints by joint as text, {} for None.

    Raises:
        PydanticCustomError: A joint is unknown, or a name is listed twice.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise PydanticCustomError("joint_map", "Input should be null or a mapping such as {lsho: '6', rsho: '7'}")
    unknown = [str(joint) for joint in value if joint not in JOINTS]
    if unknown:
        raise PydanticCustomError(
            "joint_map", f"unknown joint {some_of(unknown)}; the joints are {', '.join(JOINTS)}"
        )
    names = [str(name) for name in value.values()]
    if any(isinstance(name, bool | dict | list) or name in (None, "") for name in value.values()):
        raise PydanticCustomError("joint_map", "every joint should have the name of a keypoint")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PydanticCustomError("joint_map", f"the name {some_of(twice)} is given to several joints")
    return dict(zip(value, names, strict=True))


JointMap = Annotated[dict[str, str], BeforeValidator(as_joint_map)]
"""Names that keypoints have in a file, by joint, beyond those that are known; null for none."""


class CocoSource(Strict):
    """Annotations of labelling tools, such as COCO keypoints JSONs, and the folders of their images.

    `annotations` is a path, a list of paths, or either of them for each split; `images` is one folder for all
    JSONs, or a list with one folder per JSON, in the order in which the JSONs are listed.
    """

    kind: Literal["coco"]
    annotations: Annotated[dict[Literal["train", "val", "test"], Paths], BeforeValidator(_as_splits)]
    images: Paths
    min_joints: MinJoints
    min_side: NonNegativeFloat
    group: Annotated[str, Field(min_length=1), _renamed("picture", "image")]
    test_fraction: Fraction
    joint_map: JointMap = {}

    @property
    def viewpoint(self) -> Viewpoint:
        """The viewpoint of COCO: left and right are the person's own."""
        return "person"

    @property
    def sets(self) -> list[tuple[str, Path, Path]]:
        """Split ("train" if none is given), JSON and image folder of each JSON, in the order listed."""
        jsons = [(split, Path(path)) for split, paths in self.annotations.items() for path in paths]
        folders = [Path(folder) for folder in self.images]
        folders = folders * len(jsons) if len(folders) == 1 else folders
        return [(split, path, folder) for (split, path), folder in zip(jsons, folders, strict=True)]

    @model_validator(mode="after")
    def _check_consistency(self) -> "CocoSource":
        jsons = [path for paths in self.annotations.values() for path in paths]
        if "train" not in self.annotations:
            raise PydanticCustomError("paths", "annotations: the split `train` is missing")
        if len(set(jsons)) < len(jsons):
            raise PydanticCustomError("paths", "annotations: a file is listed twice")
        if len(self.images) not in (1, len(jsons)):
            counts = f"{len(self.images)} folders for {len(jsons)} annotation files"
            raise PydanticCustomError("paths", f"images: {counts}; give one folder for all files, or one per file")
        return self


Source = Annotated[SampleSource | FlicSource | CocoSource, Field(discriminator="kind")]


class Incoming(Strict):
    """Instances in data/incoming/: which are skipped, and how they are divided into splits."""

    min_joints: MinJoints
    min_side: PositiveFloat
    group: Annotated[str, Field(min_length=1)]
    validation_fraction: Fraction
    test_fraction: Fraction
    joint_map: JointMap = {}


class Validation(Strict):
    """Share of the training groups (film or image) that forms the validation split."""

    fraction: Fraction
    seed: Seed


def _key_error(key: str, problem: str) -> PydanticCustomError:
    """Return the error of a key below the one that is validated, for example "scale" of crops."""
    return PydanticCustomError("key", f"{key}: {problem}")


def _check_size(size: int) -> int:
    if size % SIZE_MULTIPLE:
        lower = size - size % SIZE_MULTIPLE
        near = f"{lower} or {lower + SIZE_MULTIPLE}" if lower else str(SIZE_MULTIPLE)
        raise PydanticCustomError("size", f"{size} is not a multiple of {SIZE_MULTIPLE}; use {near}")
    return size


class Crops(Strict):
    """Crops of person instances and their augmented copies."""

    size: Annotated[PositiveInt, AfterValidator(_check_size)]
    region_from: Annotated[RegionFrom, _renamed("box", "bbox")]
    padding: PositiveFloat
    copies_per_instance: PositiveInt
    rotation: Annotated[float, Field(ge=0, le=180)]
    scale: tuple[PositiveFloat, PositiveFloat] = Field(strict=False)
    shift: Fraction
    horizontal_flip_prob: Fraction
    brightness: Fraction
    seed: Seed
    instances_per_shard: PositiveInt

    @model_validator(mode="after")
    def _check_scale(self) -> "Crops":
        if self.scale[0] > self.scale[1]:
            raise _key_error(
                "scale", f"{self.scale[0]:g} to {self.scale[1]:g} is not a range; write the lower end first"
            )
        return self


class Model(Strict):
    """Model parameters that all variants share."""

    width_multiplier: Annotated[float, Field(ge=0.05)]
    """At a smaller width, `final` has fewer channels than joints."""
    backbone_weights: str
    initial_weights: str | None
    batchnorm_momentum: Fraction
    split: JointSplit
    decoding: Decoding

    @property
    def uses_backbone_weights(self) -> bool:
        """Whether training may start from backbone_weights: always, unless initial_weights names a file."""
        return self.initial_weights in (None, "champion")

    @model_validator(mode="after")
    def _check_imagenet_width(self) -> "Model":
        is_published = self.width_multiplier in IMAGENET_WIDTHS
        if self.backbone_weights == "imagenet" and self.uses_backbone_weights and not is_published:
            widths = ", ".join(map(str, IMAGENET_WIDTHS))
            raise _key_error(
                "backbone_weights",
                f"imagenet: weights exist for the widths {widths}, not for model.width_multiplier "
                f"{self.width_multiplier}; use one of these, or random",
            )
        return self


class Phase(Strict):
    """One of the two training phases."""

    iterations: PositiveInt
    learning_rate: PositiveFloat
    warmup_iterations: NonNegativeInt
    schedule: Literal["plateau", "cosine"]


class Training(Strict):
    """The training phases and the parameters they share."""

    repeats: PositiveInt
    batch_size: PositiveInt
    seed: Seed
    validation_interval: PositiveInt
    plateau_patience: PositiveInt
    ema_decay: Fraction
    heatmap_fwhm: PositiveFloat
    coordinate_loss: CoordinateLoss
    devices: PositiveInt
    mixed_precision: bool
    frozen: Phase
    fine_tune: Phase
    warm_start: Phase

    @model_validator(mode="after")
    def _check_shares_of_batch(self) -> "Training":
        if self.batch_size % self.devices:
            raise _key_error(
                "batch_size",
                f"{self.batch_size} crops cannot be divided evenly between {self.devices} training.devices",
            )
        return self


class Scoring(Strict):
    """The PCK protocol and its bootstrap."""

    thresholds: tuple[PositiveFloat, ...] = Field(strict=False)
    torso: Literal["lsho-rhip", "rsho-lhip"]
    flip_test: bool
    bootstrap_cluster: Literal["id", "image", "group"]
    resamples: PositiveInt
    seed: Seed

    @model_validator(mode="after")
    def _check_main_threshold(self) -> "Scoring":
        if 0.2 not in self.thresholds:
            raise PydanticCustomError(
                "thresholds", "thresholds: 0.2 must be one of them, because the tables show it"
            )
        return self

    @property
    def torso_joints(self) -> tuple[str, str]:
        """The two joints between which the torso diameter is measured."""
        start, end = self.torso.split("-")
        return start, end


class MaxPckDrop(Strict):
    """Points of mean PCK@0.2 by which a TFLite file may differ from its Keras model."""

    float16: NonNegativeFloat
    int8: NonNegativeFloat


class Conversion(Strict):
    """TFLite conversion and its limits."""

    calibration_crops: PositiveInt
    seed: Seed
    max_difference: NonNegativeFloat
    max_pck_drop: MaxPckDrop


class PersonDetection(Strict):
    """Calibration of the confidence that distinguishes images with people from images without.

    `background_images` is a folder of images without people, None to render them.
    """

    images: PositiveInt
    seed: Seed
    background_images: str | None


class Benchmark(Strict):
    """Latency on a target device: "local", "ssh://user@host[:port][/path/of/python]", "adb[:serial]", "browser"."""

    target: Annotated[str, Field(pattern=r"^(local|ssh://\S+|adb(:\S+)?|browser(:\S+)?)$")]
    threads: Annotated[list[PositiveInt], Field(min_length=1)]
    warmup_runs: PositiveInt
    runs: PositiveInt


class Gate(Strict):
    """Conditions that a model must meet to become champion; null means no limit."""

    variant: str
    precision: Precision
    max_loss: NonNegativeFloat
    min_above_mean_pose: float
    max_slice_loss: NonNegativeFloat
    max_parity_loss: NonNegativeFloat
    max_p95_ratio: PositiveFloat
    max_p95_ms: PositiveFloat | None
    max_size_ratio: PositiveFloat
    max_bytes: PositiveInt | None
    min_instances: PositiveInt


class Retraining(Strict):
    """How the flow `retrain` chooses the weights that training starts from."""

    full_every: PositiveInt


class Profile(Strict):
    """One file under profiles/: all parameters of a run."""

    source: Source
    incoming: Incoming
    validation: Validation
    crops: Crops
    model: Model
    training: Training
    scoring: Scoring
    conversion: Conversion
    person_detection: PersonDetection
    benchmark: Benchmark
    gate: Gate
    retraining: Retraining

    @model_validator(mode="after")
    def _check_drawn_splits(self) -> "Profile":
        source = self.source
        fractions = {"validation.fraction": self.validation.fraction}
        if isinstance(source, CocoSource):
            fractions = fractions if "val" not in source.annotations else {}
            fractions |= {"source.test_fraction": source.test_fraction} if "test" not in source.annotations else {}
        for key, fraction in fractions.items():
            if fraction in (0, 1):
                raise _key_error(key, f"{fraction:g} leaves a split without people; use a share between 0 and 1")
        return self


class PhaseOverride(Strict):
    """Parameters of a phase that a variant may override."""

    iterations: PositiveInt | None = None
    learning_rate: PositiveFloat | None = None


class VariantOverride(Strict):
    """Parameters that a variant overrides in params.yaml."""

    frozen: PhaseOverride = PhaseOverride()
    fine_tune: PhaseOverride = PhaseOverride()


class Params(Strict):
    """params.yaml: the name of the profile, the repeated training runs and the variants."""

    profile: str
    repeats: Annotated[list[PositiveInt], Field(min_length=1)] = [1]
    """Numbers of the training runs of each variant; each has a random seed of its own (see `repeat_seed`)."""
    variants: dict[str, VariantOverride]

    @model_validator(mode="after")
    def _check_repeats(self) -> "Params":
        if len(set(self.repeats)) < len(self.repeats):
            raise PydanticCustomError("repeats", "repeats: a number is listed twice")
        return self


REPEAT_SEED_STEP = 1_000_000
"""Difference between the random seeds of two consecutive repeats.

The second training phase orders its crops by the seed plus the number of iterations of the first. The step exceeds
any such number, so that no phase of a repeat has the order of crops of another repeat's phase.
"""

Settings = TypeVar("Settings", bound=Strict)


def load(kind: type[Settings], path: Path) -> Settings:
    """Read a YAML file into settings of type `kind`.

    Raises InputError with one line that names the file and the first invalid key.
    """
    if not path.is_file():
        known = ", ".join(sorted(other.stem for other in path.parent.glob("*.yaml"))) or "none"
        raise InputError(f"{path}: no such file; available: {known}")
    content = read_yaml(path)
    if content is None:
        raise InputError(f"{path}: contains no keys; restore the file")
    for old, new in RENAMED_KEYS.items():
        if _has_key(content, old):
            raise InputError(f"{path}: {old}: this key was renamed to {new}")
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "key":
            raise InputError(f"{path}: {key}{'.' if key else ''}{first['msg']}") from error
        raise InputError(f"{path}: {key or '(the whole file)'}: {_problem(first)}") from error


def _problem(error: Any) -> str:
    """Return what is wrong with a key, and the remedy where it is known, given an error of pydantic."""
    if error["type"] == "extra_forbidden":
        return "unknown key"
    return str(error["msg"]) + explain_value(error["input"]) if "_type" in error["type"] else str(error["msg"])


def _has_key(content: Any, dotted: str) -> bool:
    """Return whether nested mappings contain a dotted key."""
    for key in dotted.split("."):
        if not isinstance(content, dict) or key not in content:
            return False
        content = content[key]
    return True


def load_repeats(profile: Path, params: Path) -> list[int]:
    """Read the numbers of the training runs of each variant.

    Raises InputError as `load` does, and if there are not as many as the profile's training.repeats.
    """
    settings = load(Params, params)
    check_repeat_count(settings, params, load(Profile, profile), profile)
    return settings.repeats


def check_repeat_count(settings: Params, params: Path, profile: Profile, path: Path) -> None:
    """Raise InputError if params.yaml does not list as many repeats as the profile at `path` requires."""
    count = profile.training.repeats
    if len(settings.repeats) != count:
        raise InputError(
            f"{params}: repeats: {settings.repeats} differs from training.repeats of {path}, which is {count}; "
            f"set repeats: {list(range(1, count + 1))} in {params}, "
            f"or training.repeats: {len(settings.repeats)} in {path}"
        )


def repeat_seed(seed: int, repeat: int) -> int:
    """Return the random seed of a repeat, given the profile's; the first repeat has the profile's seed."""
    return seed + REPEAT_SEED_STEP * (repeat - 1)


class RunConfig(Strict):
    """Everything that one training run of a variant depends on, resolved from params.yaml and its profile."""

    profile_name: str
    variant: str
    repeat: PositiveInt
    """Number of the training run."""
    profile: Profile
    """The profile with the variant's overrides and the repeat's random seed applied."""

    @classmethod
    def resolve(cls, profile: Path, params: Path, variant: str, repeat: int = 1) -> "RunConfig":
        """Read both files and apply the variant's overrides and the repeat's seed.

        Raises InputError as `load_repeats` does, and for a variant that params.yaml does not list.
        """
        load_repeats(profile, params)
        variants = load(Params, params).variants
        if variant not in variants:
            raise InputError(f"{params}: variants: there is no {variant!r}; available: {', '.join(variants)}")
        settings, override = load(Profile, profile), variants[variant]
        phases = {
            name: getattr(settings.training, name).model_copy(
                update=getattr(override, name).model_dump(exclude_none=True)
            )
            for name in ("frozen", "fine_tune")
        }
        seed = repeat_seed(settings.training.seed, repeat)
        training = settings.training.model_copy(update={**phases, "seed": seed})
        return cls(
            profile_name=profile.stem,
            variant=variant,
            repeat=repeat,
            profile=settings.model_copy(update={"training": training}),
        )

    @property
    def title(self) -> str:
        """The training run in messages: "final", or "final, repeat 2" if each variant is trained several times."""
        return self.variant if self.profile.training.repeats == 1 else f"{self.variant}, repeat {self.repeat}"

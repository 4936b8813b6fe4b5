"""Everything that can be wrong with the settings, found before the first stage runs.

Values and their combinations are checked when settings are loaded (`splitpose.settings`). This module adds what
depends on other files: the modules of the variants and the files, folders and programs that the profile names.
"""

import ast
from pathlib import Path
from typing import Any

from splitpose.errors import InputError
from splitpose.settings import CocoSource, FlicSource, Params, Profile, check_repeat_count, load

VARIANTS = Path(__file__).parents[1] / "models" / "variants"


def check(params: Path) -> Params:
    """Read params.yaml and the profile that it names, and verify that the stages will accept them.

    Relative paths are those of the stages, which run in the folder of params.yaml.

    Raises:
        InputError: one line that names the file, the key and the remedy.
    """
    settings = load(Params, params)
    path = params.parent / "profiles" / f"{settings.profile}.yaml"
    profile = load(Profile, path)
    _check_variants(settings, params)
    check_repeat_count(settings, params, profile, path)
    try:
        _check_gate(profile)
        _check_backbone(profile, settings)
        _check_source(profile, params.parent)
        _check_weights(profile, params.parent)
        _check_background_images(profile, params.parent)
        _check_target(profile)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return settings


def variant_constants(name: str) -> dict[str, Any] | None:
    """Return the constants of a variant's module, which is not imported because Keras takes seconds; None without.

    A module without the constant CODEC is not a variant.
    """
    path = VARIANTS / f"{name}.py"
    if not name.isidentifier() or not path.is_file():
        return None
    constants: dict[str, Any] = {}
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=key)], value=value)
                | ast.AnnAssign(target=ast.Name(id=key), value=value)
            ):
                constants[key] = value.value if isinstance(value, ast.Constant) else None
    return constants if "CODEC" in constants else None


def list_variants() -> list[str]:
    """Return the names of all variants."""
    return sorted(path.stem for path in VARIANTS.glob("*.py") if variant_constants(path.stem))


def _check_variants(settings: Params, params: Path) -> None:
    for name in settings.variants:
        if variant_constants(name) is None:
            raise InputError(
                f"{params}: variants.{name}: there is no module {name}.py with a variant in "
                f"src/splitpose/models/variants/; available: {', '.join(list_variants())}"
            )


def _check_gate(profile: Profile) -> None:
    # It need not be in params.yaml: only the flow `retrain` requires that, and reports it.
    if variant_constants(profile.gate.variant) is None:
        raise InputError(
            f"gate.variant: {profile.gate.variant} is not a variant; available: {', '.join(list_variants())}"
        )


def _check_backbone(profile: Profile, settings: Params) -> None:
    if profile.model.backbone_weights != "imagenet" or not profile.model.uses_backbone_weights:
        return
    for name in settings.variants:
        if (variant_constants(name) or {}).get("HAS_IMAGENET_WEIGHTS") is False:
            raise InputError(
                f"model.backbone_weights: there are no ImageNet weights for the variant {name}; use random, or "
                "remove the variant"
            )


def _check_source(profile: Profile, root: Path) -> None:
    match profile.source:
        case CocoSource(sets=sets):
            for _, annotations, images in sets:
                if not (root / annotations).is_file():
                    raise InputError(f"source.annotations: {annotations}: no such file; correct the path")
                if not (root / images).is_dir():
                    raise InputError(f"source.images: {images}: no such folder; correct the path")
        case FlicSource(archive=str(archive)) if not archive.lower().startswith(("http://", "https://")):
            if not (root / Path(archive).expanduser()).is_file():
                raise InputError(
                    f"source.archive: {archive}: no such file; correct the path, or use null to download it"
                )


def _check_weights(profile: Profile, root: Path) -> None:
    for key, others in {"backbone_weights": ("random", "imagenet"), "initial_weights": (None, "champion")}.items():
        value = getattr(profile.model, key)
        if value not in others and not (root / Path(value).expanduser()).is_file():
            choices = ", ".join(other or "null" for other in others)
            raise InputError(f"model.{key}: {value}: no such file; use {choices} or the path of a weights file")


def _check_background_images(profile: Profile, root: Path) -> None:
    folder = profile.person_detection.background_images
    if folder is None:
        return
    path = root / Path(folder).expanduser()
    if not path.is_dir():
        raise InputError(
            f"person_detection.background_images: {folder}: no such folder; correct the path, or use null"
        )
    from splitpose.export.detection_images import list_images  # imports OpenCV, which most profiles do not need

    list_images(path)


def _check_target(profile: Profile) -> None:
    if profile.benchmark.target == "local":
        return
    from splitpose.benchmark.targets import parse_target  # imports NumPy, which most profiles do not need

    try:
        parse_target(profile.benchmark.target)
    except InputError as error:
        raise InputError(f"benchmark.target: {error}") from error

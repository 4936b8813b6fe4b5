"""validate: merge the annotations of all sources into one validated table; quarantine invalid rows."""

import logging
from dataclasses import replace
from pathlib import Path

import pandas as pd

from splitpose import annotations, paths, validation
from splitpose.data import coco, flic, incoming
from splitpose.data.joint_names import JointNames
from splitpose.data.people import ReadOptions
from splitpose.data.reader_result import ReaderResult, concatenate
from splitpose.data.replacements import replace_people
from splitpose.data.splits import assign_splits
from splitpose.errors import InputError, some_of
from splitpose.files import atomic_folder, write_json
from splitpose.settings import CocoSource, FlicSource, Profile, Source
from splitpose.stages.command import run
from splitpose.tracking.git import git
from splitpose.validation import ValidationResult
from splitpose.yaml_files import parse_yaml

logger = logging.getLogger(__name__)


def validate(profile: Profile, data: Path, out: Path, docs: Path) -> None:
    """Read all sources, assign the splits and validate every row."""
    image_scan = out / paths.IMAGE_SCAN.name
    _check_missing_files(data, out / paths.ANNOTATION_TABLE.name)
    sources, replaced = _read_sources(profile, data)
    result = validation.validate(
        sources.table,
        data,
        data_docs=docs,
        image_scan=pd.read_parquet(image_scan) if image_scan.is_file() else None,
        edition=profile.source.edition if isinstance(profile.source, FlicSource) else None,
    )
    for finding in result.findings:
        logger.warning(f"likely cause: {finding}")
    result.raise_if_failed()
    _check_missing_people(out / paths.ANNOTATION_TABLE.name, result.table, replaced)
    _write(result, sources, len(replaced), out)
    if replaced:
        logger.info(f"{len(replaced):,} rows replaced by corrected ones of the same person and image")
    _log_summary(result, sources, out)


def _check_missing_files(data: Path, table: Path) -> None:
    """Raise InputError if data/incoming/ has fewer files than in git's HEAD, and this is not accepted.

    Only without the table of a previous run, whose people are compared otherwise: in a temporary experiment of DVC,
    for example.
    """
    version = None if table.is_file() else git(data, "show", f"HEAD:./{paths.INCOMING_VERSION.name}")
    if version is None:
        return
    (entry,) = parse_yaml(version, str(paths.INCOMING_VERSION))["outs"]
    count = sum(path.is_file() for path in (data / annotations.INCOMING).rglob("*"))
    if count >= entry["nfiles"] or incoming.fewer_allowed():
        return
    raise InputError(
        f"{paths.INCOMING}: has {count:,} files, but {entry['nfiles']:,} in git's {paths.INCOMING_VERSION}; "
        f"restore them (`dvc checkout {paths.INCOMING}`), or accept fewer ({incoming.ALLOW_FEWER}=1)"
    )


def _check_missing_people(path: Path, table: pd.DataFrame, replaced: dict[str, str]) -> None:
    """Raise InputError if `table` lacks incoming people of the table at `path`, and this is not accepted."""
    if not path.is_file():
        return
    previous = annotations.read(path)
    missing = incoming.missing_people(previous, table, replaced)
    if not missing:
        return
    count, total = sum(missing.values()), incoming.is_incoming(previous).sum()
    jsons = some_of([f"{json} {people:,}" for json, people in missing.items()])
    problem = f"{paths.INCOMING}: {count:,} of the {total:,} people of the previous run are missing ({jsons})"
    if not incoming.fewer_allowed():
        raise InputError(
            f"{problem}; restore the files (`git checkout {paths.INCOMING_VERSION} && dvc checkout "
            f"{paths.INCOMING}`), or accept fewer people (`splitpose retrain --allow-fewer`, or "
            f"{incoming.ALLOW_FEWER}=1 for `dvc repro`)"
        )
    logger.warning(f"{problem}; accepted")


def _read_sources(profile: Profile, data: Path) -> tuple[ReaderResult, dict[str, str]]:
    """Read the profile's source, with all splits, and the instances in data/incoming/.

    Corrected people replace earlier ones; see `Replacements.replaced` for the second value.
    """
    source = profile.source
    base = _read_source(source, data / "raw")
    test_fraction = source.test_fraction if isinstance(source, CocoSource) else None
    table = assign_splits(base.table, profile.validation, test_fraction)
    new = incoming.read(
        data / annotations.INCOMING, data, profile.incoming, source.viewpoint, profile.validation.seed
    )
    results = [replace(base, table=table), *new]
    replacements = replace_people([result.table for result in results], data)
    return replace(concatenate(results), table=replacements.table), replacements.replaced


def _read_source(source: Source, raw: Path) -> ReaderResult:
    if isinstance(source, CocoSource):
        options = ReadOptions(source.min_joints, source.min_side, source.group)
        return coco.read_all(source.sets, raw, options, JointNames(source.joint_map))
    result = flic.read(raw, source.viewpoint)
    return replace(result, table=annotations.prefix_images(result.table, raw.name))


def _write(result: ValidationResult, sources: ReaderResult, replaced_rows: int, out: Path) -> None:
    with atomic_folder(out) as folder:
        annotations.write(result.table, folder / paths.ANNOTATION_TABLE.name)
        result.quarantine.to_csv(folder / paths.QUARANTINE.name, index=False)
        result.warnings.to_csv(folder / paths.WARNINGS.name, index=False)
        result.image_scan.to_parquet(folder / paths.IMAGE_SCAN.name, index=False)
        counts = {"skipped": sources.skipped, "replaced_rows": replaced_rows, "notes": list(sources.notes)}
        summary = result.summary | counts
        write_json(summary, folder / paths.VALIDATION_SUMMARY.name)


def _log_summary(result: ValidationResult, sources: ReaderResult, out: Path) -> None:
    for reason, count in sources.skipped.items():
        logger.info(f"{count:,} annotations skipped: {reason}")
    for note in sources.notes:
        logger.warning(note)
    logger.info(
        f"{len(result.table):,} of {len(sources.table):,} rows passed; "
        f"{result.summary['quarantined_rows']:,} in quarantine ({out / paths.QUARANTINE.name}); "
        f"{result.warnings['id'].nunique():,} with warnings ({out / paths.WARNINGS.name})"
    )


if __name__ == "__main__":
    run(validate)

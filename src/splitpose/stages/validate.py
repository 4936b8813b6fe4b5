"""validate: the annotations of all sources become one checked table; bad rows go to quarantine."""

from pathlib import Path

import pandas as pd

from splitpose import annotations, validation
from splitpose.data import coco, flic, incoming
from splitpose.data.reader_result import Reading, joined
from splitpose.data.splits import cut
from splitpose.files import atomic_folder, write_json
from splitpose.settings import CocoSource, FlicSource, Profile
from splitpose.stages.command import run

LOOKED = "image_scan.parquet"
"""What the checks saw in the pictures. Pictures that did not change since are not decoded again."""


def validate(profile: Profile, data: Path, out: Path, docs: Path) -> None:
    """Read the sources, cut splits by group, check every row."""
    source = profile.source
    base = _read(profile, data / "raw")
    new = incoming.read(data / "incoming", data, profile.incoming, source.viewpoint)
    reading = joined([Reading(_cut(base.table, profile), base.left_out), *new])
    verdict = validation.run(
        reading.table,
        data,
        docs,
        looked=pd.read_parquet(out / LOOKED) if (out / LOOKED).is_file() else None,
        published=source.edition if isinstance(source, FlicSource) else None,
    )
    with atomic_folder(out) as folder:
        annotations.write(verdict.table, folder / "annotations.parquet")
        verdict.quarantine.to_csv(folder / "quarantine.csv", index=False)
        verdict.told.to_csv(folder / "warnings.csv", index=False)
        verdict.looked.to_parquet(folder / LOOKED, index=False)
        write_json(verdict.summary | {"left_out": reading.left_out}, folder / "checks.json")
    for reason, people in reading.left_out.items():
        print(f"{people} people left out: {reason}")
    print(f"{len(verdict.table)} people passed, {verdict.summary['quarantined_rows']} are in quarantine")


def _read(profile: Profile, raw: Path) -> Reading:
    """The people of the profile's source."""
    source = profile.source
    if isinstance(source, CocoSource):
        return coco.read_all(
            source.sets, raw, min_joints=source.min_joints, min_side=source.min_side, group=source.group
        )
    reading = flic.read(raw, source.viewpoint)
    return Reading(annotations.below(reading.table, raw.name), reading.left_out)


def _cut(table: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    """The table with people for tests and for validation; splits that the source gives stay."""
    seed, source = profile.validation.seed, profile.source
    if isinstance(source, CocoSource) and not (table["split"] == "test").any():
        table = cut(table, "test", source.test_fraction, seed, "source.test_fraction")
    if not (table["split"] == "val").any():
        table = cut(table, "val", profile.validation.fraction, seed, "validation.fraction")
    return table


if __name__ == "__main__":
    run(validate)

"""validate: the source's annotations become the checked table; bad rows go to quarantine."""

from pathlib import Path

import pandas as pd

from splitpose import annotations, checks
from splitpose.files import whole_folder, write_json
from splitpose.settings import CocoSource, Profile
from splitpose.sources import coco, flic
from splitpose.sources.split import cut
from splitpose.stages.command import run


def validate(profile: Profile, data: Path, out: Path, docs: Path) -> None:
    """Read the source, cut splits by group, check every row."""
    verdict = checks.run(_read(profile, data / "raw"), data, docs)
    with whole_folder(out) as folder:
        annotations.write(verdict.table, folder / "annotations.parquet")
        verdict.quarantine.to_csv(folder / "quarantine.csv", index=False)
        write_json(verdict.summary, folder / "checks.json")
    print(f"{len(verdict.table)} people passed, {verdict.quarantine['id'].nunique()} are in quarantine")


def _read(profile: Profile, raw: Path) -> pd.DataFrame:
    source = profile.source
    if isinstance(source, CocoSource):
        table = coco.read(raw, source.min_joints)
        table = cut(table, "test", source.test_fraction, profile.validation.seed, "source.test_fraction")
    else:
        table = flic.read(raw, source.viewpoint)
    table = cut(table, "val", profile.validation.fraction, profile.validation.seed, "validation.fraction")
    return annotations.below(table, raw.name)


if __name__ == "__main__":
    run(validate)

"""download: download, copy or render the source's images and annotations, in their original layout."""

import logging
from pathlib import Path

from splitpose.data import coco
from splitpose.data.download import download_archive
from splitpose.data.joint_names import JointNames
from splitpose.data.unpack import unpack
from splitpose.files import atomic_folder
from splitpose.settings import CocoSource, FlicSource, Profile, SampleSource
from splitpose.stages.command import run
from splitpose.synthetic import sample

logger = logging.getLogger(__name__)


def download(profile: Profile, out: Path) -> None:
    """Download, copy or render the source."""
    with atomic_folder(out) as raw:
        match profile.source:
            case SampleSource(people=people, films=films, seed=seed):
                sample.render(raw, people, films, seed, workers=2)
            case FlicSource(edition=edition, archive=archive):
                unpack(download_archive(edition, archive, out.parent / "archives"), edition, raw)
            case CocoSource(sets=sets, joint_map=joint_map):
                for note in coco.copy(sets, raw, JointNames(joint_map)):
                    logger.warning(note)


if __name__ == "__main__":
    run(download)

"""download: the source's pictures and annotations, as its makers lay them out, into data/raw."""

from pathlib import Path

from splitpose.files import whole_folder
from splitpose.settings import CocoSource, FlicSource, Profile, SampleSource
from splitpose.sources import coco, sample
from splitpose.sources.fetch import fetch
from splitpose.sources.unpack import unpack
from splitpose.stages.command import run


def download(profile: Profile, out: Path) -> None:
    """Fetch, copy or render the source."""
    with whole_folder(out) as raw:
        match profile.source:
            case SampleSource(people=people, films=films, seed=seed):
                sample.render(raw, people, films, seed, workers=2)
            case FlicSource(edition=edition, archive=archive):
                unpack(fetch(edition, archive, out.parent / "archives"), edition, raw)
            case CocoSource(sets=sets):
                coco.copy(sets, raw)


if __name__ == "__main__":
    run(download)

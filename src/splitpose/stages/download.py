"""download: the source's pictures and annotations, as its makers lay them out, into data/raw."""

import shutil
from pathlib import Path

from splitpose.errors import InputError
from splitpose.files import whole_folder
from splitpose.settings import CocoSource, FlicSource, Profile, SampleSource
from splitpose.sources import coco, fetch, sample
from splitpose.stages.command import run


def download(profile: Profile, out: Path) -> None:
    """Fetch, copy or render the source."""
    with whole_folder(out) as raw:
        match profile.source:
            case SampleSource(people=people, films=films, seed=seed):
                sample.render(raw, people, films, seed, workers=2)
            case FlicSource(edition=edition, archive=archive):
                path = Path(archive) if archive else fetch.fetch(edition, out.parent / "archives")
                fetch.unpack(path, edition, fetch.SHA256[edition], raw)
            case CocoSource(annotations=annotations, images=images):
                _copy_coco(Path(annotations), Path(images), raw)


def _copy_coco(annotations: Path, images: Path, raw: Path) -> None:
    """Copy the JSON and the pictures that it names; one that is missing is left to the checks."""
    content = coco.load(annotations)
    if not images.is_dir():
        raise InputError(f"source.images: {images}: no such folder of pictures")
    shutil.copyfile(annotations, raw / coco.ANNOTATIONS)
    for picture in content["images"]:
        target = raw / coco.IMAGES / picture["file_name"]
        if target.resolve().is_relative_to(raw.resolve()) and (images / picture["file_name"]).is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(images / picture["file_name"], target)


if __name__ == "__main__":
    run(download)

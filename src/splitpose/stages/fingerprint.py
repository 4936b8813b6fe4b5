"""fingerprint: record the contents of files outside the project, so that stages which use them notice changes.

DVC runs this stage every time. Its outputs are equal as long as the contents are.
"""

import logging
from pathlib import Path

from splitpose.data.fingerprint import FileHashes, fingerprint_folder, fingerprint_source, fingerprint_weights
from splitpose.files import write_json
from splitpose.settings import Profile
from splitpose.stages.command import run

logger = logging.getLogger(__name__)

HASHES = Path(".dvc/tmp/fingerprints.json")
"""Hashes of the last run, in DVC's folder of temporary files."""


def fingerprint(profile: Profile, source: Path, weights: Path, background: Path) -> None:
    """Record the contents of the source's files outside the project, of weights files and of background images."""
    hashes = FileHashes(HASHES)
    source_fingerprint = fingerprint_source(profile.source, hashes)
    weights_fingerprint = fingerprint_weights(profile.model, hashes)
    background_fingerprint = fingerprint_folder(
        profile.person_detection.background_images, "person_detection.background_images", hashes
    )
    hashes.save()
    write_json(source_fingerprint, source)
    write_json(weights_fingerprint, weights)
    write_json(background_fingerprint, background)
    if hashes.count:
        logger.info(
            f"{hashes.count:,} files outside the project; {hashes.read:,} were new or changed and were read"
        )


if __name__ == "__main__":
    run(fingerprint)

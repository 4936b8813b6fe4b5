"""`splitpose predict`: all inputs, one after the other, into one folder."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np

from splitpose.errors import InputError
from splitpose.inference import boxes, inputs, predictions_csv, still_images, videos
from splitpose.inference import pose_model as models
from splitpose.inference.boxes import Person
from splitpose.inference.inputs import Input
from splitpose.inference.pose_model import Model
from splitpose.inference.predict_options import PredictOptions
from splitpose.inference.predictions_csv import Table
from splitpose.inference.video_io import Video
from splitpose.progress import bar
from splitpose.settings import Viewpoint

VIEWPOINTS: dict[Viewpoint, str] = {
    "observer": "left joints are those towards the picture's right, whichever way a person faces",
    "person": "left and right are the person's own",
}
PREDICTIONS = "predictions.csv"
DEFAULT = PredictOptions()


def predict(
    given: Sequence[Path],
    model: Path,
    out: Path,
    box: Sequence[float] | None = None,
    detected: Path | None = None,
    how: PredictOptions = DEFAULT,
    threads: int = 1,
) -> None:
    """Write `out`/predictions.csv and, beside it, every picture and video with its people drawn.

    Args:
        given: pictures, videos, and folders of them.
        model: a TFLite file.
        out: a folder.
        box: x0 y0 x1 y1 px of one person in every input.
        detected: instead, a CSV of boxes; see `boxes.read`.
        how: what is searched, followed, smoothed and drawn.
        threads: of the model.

    Raises InputError where something cannot be done: before anything is written if it concerns all inputs, else
    after all others are done; an input that cannot be used is named when its turn comes.
    """
    cv2.setNumThreads(1)  # reading, looking and drawing have threads of their own
    looking = models.load(model, threads)
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: is no folder; choose another --out")
    found, problems = inputs.gather(given, out)
    people = boxes.everyone(found, None if box is None else boxes.validate_bbox(np.array(box)))
    if detected is not None:
        people, unnamed = boxes.instances_of(boxes.read(detected), found, detected)
        problems += unnamed
    for problem in problems:
        _tell("skipped", problem)
    used = [each for each in found if each in people]
    with predictions_csv.written(out / PREDICTIONS) as rows:
        problems += _pictures([each for each in used if not each.is_video], people, looking, how, out, rows)
        for each in used:
            if each.is_video:
                problems += _video(each, people[each], looking, how, out, rows)
        if not rows.count:
            raise InputError("nothing could be predicted; the inputs are named above")
    print(f"{rows.count} rows: {out / PREDICTIONS}{' and drawings beside it' if how.draw else ''}")
    if looking.card:
        print(VIEWPOINTS[looking.card.viewpoint])
    if problems:
        raise InputError(f"{len(problems)} input(s) could not be used, or not as a whole; they are named above")


def _pictures(
    used: Sequence[Input],
    people: Mapping[Input, Sequence[Person]],
    model: Model,
    how: PredictOptions,
    out: Path,
    rows: Table,
) -> list[str]:
    """Predict pictures; what was wrong."""
    problems = []
    if not used:
        return []
    if how.search and not model.gives_confidence and any(who.box is None for each in used for who in people[each]):
        print(
            "this model gives no confidence, so that nobody is searched by it: without a box it sees whole pictures"
        )
    with bar("pictures") as progress:
        task = progress.add_task("pictures", total=len(used))
        for still in still_images.look_at(used, people, model, how):
            if isinstance(still, str):
                problems.append(_tell("skipped", still))
            else:
                for person, look in still.looks:
                    rows.add(person.id, still.input.name, look.region, look.joints, look.confidence)
                if how.draw:
                    still_images.draw(still, out)
            progress.advance(task)
    return problems


def _video(
    each: Input, people: Sequence[Person], model: Model, how: PredictOptions, out: Path, rows: Table
) -> list[str]:
    """Predict a video; what was wrong."""
    try:
        film = Video(each.path)
        watching = videos.followers(people, film, model, how)
    except InputError as error:
        return [_tell("skipped", f"{each.path}: {str(error).removeprefix(f'{each.path}: ')}")]
    if how.follow and not model.gives_confidence:
        print(f"{each.name}: this model gives no confidence, so that nobody is followed by it")
    began = perf_counter()
    with bar("frames") as progress:
        task = progress.add_task(each.name, total=film.promised)
        for _ in videos.predict(film, each, people, watching, how, out, rows):
            progress.advance(task)
        progress.update(task, total=film.read)
    seconds = perf_counter() - began
    print(f"{each.name}: {film.read} frames, {film.read / seconds:.1f} frames/s")
    missing = film.what_is_missing()
    return [_tell("warning", missing)] if missing else []


def _tell(word: str, problem: str) -> str:
    print(f"{word}: {problem}", file=sys.stderr)
    return problem

"""`splitpose predict`: prediction of all inputs, one after the other, into one folder."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np

from splitpose.crops.bounding_box import validate_bbox
from splitpose.errors import InputError, printable
from splitpose.inference.boxes import InstanceBox, match_inputs, one_instance_per_input, read_boxes
from splitpose.inference.image_prediction import ImageResult, describe_error, predict_images, write_drawing
from splitpose.inference.inputs import InputFile, collect_inputs
from splitpose.inference.person_tracker import PersonTracker
from splitpose.inference.pose_model import PoseModel
from splitpose.inference.predict_options import PredictOptions
from splitpose.inference.predictions_coco import CocoPredictions, check_output
from splitpose.inference.predictions_csv import PredictionsWriter, open_predictions
from splitpose.inference.video_io import Video
from splitpose.inference.video_prediction import VideoOutput, create_trackers, predict_video
from splitpose.progress import bar
from splitpose.settings import Viewpoint

VIEWPOINTS: dict[Viewpoint, str] = {
    "observer": "left joints are those towards the image's right, whichever way a person faces",
    "person": "left and right are the person's own",
}
PREDICTIONS = "predictions.csv"
DEFAULT_OPTIONS = PredictOptions()

Instances = Mapping[InputFile, Sequence[InstanceBox]]


def predict(
    paths: Sequence[Path],
    model: Path,
    out: Path,
    boxes: Sequence[float] | Path | None = None,
    options: PredictOptions = DEFAULT_OPTIONS,
    coco: Path | None = None,
    coco_results: Path | None = None,
) -> None:
    """Write `out`/predictions.csv and every image and video with the predicted poses drawn.

    Args:
        paths: images, videos, and folders of them.
        model: a TFLite file.
        out: the output folder.
        boxes: x0 y0 x1 y1 in px of one person in every input, or a CSV of boxes (see `boxes.read_boxes`).
        options: search, tracking, smoothing, drawing and threads.
        coco: file for the predictions of all images as a COCO keypoints JSON.
        coco_results: file for the same as a list of COCO results.

    Raises:
        InputError: before anything is written if it concerns all inputs, as if several people are searched for with
            a model that has no person threshold; otherwise after all other inputs are done.
            An input that cannot be predicted is reported on the standard error output.
    """
    check_output(coco, "--coco")
    check_output(coco_results, "--coco-results")
    cv2.setNumThreads(1)  # reading, prediction and drawing have threads of their own
    pose_model = PoseModel.load(model, options.threads)
    if options.people > 1:
        _check_person_threshold(pose_model, model, options.people)
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: is not a directory; choose another --out")
    inputs = collect_inputs(paths, out)
    instances, unmatched = _to_instances(inputs.files, boxes)
    if (coco or coco_results) and all(file.is_video for file in instances):
        raise InputError("--coco: none of the inputs is an image, and COCO files contain images only")
    for note in inputs.notes:
        print(note)
    problems = [_report("skipped", problem) for problem in (*inputs.problems, *unmatched)]
    coco_predictions = CocoPredictions(pose_model.metadata.viewpoint if pose_model.metadata else "person")
    with open_predictions(out / PREDICTIONS) as table:
        job = _Job(pose_model, options, out, table, coco_predictions)
        problems += job.predict_images([file for file in instances if not file.is_video], instances)
        for file in instances:
            if file.is_video:
                problems += job.predict_video(file, instances[file])
        if not table.rows:
            raise InputError("no input could be predicted; the reasons are listed above")
    _write_coco(coco_predictions, coco, coco_results, any(file.is_video for file in instances))
    empty = f", {table.empty_rows} of them without a person" if table.empty_rows else ""
    drawings = ", drawings in the same folder" if options.draw else ""
    print(f"{table.rows} rows{empty}: {out / PREDICTIONS}{drawings}")
    if pose_model.metadata:
        print(VIEWPOINTS[pose_model.metadata.viewpoint])
    if problems:
        raise InputError(f"{len(problems)} input(s) could not be predicted completely; they are listed above")


def _write_coco(predictions: CocoPredictions, coco: Path | None, results: Path | None, has_videos: bool) -> None:
    """Write the COCO files that are asked for."""
    if coco:
        predictions.write_dataset(coco)
    if results:
        predictions.write_results(results)
    if paths := [str(path) for path in (coco, results) if path]:
        videos = "; videos are in the CSV only" if has_videos else ""
        print(f"COCO keypoints of the images: {', '.join(paths)}{videos}")


def _check_person_threshold(model: PoseModel, path: Path, people: int) -> None:
    """Raise InputError if the model cannot state how many people an image shows."""
    if model.person_threshold:
        return
    if not model.has_confidence:
        raise InputError(f"{path}: has no confidence output, so it cannot find {people} people; use --boxes")
    raise InputError(
        f"{path}: has no person threshold, so it cannot find {people} people; convert it again, or use --boxes"
    )


def _to_instances(inputs: Sequence[InputFile], boxes: Sequence[float] | Path | None) -> tuple[Instances, list[str]]:
    """Return the instances to predict in each input, and an error message for each input without any."""
    if isinstance(boxes, Path):
        return match_inputs(read_boxes(boxes), inputs, boxes)
    return one_instance_per_input(inputs, None if boxes is None else validate_bbox(np.array(boxes))), []


@dataclass(frozen=True)
class _Job:
    """The model, options and outputs of one `predict`; methods return error messages of inputs that failed."""

    model: PoseModel
    options: PredictOptions
    out: Path
    table: PredictionsWriter
    coco: CocoPredictions

    def predict_images(self, files: Sequence[InputFile], instances: Instances) -> list[str]:
        """Predict images and draw them."""
        problems = []
        if not files:
            return []
        if self._is_searched(instance for file in files for instance in instances[file]):
            self._warn_about_search()
        with bar("images") as progress:
            task = progress.add_task("images", total=len(files))
            for result in predict_images(files, instances, self.model, self.options):
                problems += [_report("skipped", result)] if isinstance(result, str) else self._write_image(result)
                progress.advance(task)
        return problems

    def predict_video(self, file: InputFile, instances: Sequence[InstanceBox]) -> list[str]:
        """Predict a video and draw it."""
        if self.options.people > 1:
            return [
                _report("skipped", f"{file.path}: several people in a video require --boxes with one row for each")
            ]
        frames = 0
        try:
            video = Video(file.path)
            trackers = create_trackers(instances, video, self.model, self.options)
            for _ in self._predict_frames(video, file, trackers):
                frames += 1
        except Exception as error:  # one video must not stop the others, whatever is wrong with it
            problem = describe_error(error, file)
            return [
                _report("warning", f"{problem}; only {frames} frames were predicted")
                if frames
                else _report("skipped", problem)
            ]
        warning = video.damage_warning()
        return [_report("warning", warning)] if warning else []

    def _predict_frames(
        self, video: Video, file: InputFile, trackers: Mapping[str, PersonTracker]
    ) -> Iterator[int]:
        """Predict and draw the frames, print a summary, and yield the number of each completed frame."""
        for note in video.notes:
            print(f"{file.name}: {note}")
        if self.options.track and not self.model.has_confidence:
            print(f"{file.name}: this model has no confidence output, so people are not tracked")
        empty_rows = self.table.empty_rows
        start = perf_counter()
        with bar("frames") as progress:
            task = progress.add_task(file.name, total=video.stated_frames)
            output = VideoOutput(self.out, self.table)
            for number in predict_video(video, file, trackers, self.options, output):
                progress.advance(task)
                yield number
            progress.update(task, total=video.frames_read)
        seconds = perf_counter() - start
        empty = self.table.empty_rows - empty_rows
        no_person = f", no person in {empty} of them" if empty else ""
        print(f"{file.name}: {video.frames_read} frames{no_person}, {video.frames_read / seconds:.1f} frames/s")

    def _write_image(self, result: ImageResult) -> list[str]:
        """Write the rows and the drawing of an image."""
        self.coco.add(result.file.name, result.pixels, result.predictions)
        for id, prediction in result.predictions:
            self.table.add(id, result.file.name, prediction)
        if result.frames > 1:
            print(f"{result.file.name}: has {result.frames} frames or pages; the first is predicted")
        if not any(prediction.region for _, prediction in result.predictions):
            print(f"{result.file.name}: no person")
        problems = []
        if result.warning:
            warning = _report("warning", f"{printable(result.file.path)}: {result.warning}")
            problems += [] if result.has_all_rows else [warning]
        try:
            if self.options.draw:
                write_drawing(result, self.out)
        except (InputError, OSError) as error:
            problems.append(
                _report("warning", f"{describe_error(error, result.file)}; it is predicted but not drawn")
            )
        return problems

    def _is_searched(self, instances: Iterable[InstanceBox]) -> bool:
        """Return whether an instance requires a search."""
        return self.options.sliding_window and any(instance.bbox is None for instance in instances)

    def _warn_about_search(self) -> None:
        """Print what the model lacks for a search."""
        if not self.model.has_confidence:
            print(
                "this model has no confidence output, so images are not searched for a person: "
                "without a box, the whole image is used"
            )
        elif not self.model.person_threshold:
            print("this model has no person threshold, so a person is predicted in every image, even without one")


def _report(level: str, problem: str) -> str:
    print(f"{level}: {problem}", file=sys.stderr)
    return problem

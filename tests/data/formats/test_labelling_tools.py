"""All readers, with exports of the same people."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from support import labelling_tools
from support.labelling_tools import EXPORTS, HEIGHT, PEOPLE, WIDTH, write_json

from splitpose.annotations import BOX_COLUMNS
from splitpose.data.formats import cvat_xml, label_studio, labelme, ultralytics
from splitpose.data.formats.detection import read_annotations
from splitpose.data.joint_names import JointNames
from splitpose.errors import InputError
from splitpose.skeleton import INDEX

NAMES = JointNames()
JOINT_OF = {"nose": "nose", "left_shoulder": "lsho", "right_hip": "rhip"}


@pytest.mark.parametrize("tool", EXPORTS)
def test_every_tool_gives_the_same_people(tmp_path: Path, tool: str) -> None:
    annotations = read_annotations(EXPORTS[tool](tmp_path / "export"), NAMES)
    people = [person for own in PEOPLE.values() for person in own]
    assert len(annotations.people) == len(people)
    assert annotations.people["id"].is_unique and not annotations.people["is_crowd"].any()
    assert annotations.people["image"].tolist() == [0, 0, 1]
    assert annotations.images[["width", "height"]].to_numpy().tolist() == [[WIDTH, HEIGHT]] * 2
    assert [name.rsplit("-")[-1].rsplit("/")[-1] for name in annotations.images["file_name"]] == ["a.jpg", "b.jpg"]
    for index, (points, box) in enumerate(people):
        expected = {JOINT_OF[name]: point for name, point in points.items()}
        for joint, row in INDEX.items():
            np.testing.assert_allclose(annotations.joints[index, row], expected.get(joint, (np.nan, np.nan)))
        # Boxes have pixel corners at integers, the table has pixel centres there.
        np.testing.assert_allclose(annotations.people[BOX_COLUMNS].iloc[index], np.array(box) - 0.5)
    assert annotations.skipped == {}


def joints(annotations, person: int = 0) -> dict[str, tuple[float, float]]:
    """Return the annotated joints of a person."""
    values = annotations.joints[person]
    return {joint: tuple(values[row].tolist()) for joint, row in INDEX.items() if np.isfinite(values[row]).all()}


# CVAT


def write_xml(path: Path, *shapes: str) -> Path:
    image = f'<image id="5" name="sub/a.jpg" subset="train" width="{WIDTH}" height="{HEIGHT}">'
    path.write_text(f"<annotations><version>1.1</version>{image}{''.join(shapes)}</image></annotations>")
    return path


def test_cvat_points_are_grouped_by_group_id(tmp_path: Path) -> None:
    shapes = [f'<points label="{n}" points="{p}" group_id="{g}"/>' for n, p, g in (
        ("nose", "1,2", 1), ("lsho", "3,4", 1), ("nose", "51,2", 2), ("tail", "9,9", 2),
    )]  # fmt: skip
    box = '<box label="x" xtl="50" ytl="0" xbr="60" ybr="9" group_id="2"/>'
    annotations = cvat_xml.read(write_xml(tmp_path / "a.xml", *shapes, box), NAMES)
    assert [joints(annotations, i) for i in (0, 1)] == [{"lsho": (3, 4), "nose": (1, 2)}, {"nose": (51, 2)}]
    assert annotations.people["id"].tolist() == ["5.0", "5.1"]
    assert np.isnan(annotations.people["box_x0"][0]) and annotations.people["box_x0"][1] == 49.5
    assert annotations.images.iloc[0].to_dict() == {
        "subset": "train", "file_name": "sub/a.jpg", "width": WIDTH, "height": HEIGHT,
    }  # fmt: skip
    assert "no known joints: tail" in annotations.notes


def test_cvat_points_without_a_group_are_one_person_or_those_of_the_boxes_around_them(tmp_path: Path) -> None:
    one = ['<points label="nose" points="1,2" group_id="0"/>', '<points label="lsho" points="3,4"/>']
    annotations = cvat_xml.read(write_xml(tmp_path / "a.xml", *one), NAMES)
    assert joints(annotations) == {"lsho": (3, 4), "nose": (1, 2)}
    two = [*one, '<points label="nose" points="51,2"/>']
    annotations = cvat_xml.read(write_xml(tmp_path / "a.xml", *two), NAMES)
    assert len(annotations.people) == 0 and sum(annotations.skipped.values()) == 3
    boxes = [f'<box label="person" xtl="{x}" ytl="0" xbr="{x + 9}" ybr="9"/>' for x in (0, 50)]
    annotations = cvat_xml.read(write_xml(tmp_path / "a.xml", *two, *boxes), NAMES)
    assert [joints(annotations, i) for i in (0, 1)] == [{"lsho": (3, 4), "nose": (1, 2)}, {"nose": (51, 2)}]
    assert annotations.skipped == {}


def test_cvat_points_of_a_shape_are_numbered_for_a_joint_map(tmp_path: Path) -> None:
    path = write_xml(tmp_path / "a.xml", '<points label="person" points="1,2;3,4;5,6"/>')
    with pytest.raises(InputError, match=r"a.xml: no keypoint has the name .*found 1, 2, 3; .*--joint-map"):
        cvat_xml.read(path, NAMES)
    annotations = cvat_xml.read(path, JointNames({"lsho": "2", "nose": "3"}))
    assert joints(annotations) == {"lsho": (3, 4), "nose": (5, 6)}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<annotations><version>1.1</version><image id='0'", "a.xml: damaged or truncated XML ("),
        (
            "<annotations><track label='x'/></annotations>",
            "a.xml: CVAT's format for videos, .*'CVAT for images 1.1'",
        ),
        (
            "<annotations><image name='b.jpg' width='x' height='1'/></annotations>",
            "1 of 1 images: image 'b.jpg': inv",
        ),
        ("<annotations><image name='b.jpg' height='1'/></annotations>", "image 'b.jpg': 'width' is missing"),
        (
            "<annotations><image name='b' width='1' height='1'><points label='nose' points='1;2'/></image>"
            "</annotations>",
            "image 'b': points='1;2' is not a list of x,y",
        ),
    ],
)
def test_a_damaged_cvat_file_is_a_one_line_error(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "a.xml").write_text(content)
    with pytest.raises(InputError, match=message.replace("(", r"\(")) as error:
        cvat_xml.read(tmp_path / "a.xml", NAMES)
    assert "\n" not in str(error.value)


# Label Studio


def task(*regions: dict, **keys: object) -> dict:
    size = {"original_width": WIDTH, "original_height": HEIGHT}
    annotation = {"id": 1, "result": [size | region for region in regions], "was_cancelled": False}
    return {"id": 7, "annotations": [annotation], "data": {"image": "s3://bucket/sub/a%20b.jpg"}} | keys


def keypoint(label: str, x: float, y: float, key: str = "", **keys: object) -> dict:
    value = {"x": x, "y": y, "width": 0.3, "keypointlabels": [label]}
    return {"id": key or label, "type": "keypointlabels", "value": value} | keys


def read_tasks(tmp_path: Path, *tasks: dict):
    return label_studio.read(write_json(tmp_path / "p.json", list(tasks)), NAMES)


def test_label_studio_relations_group_keypoints(tmp_path: Path) -> None:
    relation = {"type": "relation", "from_id": "a", "to_id": "b", "direction": "right"}
    regions = [
        keypoint("nose", 10, 10, "a"),
        keypoint("lsho", 20, 20, "b"),
        relation,
        keypoint("nose", 80, 10, "c"),
    ]
    annotations = read_tasks(tmp_path, task(*regions))
    assert [joints(annotations, i) for i in (0, 1)] == [{"lsho": (20, 16), "nose": (10, 8)}, {"nose": (80, 8)}]
    assert annotations.images["file_name"].tolist() == ["/sub/a b.jpg"]


def test_label_studio_parents_may_be_keypoints(tmp_path: Path) -> None:
    regions = [keypoint("nose", 10, 10, "a"), keypoint("lsho", 20, 20, "b", parentID="a")]
    regions += [keypoint("nose", 80, 10, "c"), keypoint("lsho", 70, 20, "d", parentID="c")]
    annotations = read_tasks(tmp_path, task(*regions))
    assert [joints(annotations, i)["nose"] for i in (0, 1)] == [(10, 8), (80, 8)]


def test_label_studio_reads_the_latest_valid_annotation(tmp_path: Path) -> None:
    def annotation(x: float, updated: str, **keys: object) -> dict:
        return task(keypoint("nose", x, 10))["annotations"][0] | {"updated_at": updated} | keys

    several = [annotation(10, "2024-01-01"), annotation(20, "2024-01-03"), annotation(30, "2024-01-02")]
    several.append(annotation(40, "2024-01-04", was_cancelled=True))
    annotations = read_tasks(tmp_path, task() | {"annotations": several})
    assert joints(annotations) == {"nose": (20, 8)}
    assert annotations.notes[0] == "2 annotations were not read, because their tasks have several"
    several[0]["ground_truth"] = True
    assert joints(read_tasks(tmp_path, task() | {"annotations": several})) == {"nose": (10, 8)}


def test_label_studio_formats_of_earlier_versions_and_other_tags(tmp_path: Path) -> None:
    old = task(keypoint("nose", 10, 10))
    old["completions"] = old.pop("annotations")
    labels = {"id": "l", "type": "labels", "value": {"x": 20, "y": 20, "width": 1, "labels": ["lsho"]}}
    old["completions"][0]["result"].append(old["completions"][0]["result"][0] | labels)
    path = write_json(tmp_path / "348.json", old)  # a single task, as earlier versions wrote
    assert joints(read_annotations(path, NAMES)) == {"nose": (10, 8), "lsho": (20, 16)}


def test_label_studio_rectangles_may_be_rotated(tmp_path: Path) -> None:
    value = {"x": 50, "y": 50, "width": 20, "height": 10, "rotation": 90, "rectanglelabels": ["person"]}
    box = {"id": "r", "type": "rectanglelabels", "value": value}
    annotations = read_tasks(tmp_path, task(keypoint("nose", 45, 55), box))
    # 20 x 8 px at (50, 40), turned clockwise around that corner: from (42, 40) to (50, 60).
    np.testing.assert_allclose(annotations.people[BOX_COLUMNS].iloc[0], [41.5, 39.5, 49.5, 59.5])


@pytest.mark.parametrize(
    ("data", "file_name"),
    [
        ({"image": "/data/local-files/?d=walks%2Fmonday/a.jpg"}, "walks/monday/a.jpg"),
        ({"text": "two people", "photo": "https://x.example/b/a.PNG?token=1"}, "/b/a.PNG"),
        ({"image": "/data/upload/3/5f3c2a10-a.jpg"}, "/data/upload/3/5f3c2a10-a.jpg"),
        ({"image": "folder/without_suffix"}, "folder/without_suffix"),
    ],
)
def test_label_studio_image_paths(tmp_path: Path, data: dict, file_name: str) -> None:
    annotations = read_tasks(tmp_path, task(keypoint("nose", 45, 55), data=data))
    assert annotations.images["file_name"].tolist() == [file_name]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([task(keypoint("nose", "x", 1))], "p.json: 1 of 1 tasks are invalid: task 0: 'x' is not a number"),
        (
            [task() | {"annotations": [], "predictions": [{"result": []}]}],
            r"p.json: no annotated keypoints \(1 tasks w",
        ),
        ([task(keypoint("nariz", 1, 1))], "found nariz; state which joints"),
        (
            [{"id": 1, "annotations": [{"result": [keypoint("nose", 1, 1)]}], "data": {}}],
            "'original_width' is missing",
        ),
    ],
)
def test_invalid_label_studio_tasks_are_a_one_line_error(tmp_path: Path, content: list, message: str) -> None:
    path = write_json(tmp_path / "p.json", content)
    with pytest.raises(InputError, match=message):
        label_studio.read(path, NAMES)
    path.write_text(json.dumps(content)[:-5])
    with pytest.raises(InputError, match=r"p.json: damaged or truncated JSON \("):
        label_studio.read(path, NAMES)


# labelme


def shape(label: str, *points: tuple[float, float], group: int | None = None, kind: str = "point") -> dict:
    return {"label": label, "points": points, "group_id": group, "shape_type": kind, "flags": {}}


def write_labelme(path: Path, *shapes: dict, **keys: object) -> Path:
    content = {"version": "5.4.1", "flags": {}, "shapes": shapes, "imagePath": "a.jpg", "imageData": None}
    return write_json(path, content | {"imageHeight": HEIGHT, "imageWidth": WIDTH} | keys)


def test_labelme_points_without_a_group(tmp_path: Path) -> None:
    points = [
        shape("nose", (1, 2)),
        shape("lsho", (3, 4)),
        shape("outline", (1, 1), (2, 2), (3, 1), kind="polygon"),
    ]
    path = write_labelme(tmp_path / "a.json", *points, imagePath="..\\images\\a.jpg")
    annotations = labelme.read(path, NAMES)
    assert joints(annotations) == {"lsho": (3, 4), "nose": (1, 2)}
    assert annotations.images["file_name"].tolist() == ["../images/a.jpg"]
    annotations = labelme.read(write_labelme(path, *points, shape("nose", (7, 7))), NAMES)
    assert len(annotations.people) == 0 and list(annotations.skipped.values()) == [3]


def test_labelme_sizes_are_read_from_the_image_if_the_file_has_none(tmp_path: Path) -> None:
    path = write_labelme(tmp_path / "a.json", shape("nose", (1, 2)), imageHeight=None, imageWidth=None)
    with pytest.raises(
        InputError, match=r"a.json: imageWidth and imageHeight are missing, and a.jpg is not beside"
    ):
        labelme.read(path, NAMES)
    labelling_tools.write_images(tmp_path, ("a.jpg",))
    assert labelme.read(path, NAMES).images[["width", "height"]].to_numpy().tolist() == [[WIDTH, HEIGHT]]


def test_invalid_labelme_files_are_counted(tmp_path: Path) -> None:
    for name in "abcde":
        write_labelme(tmp_path / f"{name}.json", shape("nose"))
    with pytest.raises(
        InputError, match=r"5 of 5 files are invalid: a.json: shape 'nose' has no points, .* and 2 more"
    ):
        labelme.read(tmp_path, NAMES)


# Ultralytics


def coco17(folder: Path, row: str, yaml: str = "") -> Path:
    labelling_tools.write_images(folder / "train" / "images", ("a.jpg",))
    (folder / "train" / "labels").mkdir()
    (folder / "train" / "labels" / "a.txt").write_text(row)
    (folder / "data.yaml").write_text(
        "train: ../train/images\nkpt_shape: [17, 3]\nnc: 1\nnames: ['person']\n" + yaml
    )
    return folder / "data.yaml"


ROW = "0 0.5 0.5 0.2 0.4 " + " ".join(f"0.{k:02} 0.5 {k % 3}" for k in range(10, 27)) + "\r\n"


def test_seventeen_keypoints_without_names_are_those_of_coco(tmp_path: Path) -> None:
    annotations = ultralytics.read(coco17(tmp_path, ROW), NAMES)
    # COCO's keypoint k is at 0.10 + k/100 of the width; visibility is 0 for k = 2, 5, 8 ...
    expected = {"lelb": 17, "lwri": 19, "rsho": 16, "rwri": 20, "rhip": 22, "reye": None, "leye": 11, "nose": 10}
    assert joints(annotations) == {joint: (x, 40) for joint, x in expected.items() if x}
    assert annotations.images["file_name"].tolist() == ["train/images/a.jpg"]
    assert "data.yaml does not name the 17 keypoints; the order of COCO is assumed" in annotations.notes


def test_keypoints_without_visibility_are_missing_at_the_corner(tmp_path: Path) -> None:
    annotations = read_annotations(labelling_tools.ultralytics(tmp_path / "x", visibility=False), NAMES)
    assert joints(annotations, 2).keys() == {"nose", "lsho"}


def test_other_keypoints_without_names_require_a_joint_map(tmp_path: Path) -> None:
    folder = labelling_tools.ultralytics(tmp_path / "x", names=False)
    with pytest.raises(InputError, match=r"data.yaml: no keypoint has .*; found 0, 1, 2; .*--joint-map"):
        read_annotations(folder, NAMES)
    annotations = read_annotations(folder, JointNames({"nose": "0", "rhip": "2"}))
    assert joints(annotations) == {"nose": (20, 16), "rhip": (25, 48)}


@pytest.mark.parametrize(
    ("row", "yaml", "message"),
    [
        ("0 1 2 3\n" + ROW, "", r"1 rows are invalid: a.txt, line 1: 4 values, but kpt_shape requires 56$"),
        ("0 a\n0 b\n0 c\n0 d\n", "", r"4 rows are invalid: a.txt, line 1: not a list of numbers, .* and 1 more$"),
        (ROW.replace("0.5", "240", 1), "", r"a.txt, line 1: 240 is not relative to the image size \(0 to 1\)$"),
        (
            ROW,
            "flip_idx: [1, 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]\n",
            "flip_idx is not that of COCO",
        ),
        (ROW, "kpt_names: [nose]\n", "kpt_names has another number of names than kpt_shape"),
        (ROW, "kpt_shape: [17, 3]\n", "data.yaml: line 5: the key kpt_shape is listed twice"),
        (ROW, "names: [\n", "data.yaml: line 5: not valid YAML: "),
    ],
)
def test_invalid_pose_datasets_are_a_one_line_error(tmp_path: Path, row: str, yaml: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        ultralytics.read(coco17(tmp_path, row, yaml), NAMES)
    assert "\n" not in str(error.value)


def test_an_impossible_number_of_values_per_keypoint_is_an_error(tmp_path: Path) -> None:
    path = coco17(tmp_path, ROW)
    path.write_text(path.read_text().replace("kpt_shape: [17, 3]", "kpt_shape: [17, 4]"))
    with pytest.raises(InputError, match=r"not a valid data.yaml of a pose dataset: kpt_shape should be \[number"):
        ultralytics.read(path, NAMES)


def test_rows_without_keypoints_and_missing_images_are_counted(tmp_path: Path) -> None:
    path = coco17(tmp_path, ROW + "0 0.5 0.5 0.1 0.1\n")
    (tmp_path / "train" / "labels" / "gone.txt").write_text(ROW + ROW)
    annotations = ultralytics.read(path, NAMES)
    assert annotations.skipped == {"without keypoints": 1, "image is missing or not readable": 2}
    assert "1 label files without a readable image: train/labels/gone.txt" in annotations.notes
    (tmp_path / "train" / "images" / "a.jpg").unlink()
    with pytest.raises(InputError, match=r"no image of the 2 label files was found .*put the images into images/"):
        ultralytics.read(path, NAMES)


def test_a_turned_image_has_the_size_that_viewers_show(tmp_path: Path) -> None:
    from PIL import Image

    path = coco17(tmp_path, ROW)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / "train" / "images" / "a.jpg", exif=exif)
    annotations = ultralytics.read(path, NAMES)
    assert annotations.images[["width", "height"]].to_numpy().tolist() == [[HEIGHT, WIDTH]]
    assert cv2.imread(str(tmp_path / "train" / "images" / "a.jpg")).shape[:2] == (WIDTH, HEIGHT)
    assert joints(annotations)["nose"] == (8, 50)

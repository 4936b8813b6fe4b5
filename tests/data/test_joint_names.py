import pytest

from splitpose.data.joint_names import COCO_NAMES, JointNames, describe_refusal, describe_unknown
from splitpose.skeleton import FULL_NAMES, JOINTS

NAMES = JointNames()
MPII = ["r_ankle", "r_knee", "r_hip", "l_hip", "l_knee", "l_ankle", "pelvis", "thorax", "upper_neck", "head_top"]
MPII += ["r_wrist", "r_elbow", "r_shoulder", "l_shoulder", "l_elbow", "l_wrist"]
OPENPOSE = ["Nose", "Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist", "MidHip", "RHip"]
OPENPOSE += ["RKnee", "RAnkle", "LHip", "LKnee", "LAnkle", "REye", "LEye", "REar", "LEar", "LBigToe", "LSmallToe"]
HALPE = [*COCO_NAMES, "head", "neck", "hip", "left_big_toe", "right_big_toe", "left_small_toe", "right_small_toe"]


@pytest.mark.parametrize(
    ("name", "joint"),
    [
        ("00_nose", "nose"), ("nose_00", None), ("person/nose", "nose"), ("0_left_shoulder", "lsho"),
        ("person.left_elbow", "lelb"), ("left_shoulder_joint", "lsho"), ("kpt05_left_hip", "lhip"),
        ("5: right wrist", "rwri"), ("joint_nose", "nose"), ("5left_hip", "lhip"), ("rwri", "rwri"),
        ("r_wrist", "rwri"), ("LSho", "lsho"),
        ("rt_elbow", "relb"), ("body:LeftEye", "leye"), ("face-0", None), ("left_eye_inner", None),
        ("left_hand_root", None), ("shoulder", None), ("hip", None), ("lhip_r", None), ("7", None), ("", None),
        ("kptLeftShoulder", "lsho"), ("k5_nose", "nose"), ("leftEyeInner", None),
        ("left_eye/inner", None), ("tail.nose", None), ("nariz", None),
    ],
)  # fmt: skip
def test_prefixes_and_suffixes(name: str, joint: str | None) -> None:
    assert NAMES.joint(name) == joint


@pytest.mark.parametrize(
    ("names", "missing"),
    [(COCO_NAMES, set()), (JOINTS, set()), (MPII, {"leye", "reye", "nose"}), (OPENPOSE, set()), (HALPE, set())],
    ids=["COCO", "FLIC", "MPII", "OpenPose", "Halpe"],
)
def test_names_of_known_skeletons(names: list[str], missing: set[str]) -> None:
    found = NAMES.indices(names)
    assert set(JOINTS) - set(found) == missing
    for joint, index in found.items():
        assert NAMES.joint(FULL_NAMES[joint]) == NAMES.joint(names[index]) == joint


def test_numbers_at_the_end_of_all_names_are_ignored() -> None:
    assert NAMES.indices(["nose_0", "left_eye_1", "right_eye_2"]) == {"leye": 1, "reye": 2, "nose": 0}
    assert NAMES.indices(["nose_0", "nose_1", "right_eye_2"]) == {}
    assert NAMES.indices(["1", "2", "3"]) == {}


def test_a_joint_map_is_preferred() -> None:
    names = ["left_shoulder", "right_shoulder", "6"]
    assert JointNames({"lsho": "6"}).indices(names) == {"lsho": 2, "rsho": 1}
    assert JointNames({"lsho": "right_shoulder", "rsho": "left_shoulder"}).indices(names) == {"lsho": 1, "rsho": 0}
    assert JointNames({"lsho": "hombro_izq"}).indices(["nose", "Hombro_Izq "]) == {"lsho": 1, "nose": 0}
    assert JointNames({"lsho": "8"}).indices(names) == {"lsho": 0, "rsho": 1}


def test_unknown_names_are_noted_with_the_nearest_joint() -> None:
    names = [name.replace("shoulder", "sholder") for name in COCO_NAMES]
    hint = "if it is this joint, rename it or set joint_map:"
    assert describe_unknown(names, NAMES) == [
        f"left_sholder is no known joint; nearest: left_shoulder; {hint} {{lsho: left_sholder}}",
        f"right_sholder is no known joint; nearest: right_shoulder; {hint} {{rsho: right_sholder}}",
        "not annotated, because no keypoint has their name: left_shoulder, right_shoulder",
    ]


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("rigth_hip", "right_hip"), ("left-wirst", "left_wrist"), ("elbow_lefft", "left_elbow"), ("nos", "nose")],
)
def test_the_nearest_joint(name: str, nearest: str) -> None:
    assert any(f"nearest: {nearest};" in note for note in describe_unknown(["left_shoulder", name], NAMES))


def test_nothing_is_noted_if_no_joint_is_missing() -> None:
    assert describe_unknown([*COCO_NAMES, "tail"], NAMES) == []
    assert describe_unknown(COCO_NAMES, JointNames({"lsho": "6"})) == []
    assert describe_unknown(["nose", "tail"], NAMES)[0] == "no known joints: tail"
    assert describe_unknown(["nose", "left_ear"], JointNames({"lsho": "6"}))[0] == (
        "joint_map: no keypoint is named '6' (lsho)"
    )


def test_the_refusal_shows_a_joint_map_that_does() -> None:
    numbers = [str(number) for number in range(1, 18)]
    example = describe_refusal(numbers).split("if they are in COCO's order: --joint-map ")[1]
    assert example == "nose=1,leye=2,reye=3,lsho=6,rsho=7,lelb=8,relb=9,lwri=10,rwri=11,lhip=12,rhip=13"
    joint_map = dict(entry.split("=") for entry in example.split(","))
    assert len(JointNames(joint_map).indices(numbers)) == 11
    assert "if they are in FLIC's order: --joint-map lsho=a,lelb=b" in describe_refusal(list("abcdefghijk"))
    assert describe_refusal(["ojo 1", "ñ"]).endswith(
        ", for example, if ojo 1 and ñ were nose and left_shoulder: --joint-map 'nose=ojo 1,lsho=ñ'"
    )
    assert describe_refusal([]).endswith("found none")
    assert "20 and 5 more" not in describe_refusal(numbers) and "1, 2, 3" in describe_refusal(numbers)

import numpy as np

from splitpose.skeleton import FLIP_INDICES, INDEX, JOINTS, LIMBS


def test_mirror_swaps_sides_and_keeps_the_nose():
    swapped = [JOINTS[k] for k in FLIP_INDICES]
    assert swapped == ["rsho", "relb", "rwri", "lsho", "lelb", "lwri", "rhip", "lhip", "reye", "leye", "nose"]
    np.testing.assert_array_equal(FLIP_INDICES[FLIP_INDICES], np.arange(11))


def test_limbs_join_known_joints():
    assert all(joint in INDEX for limb in LIMBS for joint in limb)

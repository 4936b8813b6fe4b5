"""Intervals over people and seeds contain the truth in about 95 % of simulated experiments; people alone do not."""

import importlib.util
import sys

import numpy as np
import pytest

REPLICATIONS = 200


@pytest.fixture(scope="module")
def script(repository):
    path = repository / "benchmarks" / "interval_coverage.py"
    spec = importlib.util.spec_from_file_location("interval_coverage", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def test_intervals_over_people_and_seeds_cover_the_truth(script):
    """With 200 replications, 95 % has a standard error of 1.5 points."""
    people, both = script.measure(script.Setting(150, 3, (2.0, 2.0)), REPLICATIONS)
    assert 90 <= both.score <= 99
    assert 90 <= both.difference <= 99
    assert both.wrong <= 10
    # Intervals that ignore the seeds fail all of these.
    assert people.score < 88
    assert people.difference < 80
    assert people.wrong > 20


def test_one_seed_is_covered_by_neither(script):
    people, both = script.measure(script.Setting(150, 1, (2.0, 2.0)), 50)
    assert people == both
    assert both.wrong > 20


def test_without_variation_between_seeds_people_are_enough(script):
    """Models of different seeds then differ on single people only."""
    people, both = script.measure(script.Setting(150, 5, (0.0, 0.0)), REPLICATIONS)
    assert people.score > 90
    assert both.score > 90


def test_the_expected_scores_are_the_true_ones(script):
    setting, rng = script.Setting(2000, 40, (0.5, 2.5)), np.random.default_rng(0)
    images = np.arange(setting.people)
    scores = script.simulate(setting, images, rng).mean(axis=2)
    assert scores.mean(axis=1) == pytest.approx(script.SCORES, abs=1.5)
    assert scores.std(axis=1) == pytest.approx([0.5, 2.5, 2.5], rel=0.3)

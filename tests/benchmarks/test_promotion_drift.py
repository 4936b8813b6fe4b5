"""Losses below the margin accumulate without a reference, and stop at the margin with one."""

import importlib.util
import sys

import numpy as np
import pytest

from splitpose.settings import Profile, load


@pytest.fixture(scope="module")
def script(repository):
    path = repository / "benchmarks" / "promotion_drift.py"
    spec = importlib.util.spec_from_file_location("promotion_drift", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def gate(repository):
    return load(Profile, repository / "profiles" / "sample.yaml").gate.model_copy(update={"max_loss": 0.5})


@pytest.mark.parametrize(
    ("loss", "has_reference", "drift", "promotions"),
    [
        (0.2, False, -40.0, 200),  # never significant: the interval is +/-0.98
        (0.2, True, -0.4, 2),  # a third promotion would be 0.6 below the reference
        (0.5, False, -100.0, 200),
        (0.6, False, 0.0, 0),
    ],
)
def test_constant_losses_without_measurement_errors(script, gate, loss, has_reference, drift, promotions):
    scenario = script.Scenario(-loss, 0.0, measurement_sd=0.0)
    result = script.simulate(scenario, 200, has_reference, gate, np.random.default_rng(0))
    assert result == (pytest.approx(drift), promotions)


def test_with_measurement_errors_the_reference_bounds_the_drift(script, gate):
    drifts = {
        has_reference: [
            script.simulate(
                script.SCENARIOS["larger losses"], 200, has_reference, gate, np.random.default_rng(seed)
            )[0]
            for seed in range(10)
        ]
        for has_reference in (False, True)
    }
    assert max(drifts[False]) < min(drifts[True])
    assert min(drifts[True]) > -3

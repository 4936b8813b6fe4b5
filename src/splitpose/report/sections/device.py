"""Sections on the TFLite files on the target device, and on the networks and results of the paper."""

from collections.abc import Mapping
from typing import Any

from splitpose.report import comparators, device_tables, paper_tables, tables
from splitpose.report.detection_table import detection_table
from splitpose.report.document import Block, Facts, Section
from splitpose.report.figures import latency
from splitpose.report.inputs import ReportInputs
from splitpose.report.sections.blocks import figure, flatten


def device_section(inputs: ReportInputs) -> Section:
    """Build the section on size, accuracy, latency and operators of the TFLite files."""
    data = tables.describe_data(inputs.comparison)
    devices = {
        name: benchmark.device.model_dump(exclude_none=True) for name, benchmark in inputs.benchmarks.items()
    }
    facts = [Facts(f"Target device ({names})", pairs) for names, pairs in _group_by_device(devices)]
    text = "The TFLite files on the target device, one image at a time; docs/targets.md explains the metrics."
    return Section(
        "device",
        "TFLite files on the device",
        (text,),
        (
            tables.tflite_table(inputs.comparison),
            device_tables.runtime_table(inputs.benchmarks, data),
            *filter(None, (detection_table(inputs.person_detection, data),)),
            *_threads_blocks(inputs, data),
            figure(
                "operators",
                "Operator timings",
                "Time of XNNPACK's operators in the float32 and the int8 file of each variant, measured by the "
                "runtime's profiler, which adds some time itself: compare the shares.",
                latency.plot_operator_timings(inputs.benchmarks, data),
            ),
            *facts,
        ),
    )


def _threads_blocks(inputs: ReportInputs, data: str) -> tuple[Block, ...]:
    """Return the figure of latency against threads, if it was measured with several numbers of threads."""
    counts = {
        latency_result.threads
        for benchmark in inputs.benchmarks.values()
        for result in benchmark.models.values()
        for latency_result in result.by_threads
    }
    if len(counts) == 1:
        return ()
    devices = [benchmark.device for benchmark in inputs.benchmarks.values()]
    names = " and ".join(dict.fromkeys(f"{device.cpu} (cores: {device.cores})" for device in devices))
    return (
        figure(
            "latency_threads",
            "Latency and threads",
            f"p50 latency of each variant's float32 and int8 file by number of threads, log scales, on {names}.",
            latency.plot_latency_threads(inputs.benchmarks, data),
        ),
    )


def _group_by_device(devices: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    """Group variants that were measured on the same device: ("baseline, split", facts)."""
    groups: list[tuple[list[str], Mapping[str, Any]]] = []
    for variant, facts in devices.items():
        same = next((names for names, known in groups if known == facts), None)
        if same is None:
            groups.append(([variant], facts))
        else:
            same.append(variant)
    return [(", ".join(names), tuple(flatten(facts))) for names, facts in groups]


def paper_section(inputs: ReportInputs) -> Section:
    """Build the section with the paper's tables, and its Figure 1 if the networks in it were measured."""
    return Section(
        "paper",
        "Comparison with the paper",
        () if inputs.comparators else (comparators.NOT_MEASURED,),
        (*paper_tables.paper_tables(inputs.comparison, inputs.protocol), *_network_blocks(inputs)),
    )


def _network_blocks(inputs: ReportInputs) -> tuple[Block, ...]:
    """Return table, figure and device of the other networks, if they were measured."""
    if not inputs.comparators:
        return ()
    networks = comparators.sort_networks(inputs.comparators)
    comparable = {name: network for name, network in networks.items() if not network.get("as_trained")}
    return (
        comparators.networks_table(inputs.comparators),
        figure(
            "latency_parameters",
            "Latency and parameters",
            "Ours at 224 px and full width, and other networks, each at the input size of its paper, measured in "
            "one run on one device; log scales (paper, Figure 1).",
            latency.plot_latency_parameters(comparable),
        ),
        Facts("Device of the other networks", tuple(flatten(inputs.comparators["device"]))),
    )

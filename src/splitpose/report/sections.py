"""What stands in the report, in reading order."""

from collections.abc import Iterator, Mapping
from typing import Any

from splitpose.report import comparators, device_tables, figures, paper_results, paper_tables, score_tables, tables
from splitpose.report.document import Facts, Listing, Part, Picture, Report, Section
from splitpose.report.formatting import MISSING
from splitpose.report.results import Evidence
from splitpose.skeleton import FULL_NAMES

VIEWPOINTS = {
    "observer": "left and right are the observer's, as in the published figures",
    "person": "left and right are the person's own; about 5 points lower than the observer's on FLIC",
}

DRAWN_BY = {
    "id": "each person drawn alone",
    "image": "people of one picture drawn together",
    "group": "people of one film or session drawn together",
}

COLOURS = "Thin white: annotation. In colours: prediction, blue left, orange right, yellow middle."


def report(evidence: Evidence, lineage: Mapping[str, Mapping[str, str]]) -> Report:
    """The whole report; `lineage` has facts on where the figures come from, of all variants and of each."""
    profile = evidence.comparison["profile"]
    return Report(
        title=f"Small upper-body pose models, profile {profile}",
        lead=f"{_test_people(evidence.protocol)}, {len(evidence.errors)} variants. "
        f"The models are those of {paper_results.SOURCE}.",
        warning=tables.STAND_IN if tables.stand_in(evidence.comparison) else None,
        sections=(
            _comparison(evidence),
            _paper(evidence),
            _joints_and_parts(evidence),
            _predictions(evidence),
            _options(evidence),
            _behaviour(evidence),
            _device(evidence),
            _data(evidence),
            Section(
                "lineage",
                "Where it comes from",
                ("Hashes are DVC's, as in dvc.lock. A run in MLflow is found by its tag splitpose.state, too.",),
                tuple(Facts(of, tuple(facts.items())) for of, facts in lineage.items()),
            ),
            Section(
                "parameters", "Parameters", (), (Listing(f"profiles/{profile}.yaml, as used", evidence.profile),)
            ),
            _how_to_read(evidence),
        ),
    )


def _test_people(protocol: Mapping[str, Any]) -> str:
    """How many there are, and how many of them cannot be scored."""
    unscored = protocol["without_torso"]
    told = f" ({unscored} of them without an annotated torso and so not scored)" if unscored else ""
    return f"{protocol['n']} test people{told}"


def _comparison(evidence: Evidence) -> Section:
    people = tables.people(evidence.comparison)
    return Section(
        "comparison",
        "Comparison",
        (_headline(evidence), _mean_pose(evidence)),
        (
            tables.accuracy(evidence.comparison),
            *([score_tables.differences(evidence.differences, people)] if evidence.differences else []),
            tables.files(evidence.comparison),
        ),
    )


def _headline(evidence: Evidence) -> str:
    read_by: dict[str, list[str]] = {}
    for name, found in evidence.readings.items():
        for one in found:
            if one["headline"]:
                read_by.setdefault(one["reading"], []).append(name)
    ways = "; ".join(f"{', '.join(names)} by {reading}" for reading, names in read_by.items())
    return f"Joints are read from the outputs as the profile says: {ways}. Other ways stand under Readings."


def _mean_pose(evidence: Evidence) -> str:
    score = next(iter(evidence.behaviours.values()))["darker"]["mean_pose"]
    return (
        f"The test people's mean pose, given for everyone without a look at the picture, finds {score:.1f} % of "
        "the joints at 0.2: what a variant has learned lies above that."
    )


def _paper(evidence: Evidence) -> Section:
    comparison = evidence.comparison
    people = tables.people(comparison)
    return Section(
        "paper",
        "Beside the paper",
        () if evidence.comparators else (comparators.HOW_TO_GET,),
        (
            *paper_tables.paper_tables(comparison, evidence.protocol),
            *_other_networks(evidence),
            _figure(
                "latency_accuracy",
                "Latency and accuracy",
                "The float32 and the int8 file of each variant: p50 latency on the benchmark's device, PCK@0.2 of "
                "the file itself.",
                figures.latency_accuracy(comparison, people),
            ),
            _figure(
                "loss_curves",
                "Loss",
                "Training and validation loss over both phases, log scale (paper, Figure 4). Losses on coordinates "
                "and losses on heatmaps are of different kinds and do not compare.",
                figures.loss_curves(evidence.histories, people),
            ),
            _figure(
                "threshold_curves",
                "Accuracy against threshold",
                "Share of elbows and wrists within a threshold; the upright line stands at 0.2 (paper, Figure 5). "
                "Each band is of one variant alone."
                + (" Two annotators: how far two annotations of one person agree." if len(evidence.pairs) else ""),
                figures.threshold_curves(evidence.errors, people, evidence.seed, evidence.clusters, evidence.pairs),
            ),
            _figure(
                "validation_curves",
                "Validation accuracy",
                "PCK@0.2 of the validation people while training. The dot marks the weights that were kept.",
                figures.validation_curves(evidence.histories, people),
            ),
        ),
    )


def _other_networks(evidence: Evidence) -> tuple[Part, ...]:
    """Figure 1, where its networks were timed."""
    found = evidence.comparators
    if not found:
        return ()
    comparable = {name: one for name, one in comparators.networks(found).items() if not one.get("as_trained")}
    return (
        comparators.table(found),
        _figure(
            "latency_parameters",
            "Latency and parameters",
            "Ours at 224 px and full width, and other networks, each at the input size of its paper, timed in one "
            "run on one device; log scales (paper, Figure 1).",
            figures.latency_parameters(comparable),
        ),
        Facts("Other networks were timed on", tuple(_flat(found["device"]))),
    )


def _joints_and_parts(evidence: Evidence) -> Section:
    comparison = evidence.comparison
    return Section(
        "parts",
        "Joints and people",
        (),
        (
            _figure(
                "joint_scores",
                "Joints",
                "PCK@0.2 of every joint. Each 95 % interval is of one variant alone; the difference of two, on the "
                "same people, has an interval of its own.",
                figures.joint_scores(comparison, tables.people(comparison)),
            ),
            score_tables.slices(evidence.slices, tables.people(comparison)),
        ),
    )


def _predictions(evidence: Evidence) -> Section:
    people = tables.people(evidence.comparison)
    sheets = [
        _sheet(
            f"predictions_{name}",
            f"{name}, {people}",
            "Test people with the smallest, the middle and the largest errors (paper, Figure 3).",
            content,
        )
        for name, content in evidence.sheets.items()
    ]
    cases = [
        _sheet(
            f"cases_{name}",
            f"{name}: best and worst crops, {people}",
            "The best and the worst people as the model sees them. Heatmaps, where the variant has them, run from "
            "0 (dark) to 1 (bright); the number is the height of the peak, the ring stands at the annotated joint.",
            content,
        )
        for name, content in evidence.cases.items()
    ]
    hardest = _sheet(
        "hardest",
        f"Hardest for all variants, {people}",
        "Test people with the largest errors on average over the variants, one person a row.",
        evidence.hardest,
    )
    text = f"{COLOURS} Numbers are a person's mean error over the joints, in torso diameters."
    return Section("predictions", "Predictions", (text,), (*sheets, hardest, *cases))


def _options(evidence: Evidence) -> Section:
    files = {name: one["tflite"]["float32"]["p50_ms"] for name, one in evidence.comparison["variants"].items()}
    text = (
        "Heatmaps can be read at the centre of their highest pixel (argmax) or at the top of the bump around it "
        "(dark); any output can be averaged with that of the mirrored crop (flip test). The profile's "
        "model.decoding and scoring.flip_test say which is the headline; choose on validation people, not by this "
        "table."
    )
    table = score_tables.readings(evidence.readings, files, tables.people(evidence.comparison))
    return Section("options", "Readings", (text,), (table,))


def _behaviour(evidence: Evidence) -> Section:
    return Section(
        "behaviour",
        "Behaviour",
        ("What the models do where the answer is known, whatever their accuracy.",),
        (
            score_tables.behaviour(evidence.behaviours, tables.people(evidence.comparison)),
            _figure(
                "robustness",
                "Darker and blurrier crops",
                "PCK@0.2 of the same test people as their crops get darker (to the right) and blurrier.",
                figures.robustness(evidence.behaviours, tables.people(evidence.comparison)),
            ),
        ),
    )


def _device(evidence: Evidence) -> Section:
    devices = {name: found.device.model_dump(exclude_none=True) for name, found in evidence.benchmarks.items()}
    facts = [Facts(f"Timed on ({names})", pairs) for names, pairs in _grouped(devices)]
    text = "How the TFLite files run there, one picture at a time; docs/targets.md says what the figures mean."
    return Section(
        "device",
        "On the device",
        (text,),
        (
            device_tables.running(evidence.benchmarks, tables.people(evidence.comparison)),
            *_threads(evidence),
            _figure(
                "operators",
                "Where the time goes",
                "Time of XNNPACK's operators in the float32 and the int8 file of each variant, by the runtime's "
                "own profiler, which costs some time itself: read the shares.",
                figures.operators(evidence.benchmarks, tables.people(evidence.comparison)),
            ),
            *facts,
        ),
    )


def _threads(evidence: Evidence) -> tuple[Part, ...]:
    """Latency against threads, where more than one number of them was measured."""
    measured = {
        speed.threads
        for found in evidence.benchmarks.values()
        for figures_of_file in found.models.values()
        for speed in figures_of_file.by_threads
    }
    if len(measured) == 1:
        return ()
    devices = [found.device for found in evidence.benchmarks.values()]
    named = " and ".join(dict.fromkeys(f"{device.cpu} (cores: {device.cores})" for device in devices))
    return (
        _figure(
            "latency_threads",
            "Latency and threads",
            f"p50 latency of each variant's float32 and int8 file with more threads, log scales, on {named}.",
            figures.latency_threads(evidence.benchmarks, tables.people(evidence.comparison)),
        ),
    )


def _data(evidence: Evidence) -> Section:
    people = tables.people(evidence.comparison)
    ceiling = score_tables.label_ceiling(evidence.agreements, people)
    crops = [
        _sheet(
            f"crops_{split}",
            f"Crops of the {split} people, {people}",
            "Several copies of each, as they are trained on." if split == "train" else "",
            content,
        )
        for split, content in evidence.crops.items()
    ]
    text = (
        "The validation of the annotations. Rows that failed a rule were removed and are listed in "
        "data/annotations/quarantine.csv with the reason; suspicious rows were kept and are listed in warnings.csv "
        "beside it. All rules and their results: reports/data_docs/index.html."
    )
    facts = Facts("Checks", tuple(_flat(evidence.checks)))
    return Section("data", "Data", (text,), (facts, *([ceiling] if ceiling else []), *crops))


def _how_to_read(evidence: Evidence) -> Section:
    protocol = evidence.protocol
    start, end = protocol["torso"].split("-")
    text = (
        "PCK@0.2 is the percentage of annotated joints whose prediction lies within 0.2 torso diameters of the "
        "annotation. The means are over joints: all that are annotated, both elbows, both wrists.",
        f"Torso diameter: from the {FULL_NAMES[start]} to the {FULL_NAMES[end]} of the annotation. "
        f"Viewpoint {protocol['viewpoint']}: {VIEWPOINTS[protocol['viewpoint']]}.",
        f"Intervals are 95 % bootstrap intervals over the {protocol['n']} test people, "
        f"{DRAWN_BY[protocol['bootstrap_cluster']]}. They say how far a score would move with other people of the "
        "same kind, not with another training.",
        "Test people choose nothing: the headline is one reading of the final weights, fixed by the profile. The "
        "weights that are kept and the learning rate's steps are chosen on validation people, who share no "
        "picture, film or session with those trained on.",
        "Latency is measured; it moves from run to run and from device to device.",
    )
    return Section("reading", "How to read it", text)


def _figure(name: str, title: str, caption: str, content: bytes) -> Picture:
    return Picture(f"figures/{name}.png", title, caption, content)


def _sheet(name: str, title: str, caption: str, content: bytes) -> Picture:
    return Picture(f"figures/{name}.jpg", title, caption, content, is_sheet=True)


def _grouped(devices: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    """Variants that were timed on the same device together: ("baseline, split", facts)."""
    groups: list[tuple[list[str], Mapping[str, Any]]] = []
    for variant, facts in devices.items():
        same = next((names for names, known in groups if known == facts), None)
        if same is None:
            groups.append(([variant], facts))
        else:
            same.append(variant)
    return [(", ".join(names), tuple(_flat(facts))) for names, facts in groups]


def _flat(content: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Nested keys and values as pairs of text: {"a": {"b": 1}} -> ("a, b", "1")."""
    for key, value in content.items():
        name = f"{above}, {key}" if above else str(key)
        name = name.replace("_", " ")
        if isinstance(value, Mapping):
            yield from _flat(value, name)
        else:
            yield name, _text(value)


def _text(value: Any) -> str:
    """A value in words."""
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_text, value)) or "none"
    return str(value)

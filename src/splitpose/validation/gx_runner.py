"""Great Expectations' machinery: run a suite on a frame, say what it found, write Data Docs."""

import logging
import shutil
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any

import great_expectations as gx
import pandas as pd
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)

from splitpose.errors import InputError
from splitpose.validation.expectation_suites import Rule, Suite

# What matters is in the results; the log repeats failed expectations with tracebacks.
logging.getLogger("great_expectations").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Outcome:
    """What a rule found: id and value of each row that breaks it; a figure in words if it failed."""

    rule: Rule
    passed: bool
    rows: tuple[tuple[str, str], ...]
    figure: str


class Checkpoints:
    """Runs suites, each once, in one Great Expectations context; it lives in memory and reports to nobody."""

    def __init__(self) -> None:
        self._context = gx.get_context(
            mode="ephemeral",
            project_config=DataContextConfig(
                store_backend_defaults=InMemoryStoreBackendDefaults(),
                analytics_enabled=False,
                progress_bars=ProgressBarsConfig(globally=False),
            ),
        )
        asset = self._context.data_sources.add_pandas("annotations").add_dataframe_asset("people")
        self._batch = asset.add_batch_definition_whole_dataframe("all")

    def run(self, suite: Suite, frame: pd.DataFrame) -> list[Outcome]:
        """One outcome a rule, in the suite's order. The frame needs a column `id` for rows to be named."""
        expectations = [
            rule.expectation.copy(
                update={"meta": {"rule": rule.name}, "notes": rule.reason, "severity": suite.severity}
            )
            for rule in suite.rules
        ]
        gx_suite = self._context.suites.add(gx.ExpectationSuite(name=suite.name, expectations=expectations))
        definition = self._context.validation_definitions.add(
            gx.ValidationDefinition(name=suite.name, data=self._batch, suite=gx_suite)
        )
        checkpoint = self._context.checkpoints.add(
            gx.Checkpoint(
                name=suite.name,
                validation_definitions=[definition],
                result_format={"result_format": "COMPLETE", "unexpected_index_column_names": ["id"]},
            )
        )
        (validation,) = checkpoint.run(batch_parameters={"dataframe": frame}).run_results.values()
        results = {result.expectation_config.meta["rule"]: result for result in validation.results}
        return [_outcome(rule, results[rule.name]) for rule in suite.rules]

    def write_docs(self, folder: Path) -> None:
        """Write the Data Docs (HTML) of all suites run so far; `folder/index.html` is the entry.

        Data Docs that are there already are replaced. Raises InputError if the folder holds something else.
        """
        if folder.exists() and any(folder.iterdir()) and not (folder / "index.html").is_file():
            raise InputError(f"{folder}: holds something that is no Data Docs; name a new folder for them")
        beside = folder.resolve().with_name(folder.name + ".part")
        shutil.rmtree(beside, ignore_errors=True)
        site = {
            "class_name": "SiteBuilder",
            "show_how_to_buttons": False,
            "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(beside)},
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        }
        self._context.add_data_docs_site("docs", site)
        self._context.build_data_docs(["docs"])
        shutil.rmtree(folder, ignore_errors=True)
        beside.rename(folder)


def _outcome(rule: Rule, result: Any) -> Outcome:
    broken = result.result.get("unexpected_index_list") or []
    rows = tuple((entry["id"], _value(entry)) for entry in broken)
    return Outcome(rule, bool(result.success), rows, "" if result.success else _figure(result.result, rows))


def _value(entry: dict[str, Any]) -> str:
    """The values of a row that breaks a rule, in words; numbers to 2 decimals."""
    return ", ".join(_text(value) for column, value in entry.items() if column != "id")


def _text(value: Any) -> str:
    if pd.isna(value):
        return "empty"
    return f"{round(value, 2):g}" if isinstance(value, Real) else str(value)


def _figure(result: dict[str, Any], rows: tuple[tuple[str, str], ...]) -> str:
    """The result of a failed expectation in a few words; empty if it could not be evaluated."""
    if rows:
        first = ": ".join(text for text in map(str, rows[0]) if text)  # a rule about ids has no other value
        return f"{len(rows)} of {result['element_count']} rows, first {first}"
    columns = result.get("details", {}).get("mismatched", {}).get("missing")
    if missing := columns or result.get("partial_missing_list"):
        return f"missing: {', '.join(sorted(missing))}"  # these are sets: sorted, or their order changes
    observed = result.get("observed_value")
    return "" if observed is None else f"found {_text(observed)}"

"""Runs expectation suites with Great Expectations and writes its Data Docs."""

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
from splitpose.validation.data_docs.page_view import VIEW
from splitpose.validation.expectation_suites import Rule, Suite

# The log repeats failed expectations with tracebacks; the validation results contain all necessary information.
logging.getLogger("great_expectations").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class RuleResult:
    """The validation result of one rule."""

    rule: Rule
    success: bool
    unexpected_rows: tuple[tuple[str, str], ...]
    """Id and value of each row that breaks the rule."""
    observed: str
    """What was observed, as text; empty if the rule passed or could not be evaluated."""

    @property
    def failure(self) -> str:
        """Name of the rule, what failed and what was observed, for a rule that failed."""
        if self.rule.failure and self.observed:
            return f"{self.rule.name}: {self.observed}"
        return f"{self.rule.name}: {self.rule.reason} ({self.observed or 'could not be evaluated'})"


class SuiteRunner:
    """Runs expectation suites as checkpoints in one ephemeral Great Expectations context, without analytics."""

    def __init__(self) -> None:
        self._context = gx.get_context(
            mode="ephemeral",
            project_config=DataContextConfig(
                store_backend_defaults=InMemoryStoreBackendDefaults(),
                analytics_enabled=False,
                progress_bars=ProgressBarsConfig(globally=False),
            ),
        )
        data_asset = self._context.data_sources.add_pandas("annotations").add_dataframe_asset("instances")
        self._batch_definition = data_asset.add_batch_definition_whole_dataframe("all")

    def run(self, suite: Suite, frame: pd.DataFrame) -> list[RuleResult]:
        """Validate a frame against a suite and return one result per rule, in the suite's order.

        Each suite can be run once. Rows are identified by the column `id`, if the frame has it.
        """
        expectations = [
            rule.expectation.copy(
                update={"meta": {"rule": rule.name}, "notes": rule.reason, "severity": suite.severity}
            )
            for rule in suite.rules
        ]
        expectation_suite = self._context.suites.add(
            gx.ExpectationSuite(name=suite.name, expectations=expectations)
        )
        validation_definition = self._context.validation_definitions.add(
            gx.ValidationDefinition(name=suite.name, data=self._batch_definition, suite=expectation_suite)
        )
        checkpoint = self._context.checkpoints.add(
            gx.Checkpoint(
                name=suite.name,
                validation_definitions=[validation_definition],
                result_format={
                    "result_format": "COMPLETE",
                    "unexpected_index_column_names": ["id"],
                    "return_unexpected_index_query": False,
                },
            )
        )
        (validation_result,) = checkpoint.run(batch_parameters={"dataframe": frame}).run_results.values()
        results = {result.expectation_config.meta["rule"]: result for result in validation_result.results}
        return [_rule_result(rule, results[rule.name]) for rule in suite.rules]

    def build_data_docs(self, folder: Path) -> None:
        """Build the Data Docs (HTML) of all suites run so far; the entry page is `folder/index.html`.

        The pages load nothing from the network. Existing Data Docs are replaced.

        Raises:
            InputError: the folder contains other files.
        """
        if folder.exists() and any(folder.iterdir()) and not (folder / "index.html").is_file():
            raise InputError(f"{folder}: contains other files than Data Docs; choose a new folder for them")
        temporary = folder.resolve().with_name(folder.name + ".part")
        shutil.rmtree(temporary, ignore_errors=True)
        site = {
            "class_name": "SiteBuilder",
            "show_how_to_buttons": False,
            "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(temporary)},
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder", "view": VIEW},
            "site_section_builders": {"expectations": {"view": VIEW}, "validations": {"view": VIEW}},
        }
        self._context.add_data_docs_site("docs", site)
        self._context.build_data_docs(["docs"])
        shutil.rmtree(temporary / "static")  # fonts and images that the pages do not use
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)


def _rule_result(rule: Rule, result: Any) -> RuleResult:
    """Convert an ExpectationValidationResult."""
    unexpected = result.result.get("unexpected_index_list") or []
    rows = tuple((entry["id"], _values(entry)) for entry in unexpected)
    observed = "" if result.success else _observed(result.result, rows)
    fraction = result.result.get("observed_value")
    if observed and rule.failure and fraction is not None:
        observed = rule.failure.format(percent=f"{100 * fraction:.4g} %")
    return RuleResult(rule, bool(result.success), rows, observed)


def _values(entry: dict[str, Any]) -> str:
    """Return the values with which a row breaks a rule as text."""
    return ", ".join(_text(value) for column, value in entry.items() if column != "id")


def _text(value: Any) -> str:
    """Return a value as text, numbers with 2 decimals."""
    if pd.isna(value):
        return "empty"
    return f"{round(value, 2):g}" if isinstance(value, Real) else str(value)


def _observed(result: dict[str, Any], rows: tuple[tuple[str, str], ...]) -> str:
    """Return what a failed expectation observed as text, or "" if it could not be evaluated."""
    if rows:
        first = ": ".join(text for text in map(str, rows[0]) if text)  # a rule about ids has no other value
        return f"{len(rows)} of {result['element_count']} rows, first {first}"
    missing_columns = result.get("details", {}).get("mismatched", {}).get("missing")
    if missing := missing_columns or result.get("partial_missing_list"):
        return f"missing: {', '.join(sorted(missing))}"  # sorted, because these are sets without a stable order
    observed = result.get("observed_value")
    return "" if observed is None else f"found {_text(observed)}"

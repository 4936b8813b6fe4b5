"""The typer application: all subcommands, with an example and a group in the help for each."""

from collections.abc import Callable

import typer

from splitpose.cli import champion, data, evaluation, inference, pipeline, tracking
from splitpose.cli.command import Command

GROUPS: dict[str, dict[Callable[..., None], str]] = {
    "Inference and evaluation": {
        inference.predict: "splitpose predict photo.jpg --model models/final/float32.tflite --out out",
        evaluation.score: "splitpose score --annotations annotations.csv --predictions out/predictions.csv",
        evaluation.compare: "splitpose compare",
        inference.benchmark: "splitpose benchmark models/final/*.tflite --threads 1 4 --target ssh://pi@raspberrypi",
    },
    "Data": {
        data.check: "splitpose check person_keypoints.json --images images/",
    },
    "Pipeline": {
        pipeline.settings: "splitpose settings",
        pipeline.reproduce: "splitpose reproduce",
        pipeline.retrain: "splitpose retrain --dry-run",
        pipeline.schedule: "splitpose schedule --stuck-after 24",
        pipeline.retention: "splitpose retention --dry-run",
    },
    "Champion": {
        champion.champion: "splitpose champion --json champion.json",
        champion.promote: 'splitpose promote --version 3 --reason "better on the new phone"',
        champion.rollback: 'splitpose rollback --reason "wrists jump"',
    },
    "Tracking and demo": {
        tracking.sync: "MLFLOW_TRACKING_URI=http://127.0.0.1:5000 splitpose sync",
        tracking.ui: "splitpose ui --port 5001 --no-browser",
        tracking.demo: "splitpose demo --port 8001",
    },
}
"""The commands with an example of each, by group in the help."""

app = typer.Typer(
    help="Train, evaluate and run small upper-body pose models.",
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
for group, commands in GROUPS.items():
    for command, example in commands.items():
        app.command(cls=Command, rich_help_panel=group, epilog=f"Example: {example}")(command)

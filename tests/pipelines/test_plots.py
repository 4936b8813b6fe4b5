"""The page of `dvc plots show`, opened without a network."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import yaml
from support.chromium import needs_chromium, rendered_page

pytestmark = [pytest.mark.integration, needs_chromium]

MESSAGE = "<p>Vega could not be loaded. Run <code>make plots</code> once with a network.</p>"
TRAINING = "variant,iteration,val_pck_0.2,val_loss,train_loss\nfinal,50,71.0,0.5,0.6\nfinal,150,86.0,0.3,0.4\n"
THRESHOLDS = "variant,threshold,elbow,wrist\nfinal,0.0,0,0\nfinal,0.1,80,70\n"


@pytest.fixture(scope="module")
def project(repository, tmp_path_factory) -> Path:
    """A project with the plots of dvc.yaml and their page, but no stages; Vega is not installed in it."""
    root = tmp_path_factory.mktemp("project")
    shutil.copytree(repository / ".dvc" / "plots", root / ".dvc" / "plots")
    for name in ("config", "plots.html"):
        shutil.copy(repository / ".dvc" / name, root / ".dvc" / name)
    with (root / ".dvc" / "config.local").open("w") as file:
        file.write("[core]\n    no_scm = true\n")
    plots = yaml.safe_load((repository / "dvc.yaml").read_text())["plots"]
    assert len(plots) == 5
    (root / "dvc.yaml").write_text(yaml.safe_dump({"plots": plots}))
    folder = root / "reports" / "plots"
    folder.mkdir(parents=True)
    (folder / "training.csv").write_text(TRAINING)
    (folder / "thresholds.csv").write_text(THRESHOLDS)
    command = [sys.executable, "-m", "dvc", "plots", "show"]
    environment = {**os.environ, "DVC_SITE_CACHE_DIR": str(root / "site")}
    subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True)
    return root


def test_without_vega_the_page_says_how_to_install_it(project: Path, tmp_path: Path) -> None:
    dom = rendered_page(project / "dvc_plots" / "index.html", tmp_path)
    assert "<canvas" not in dom
    assert dom.count(MESSAGE) == 2  # once in the script


def test_with_vega_all_plots_are_drawn(project: Path, repository: Path, tmp_path: Path) -> None:
    if not shutil.which("npm"):
        pytest.skip("npm is missing (Debian: apt install npm)")
    command = ["make", ".dvc/vega/node_modules/.made"]
    installed = subprocess.run(command, cwd=repository, capture_output=True, text=True)
    if installed.returncode:
        pytest.skip(f"npm could not install Vega: {installed.stdout}{installed.stderr}")
    (project / ".dvc" / "vega").symlink_to(repository / ".dvc" / "vega")
    dom = rendered_page(project / "dvc_plots" / "index.html", tmp_path)
    assert dom.count("<canvas") == 5
    assert dom.count(MESSAGE) == 1
    assert "cdn.jsdelivr.net" not in dom.split("</template>")[-1]  # listed in the template, but not loaded

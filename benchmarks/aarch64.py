"""Compare the outputs of TFLite files on this machine with those on a 64-bit ARM processor, as phones have.

    python benchmarks/aarch64.py models/final/*.tflite --folder /tmp/aarch64

Runs the files in an emulator, with the same versions of LiteRT and NumPy built for ARM, and compares their outputs
for random crops; latency is not measured. Requires Debian's qemu-user (apt install qemu-user) and, on the first
run, network access: apt downloads Debian's Python for ARM, and pip the packages, to the folder; nothing is
installed.
"""

import argparse
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import numpy as np

DEBIAN = (
    *("python3.11", "python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib"),
    *("libc6", "libstdc++6", "libgcc-s1", "zlib1g", "libexpat1", "libssl3", "libffi8", "libbz2-1.0", "liblzma5"),
)
PACKAGES = ("numpy", "ai-edge-litert", "flatbuffers", "typing-extensions", "protobuf", "tqdm")

PROCESSORS = {"cortex-a72": "0xd08", "cortex-a76": "0xd0b"}
"""Processors of a Raspberry Pi 4 and 5: qemu's names, and the part numbers that the kernel reports."""

FEATURES = "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"
BASIC_FEATURES = "fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid"

PROGRAM = """
import sys
import numpy as np
from ai_edge_litert.interpreter import Interpreter
outputs = []
for path in sys.argv[3:]:
    interpreter = Interpreter(model_path=path, num_threads=1)
    interpreter.allocate_tensors()
    detail = interpreter.get_input_details()[0]
    for seed in range(int(sys.argv[2])):
        crop = np.random.default_rng(seed).integers(0, 256, detail["shape"]).astype(detail["dtype"])
        interpreter.set_tensor(detail["index"], crop)
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
np.savez(sys.argv[1], *outputs)
"""


def main() -> None:
    """Compare the outputs of the files on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, nargs="+", metavar="TFLITE")
    parser.add_argument(
        "--folder",
        type=Path,
        required=True,
        help="folder for the ARM system (200 MB), which is kept for later runs",
    )
    parser.add_argument("--crops", type=int, default=3)
    options = parser.parse_args()
    if not shutil.which("qemu-aarch64"):
        print("skipped: qemu-aarch64 is missing (Debian: apt install qemu-user)")
        return
    folder = options.folder.resolve()
    if not (folder / "ready").exists():
        download_system(folder)
    expected = run_models([sys.executable], folder, options.models, options.crops)
    for processor, part in PROCESSORS.items():
        describe_processor(folder / "root", part, FEATURES if processor == "cortex-a76" else BASIC_FEATURES)
        root = folder / "root"
        emulated = ["qemu-aarch64", "-cpu", processor, "-E", f"PYTHONPATH={folder / 'site'}", "-L", str(root)]
        actual = run_models([*emulated, str(root / "usr/bin/python3.11")], folder, options.models, options.crops)
        pairs = list(zip(expected, actual, strict=True))
        for number, model in enumerate(options.models):
            model_pairs = pairs[number * options.crops : (number + 1) * options.crops]
            difference = max(float(np.abs(a - b).max()) for a, b in model_pairs)
            largest = max(float(np.abs(a).max()) for a, _ in model_pairs)
            print(f"{processor}: {model}: maximum difference {difference:.2g}, maximum output {largest:.2g}")


def download_system(folder: Path) -> None:
    """Download Debian's Python for ARM into folder/root and the packages into folder/site."""
    for name in ("debs", "wheels", "root", "site", "lists/partial"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    apt = ["apt-get", "-qq", "-o", "APT::Architectures::=arm64", "-o", f"Dir::State::Lists={folder / 'lists'}"]
    subprocess.run([*apt, "update"], check=True)
    names = [f"{name}:arm64" for name in DEBIAN]
    subprocess.run([*apt, "download", *names], cwd=folder / "debs", check=True)
    for package in (folder / "debs").glob("*.deb"):
        subprocess.run(["dpkg", "-x", package, folder / "root"], check=True)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest"]
    platforms = ("manylinux2014_aarch64", "manylinux_2_27_aarch64", "manylinux_2_28_aarch64", "any")
    requirements = [f"{name}=={version(name)}" for name in PACKAGES]
    platform_options = [word for platform in platforms for word in ("--platform", platform)]
    subprocess.run(
        [*pip, folder / "wheels", "--python-version", "3.11", *platform_options, *requirements], check=True
    )
    for wheel in (folder / "wheels").glob("*.whl"):
        zipfile.ZipFile(wheel).extractall(folder / "site")
    (folder / "ready").touch()


def describe_processor(root: Path, part: str, features: str) -> None:
    """Write the processor's /proc/cpuinfo, because XNNPACK would read this machine's and fail."""
    core = f"Features\t: {features}\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\n"
    cores = [f"processor\t: {n}\n{core}CPU part\t: {part}\nCPU revision\t: 3\n\n" for n in range(2)]
    (root / "proc").mkdir(exist_ok=True)
    (root / "proc" / "cpuinfo").write_text("".join(cores))


def run_models(python: list[str], folder: Path, models: list[Path], crops: int) -> list[np.ndarray]:
    """Return the outputs of all models for all crops, ordered by model."""
    result = folder / "outputs.npz"
    command = [*python, "-c", PROGRAM, str(result), str(crops), *(str(model.resolve()) for model in models)]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    with np.load(result) as arrays:
        return [arrays[name] for name in arrays.files]


if __name__ == "__main__":
    main()

"""Whether TFLite files answer the same on a 64-bit ARM processor, as phones have, as they do here.

    python benchmarks/aarch64.py models/final/*.tflite --folder /tmp/aarch64

Runs the files in an emulator, with the very same versions of LiteRT and NumPy built for ARM, and compares outputs
of random crops. Nothing is said of speed. Needs Debian's qemu-user (apt install qemu-user) and, the first time, the
network: Debian's Python for ARM comes by apt and the packages by pip, both into the folder; nothing is installed.
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
"""Of a Raspberry Pi 4 and 5: qemu's names, and the number by which the kernel tells them."""

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
    """Compare the files given on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, nargs="+", metavar="TFLITE")
    parser.add_argument("--folder", type=Path, required=True, help="for the ARM system, 200 MB, kept")
    parser.add_argument("--crops", type=int, default=3)
    options = parser.parse_args()
    if not shutil.which("qemu-aarch64"):
        print("skipped: there is no qemu-aarch64 here (Debian: apt install qemu-user)")
        return
    folder = options.folder.resolve()
    if not (folder / "ready").exists():
        system(folder)
    here = outputs([sys.executable], folder, options.models, options.crops)
    for processor, part in PROCESSORS.items():
        pretend(folder / "root", part, FEATURES if processor == "cortex-a76" else BASIC_FEATURES)
        root = folder / "root"
        emulated = ["qemu-aarch64", "-cpu", processor, "-E", f"PYTHONPATH={folder / 'site'}", "-L", str(root)]
        there = outputs([*emulated, str(root / "usr/bin/python3.11")], folder, options.models, options.crops)
        pairs = list(zip(here, there, strict=True))
        for number, model in enumerate(options.models):
            own = pairs[number * options.crops : (number + 1) * options.crops]
            difference = max(float(np.abs(a - b).max()) for a, b in own)
            largest = max(float(np.abs(a).max()) for a, _ in own)
            print(f"{processor}: {model}: differs by at most {difference:.2g}, outputs reach {largest:.2g}")


def system(folder: Path) -> None:
    """Debian's Python for ARM in folder/root, the packages in folder/site."""
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
    wanted = [f"{name}=={version(name)}" for name in PACKAGES]
    kinds = [word for platform in platforms for word in ("--platform", platform)]
    subprocess.run([*pip, folder / "wheels", "--python-version", "3.11", *kinds, *wanted], check=True)
    for wheel in (folder / "wheels").glob("*.whl"):
        zipfile.ZipFile(wheel).extractall(folder / "site")
    (folder / "ready").touch()


def pretend(root: Path, part: str, features: str) -> None:
    """Describe the processor: XNNPACK looks there, and would find, and fail on, this machine's x86 description."""
    core = f"Features\t: {features}\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\n"
    cores = [f"processor\t: {n}\n{core}CPU part\t: {part}\nCPU revision\t: 3\n\n" for n in range(2)]
    (root / "proc").mkdir(exist_ok=True)
    (root / "proc" / "cpuinfo").write_text("".join(cores))


def outputs(python: list[str], folder: Path, models: list[Path], crops: int) -> list[np.ndarray]:
    """Of each model on each crop, one after the other."""
    result = folder / "outputs.npz"
    words = [*python, "-c", PROGRAM, str(result), str(crops), *(str(model.resolve()) for model in models)]
    subprocess.run(words, check=True, stderr=subprocess.DEVNULL)
    with np.load(result) as read:
        return [read[name] for name in read.files]


if __name__ == "__main__":
    main()

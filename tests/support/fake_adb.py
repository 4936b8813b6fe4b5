"""A fake adb with the devices that are listed in $FAKE_ANDROID/devices.

Like adb, it has the same commands, exit statuses and error messages; `shell` returns the status of its command, and
the command's standard input ends with adb. The device's /data/local/tmp is in $FAKE_ANDROID. If the file
$FAKE_ANDROID/unplug_the_cable exists, adb fails during the next shell command while the command continues.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(os.environ["FAKE_ANDROID"])
PROPERTIES = {
    "ro.product.manufacturer": "Maker",
    "ro.product.model": "Phone 3",
    "ro.soc.model": "SOC8550",
    "ro.build.version.release": "14",
}


def device_error(serial: str | None) -> str | None:
    """Return adb's error about the selected device, None if it can be used."""
    devices = dict(line.split("\t") for line in (ROOT / "devices").read_text().splitlines())
    if serial is None and not devices:
        return "error: no devices/emulators found"
    if serial is None and len(devices) > 1:
        return "error: more than one device/emulator"
    if serial is not None and serial not in devices:
        return f"error: device '{serial}' not found"
    state = devices[serial] if serial else next(iter(devices.values()))
    if state == "unauthorized":
        return (
            "error: device unauthorized.\nThis adb server's $ADB_VENDOR_KEYS is not set\n"
            "Try 'adb kill-server' if that seems wrong.\n"
            "Otherwise check for a confirmation dialog on your device."
        )
    return "error: device offline" if state == "offline" else None


def local_paths(text: str) -> str:
    """Replace the device's paths by those of this machine."""
    return text.replace("/data/local/tmp", f"{ROOT}/data/local/tmp")


def shell(command: str) -> int:
    """Run a command as adbd does: in a new session, with a standard input that ends with adb."""
    tools = ROOT / "system"
    if not tools.exists():
        tools.mkdir()
        cases = "".join(f"{name}) echo '{value}';; " for name, value in PROPERTIES.items())
        (tools / "getprop").write_text(f"#!/bin/sh\ncase $1 in {cases} *) echo;; esac\n")
        (tools / "getprop").chmod(0o755)
    environment = os.environ | {"PATH": f"{tools}:{os.environ['PATH']}"}
    process = subprocess.Popen(
        ["sh", "-c", local_paths(command)], env=environment, stdin=subprocess.PIPE, start_new_session=True
    )
    if (ROOT / "unplug_the_cable").exists() and "benchmark_model --" in command.replace("'", ""):
        while not (ROOT / "running").exists():
            pass
        (ROOT / "devices").write_text("")
        print("error: device offline", file=sys.stderr)
        return 1
    return process.wait()


def main(words: list[str]) -> int:
    serial = None
    if words[:1] == ["-s"]:
        serial, words = words[1], words[2:]
    if words[:1] == ["devices"]:
        print("List of devices attached\n" + (ROOT / "devices").read_text())
        return 0
    error = device_error(serial)
    if error:
        print(f"adb: {error}" if words[0] in ("push", "pull") else error, file=sys.stderr)
        return 1
    if words[0] == "get-state":
        print("device")
        return 0
    if words[0] in ("push", "pull"):
        source, to = Path(local_paths(words[1])), Path(local_paths(words[2]))
        if not source.exists():
            print(f"adb: error: cannot stat '{words[1]}': No such file or directory", file=sys.stderr)
            return 1
        shutil.copyfile(source, to)
        print(f"{words[1]}: 1 file {words[0]}ed, 0 skipped. 25.0 MB/s ({to.stat().st_size} bytes in 0.010s)")
        return 0
    if words[0] == "shell":
        return shell(" ".join(words[1:]))
    print(f"adb: unknown command {words[0]}", file=sys.stderr)
    return 1


sys.exit(main(sys.argv[1:]))

"""What capture costs the application: capture_cost, whose table docs/OVERHEAD.md explains."""
import json
import os
import pathlib
import subprocess

from bench.rig import Figure
from harness.daemon import program

# The highest of what was measured for triggers that log keys only, when the capture was designed.
KEYS_ONLY = {"insert, one a transaction": 1.51, "update, one a transaction": 1.93,
             "insert, one a transaction, FULL": 1.15,
             "update, one a transaction, FULL": 1.15}
WIDE = ("bulk insert wide", "bulk update wide")


def cost(rig):
    report = rig.folder / "capture_cost.json"
    tool = pathlib.Path(program()).parent / "tests" / "capture_cost"
    if not os.access(tool, os.X_OK):
        raise RuntimeError(f"{tool} is missing; `make bench` builds it")
    subprocess.run([str(tool), "--rounds", str(max(3, rig.rounds)), "--scale",
                    str(max(1, min(100, int(rig.scale * 100)))), "--folder", str(rig.folder), "--json", str(report)],
                   check=True, stdout=subprocess.DEVNULL)
    work = {w["workload"]: w for w in json.loads(report.read_text())["workloads"]}
    for name, bound in KEYS_ONLY.items():
        ours = work[name]["liteferry"]
        yield Figure(f"application: {name}", "without capture", ours["time"], bound, at_least=False,
                     detail=f"{ours['low']:.2f} to {ours['high']:.2f}")
    for name in WIDE:
        ours, images = work[name]["liteferry"]["time"], work[name]["json image"]["time"]
        yield Figure(f"application: {name}, added", "added by JSON row images", (ours - 1) / (images - 1), 0.5,
                     at_least=False, detail=f"{ours:.2f} against {images:.2f}")

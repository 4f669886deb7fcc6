#!/usr/bin/env python3
"""Benchmarks of the whole program, each a ratio against a named peer or limit taken in the same run.

    tests/bench/run.py [--scale 0.2] [--rounds 3] [--only NAME,...] [--json FILE] [--strict]

--scale 1 has the sizes that the bounds are for; a smaller one says less about large tables, more is
lost in what each run costs anyway. A bound that is missed is shown; with --strict it is the exit
status too.
"""
import argparse
import json
import os
import pathlib
import platform
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from bench import application, following, initial_copy, pause, proof, quiet  # noqa: E402
from bench.rig import Rig  # noqa: E402

BENCHMARKS = {
    "copy": initial_copy.against_pgloader,
    "copy_psql": initial_copy.against_psql,
    "updates": following.updates,
    "inserts": following.inserts,
    "writer": following.full_speed,
    "lag": following.lag,
    "application": application.cost,
    "memory": quiet.memory,
    "idle": quiet.idle,
    "pause": pause.of_cutover,
    "verify": proof.of_verify,
}


def show(figure):
    bound, verdict = "", ""
    if figure.bound is not None:
        bound = f"{'>=' if figure.at_least else '<='} {figure.bound:g}"
        verdict = "ok" if figure.holds else "MISSED"
    print(f"{figure.name:44} {figure.ratio:8.3f} {bound:>8} {verdict:7} {figure.against}"
          f"{': ' + figure.detail if figure.detail else ''}", flush=True)


def machine():
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    return {"cpus": os.cpu_count(), "memory_mib": memory, "system": platform.platform()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=0.2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help=", ".join(BENCHMARKS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json")
    parser.add_argument("--strict", action="store_true")
    options = parser.parse_args()
    names = [n for n in options.only.split(",") if n] or list(BENCHMARKS)
    unknown = [n for n in names if n not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark named {unknown[0]} ({', '.join(BENCHMARKS)})")
    figures = []
    rig = Rig(options.scale, options.rounds, options.seed)
    print(f"scale {options.scale:g}, {options.rounds} rounds, {machine()}", flush=True)
    try:
        for name in names:
            begin = time.monotonic()
            for figure in BENCHMARKS[name](rig):
                figures.append(figure)
                show(figure)
            print(f"  ({name}: {time.monotonic() - begin:.0f} s)", flush=True)
    finally:
        rig.close()
    if options.json:
        report = {"machine": machine(), "scale": options.scale, "rounds": options.rounds,
                  "figures": [{**vars(f), "holds": f.holds} for f in figures]}
        pathlib.Path(options.json).write_text(json.dumps(report, indent=1) + "\n")
    missed = [f.name for f in figures if f.holds is False]
    print(f"{len(figures)} figures, {len(missed)} bounds missed{': ' + ', '.join(missed) if missed else ''}")
    return 1 if options.strict and missed else 0


if __name__ == "__main__":
    sys.exit(main())

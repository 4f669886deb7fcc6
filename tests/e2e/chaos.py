#!/usr/bin/env python3
"""Random faults under a random writer, round after round in one life; both databases are equal after each.

By hand, more of it:   python3 tests/e2e/chaos.py --rounds 500 --seed 7
"""
import argparse
import collections
import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import case, chaos  # noqa: E402
from harness.process import unprivileged  # noqa: E402
from harness.small_disk import SmallDisk  # noqa: E402

OPTIONS = argparse.Namespace(rounds=30)
SETTLED = 120  # seconds; the daemon looks again by itself after at most half of it


class Chaos(case.Case):
    settings = chaos.SETTINGS

    @classmethod
    def make_cluster(cls):
        cls.cluster_disk = SmallDisk("primary", 192, unprivileged())
        return super().make_cluster(folder=cls.cluster_disk.path, initdb=chaos.INITDB)

    def setUp(self):
        super().setUp()
        self.world = chaos.World(self, random.Random(f"{self.seed} world"))
        self.addCleanup(self.world.close)
        self.happened = collections.deque(maxlen=8)
        self.counts = collections.Counter()

    def test_rounds(self):
        faults = dict(chaos.FAULTS)
        if self.world.disks_are_real:
            faults.update(chaos.FULL_DISKS)
        else:
            print("\n*** no tmpfs can be mounted here: no disk will be full in these rounds ***\n", flush=True)
        self.world.begin()
        self.settle()
        for number in range(OPTIONS.rounds):
            begin = time.monotonic()
            self.world.dice = dice = random.Random(f"{self.seed} {number}")
            chosen = self.choose(faults, dice)
            names = " + ".join(f.__name__ for f in chosen)
            self.happened.append(f"round {number}: {names}")
            self.counts.update(f.__name__ for f in chosen)
            try:
                self.round(chosen, dice)
            except BaseException as error:
                raise AssertionError(f"{error}\nrounds: " + "; ".join(self.happened)
                                     + f"\n--seed {self.seed}, {self.world.journal}") from error
            print(f"{number}: {names}, {time.monotonic() - begin:.1f} s", flush=True)
        print(f"{OPTIONS.rounds} rounds, {self.world.journal}: {dict(self.counts)}", flush=True)

    @staticmethod
    def choose(faults, dice):
        first = dice.choice(list(faults))
        others = [f for f in faults if not faults[f] & faults[first]]
        return [first] + ([dice.choice(others)] if dice.random() < 0.5 else [])

    def round(self, chosen, dice):
        world = self.world
        world.rewound = False
        if dice.random() < 0.3:
            world.back_up()
        if world.writer is None:
            world.write()
        chaos.pause(world, 0.4)
        running = []
        for fault in chosen:
            running.append(fault(world))
            next(running[-1])
            chaos.pause(world, 0.6)
        dice.shuffle(running)
        for fault in running:
            next(fault, None)
            chaos.pause(world, 0.3)
        world.stop_writing()
        self.settle()
        report = self.assert_equal(world.path)
        world.proxy.arm(None)  # a cut that found no COMMIT of the daemon is not meant for verify's
        if dice.random() < 0.2:
            world.daemon.must("verify")
        return report

    def settle(self):
        """Until all that was written is there; only what `status` says is done about it."""
        world = self.world
        world.mark()
        deadline = time.monotonic() + SETTLED
        while True:
            world.daemon.until_answers()
            status = world.daemon.status()
            if status and status["state"] == "halted":
                self.obey(status)
            elif (status and status["state"] == "following" and status["consistent"] and status["backlog_changes"] == 0
                  and status["position"]["applied"] == status["position"]["captured"] and world.marked()):
                return
            if time.monotonic() > deadline:
                raise AssertionError(f"not settled: {status}\n{world.daemon.tail()}")
            time.sleep(0.1)

    def obey(self, status):
        if "resume --reconcile" not in status["next_action"]:
            self.world.daemon.must("resume")
            return
        self.assertTrue(self.world.rewound, f"nothing went back in time: {status}")
        self.world.daemon.must("resume", "--reconcile")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--rounds", type=int)
    _, sys.argv[1:] = parser.parse_known_args(namespace=OPTIONS)
    case.main()

"""The Debian package: its unit, and its whole life in a clean Debian.

The clean Debian is a folder that debootstrap fills; that takes root, debootstrap and Debian's mirror. What
needs it is skipped where one of them is not there; the rest runs everywhere.
"""
import hashlib
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import unittest

from harness.daemon import program
from harness.process import ROOT, clean_environment, spawn, temp_dir, wait_until

BUILD = pathlib.Path(program()).resolve().parent
UNIT = ROOT / "deploy" / "systemd" / "liteferry@.service"
# systemd's own words for what this unit may do: 1.5 of 10, "OK" (systemd 252). Tenths here.
EXPOSURE = 20


def run(*command, **kwargs):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False,
                          timeout=kwargs.pop("timeout", 300), **kwargs)


def must(*command, **kwargs):
    result = run(*command, **kwargs)
    if result.returncode != 0:
        raise AssertionError(f"{command}: status {result.returncode}\n{result.stdout}{result.stderr}")
    return result.stdout


def package(folder):
    """The package of this build, made anew."""
    must("cpack", "-G", "DEB", "-B", folder, "--config", BUILD / "CPackConfig.cmake", cwd=BUILD)
    deb, = folder.glob("*.deb")
    return deb


def unit_settings():
    lines = [line for line in UNIT.read_text().splitlines() if "=" in line and line[0] not in "#["]
    return [tuple(line.split("=", 1)) for line in lines]


class Unit(unittest.TestCase):
    def setUp(self):
        self.dir = temp_dir("unit")
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.instance = self.dir / "liteferry@notes.service"

    @unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze")
    def test_systemd_takes_it_and_finds_it_hardened(self):
        # The unit's program is not installed where the tests run.
        self.instance.write_text(UNIT.read_text().replace("/usr/bin/liteferry", program()))
        verified = run("systemd-analyze", "verify", "--man=no", self.instance)
        self.assertNotIn("liteferry", verified.stderr)
        must("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager",
             self.instance)
        loose = self.dir / "loose@notes.service"
        loose.write_text(self.instance.read_text().replace("ProtectSystem=strict\n", "")
                         .replace("CapabilityBoundingSet=\n", ""))
        self.assertNotEqual(run("systemd-analyze", "security", "--offline=true", "--no-pager",
                                f"--threshold={EXPOSURE}", loose).returncode, 0)

    def test_the_program_takes_its_environment(self):
        url = self.dir / "target-url"
        url.write_text("postgresql://app:secret@db/app\n")
        config = self.dir / "notes.yaml"
        config.write_text("source: {path: /var/lib/notes/app.db}\n")
        named = dict(v.split("=", 1) for k, v in unit_settings() if k == "Environment")
        self.assertEqual(named, {"LITEFERRY_CONFIG": "/etc/liteferry/%i.yaml",
                                 "LITEFERRY_TARGET_URL_FILE": "%d/target-url"})
        env = clean_environment() | {"LITEFERRY_CONFIG": str(config), "LITEFERRY_TARGET_URL_FILE": str(url)}
        printed = must(program(), "config", "print", env=env)
        self.assertIn(str(url), printed)
        self.assertNotIn("secret", printed)


def obstacle():
    """Why there can be no clean Debian here, or ""."""
    if os.geteuid() != 0:
        return "not root"
    return "" if shutil.which("debootstrap") else "no debootstrap"


def dependencies(deb):
    """The packages that this one depends on, by their own names, as far as a clean Debian lacks them."""
    needed = {re.split(r"[ (|:]", d.strip())[0] for d in must("dpkg-deb", "-f", deb, "Depends").split(",")}
    provided = {}  # e.g. libspdlog1.10-fmt9 is what libspdlog1.10 provides
    for line in must("dpkg-query", "-W", "-f=${Package}\t${Provides}\n").splitlines():
        package_name, provides = line.split("\t")
        provided.update({re.split(r"[ (]", p.strip())[0]: package_name for p in provides.split(",")})
        provided[package_name] = package_name
    return sorted({provided[name] for name in needed} - {"libc6", "libgcc-s1", "libstdc++6"})


def debian_root(libraries):
    """A folder with a clean Debian that has these packages, or None and why not."""
    digest = hashlib.sha256(" ".join(libraries).encode()).hexdigest()[:12]
    cached = BUILD / f"debian-root-{digest}.tar"
    if not cached.exists():
        folder = temp_dir("debian")
        try:
            # The libraries come with it, so that nothing has to be fetched from inside.
            result = run("debootstrap", "--variant=minbase", f"--include={','.join(libraries)}", "bookworm",
                         folder / "root", timeout=900)
            if "Couldn't find these debs" in result.stderr + result.stdout:
                raise AssertionError(result.stdout + result.stderr)
            if result.returncode != 0:
                return None, "debootstrap: " + (result.stdout + result.stderr)[-500:]
            must("tar", "-C", folder / "root", "-cf", f"{cached}.new", ".")
            os.rename(f"{cached}.new", cached)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return cached, ""


class Life(unittest.TestCase):
    """Installed, started as the unit would, removed, purged."""

    @classmethod
    def setUpClass(cls):
        if obstacle():
            raise unittest.SkipTest(obstacle())
        cls.dir = temp_dir("package")
        cls.addClassCleanup(shutil.rmtree, cls.dir, ignore_errors=True)
        cls.deb = package(cls.dir / "deb")
        cached, why = debian_root(dependencies(cls.deb))
        if cached is None:
            raise unittest.SkipTest(why)
        cls.root = cls.dir / "root"
        cls.root.mkdir()
        must("tar", "-C", cls.root, "-xpf", cached)

    def inside(self, *command):
        return must("chroot", self.root, *command, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})

    def files(self):
        return {str(p.relative_to(self.root)) for p in self.root.rglob("*liteferry*")
                if not p.is_relative_to(self.root / "var/lib/dpkg")}

    def test_installed_started_removed_purged(self):
        self.assertEqual(self.files(), set())
        shutil.copy(self.deb, self.root / "tmp" / "package.deb")
        self.inside("dpkg", "-i", "/tmp/package.deb")
        self.assertEqual(self.inside("dpkg-query", "-Wf", "${db:Status-Status}", "liteferry"), "installed")
        self.assertTrue((self.root / "usr/lib/systemd/system/liteferry@.service").is_file())
        self.assertEqual(list((self.root / "etc/systemd").rglob("*liteferry*")), [])  # not enabled
        self.assertIn("liteferry ", self.inside("liteferry", "version"))
        self.inside("bash", "-n", "/usr/share/bash-completion/completions/liteferry")
        self.assertEqual(self.inside("liteferry", "config", "sample"),
                         (self.root / "etc/liteferry/liteferry.yaml").read_text())
        self.start_and_stop()

        sample = self.root / "etc/liteferry/liteferry.yaml"
        sample.write_text(sample.read_text() + "# mine\n")
        self.inside("dpkg", "-r", "liteferry")
        self.assertEqual(self.files(), {"etc/liteferry", "etc/liteferry/liteferry.yaml"})
        self.assertTrue(sample.read_text().endswith("# mine\n"))
        self.inside("dpkg", "-P", "liteferry")
        self.assertEqual(self.files(), set())

    def start_and_stop(self):
        """ExecStart, with somebody at NOTIFY_SOCKET in systemd's place; PostgreSQL is away all the time."""
        data = self.root / "var/lib/notes"
        data.mkdir()
        connection = sqlite3.connect(data / "app.db")
        connection.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT)")
        connection.close()
        (self.root / "tmp/url").write_text("postgresql://app@127.0.0.1:1/app\n")
        (self.root / "tmp/notes.yaml").write_text("source: {path: /var/lib/notes/app.db}\n"
                                                  "http: {listen: 127.0.0.1:0}\n")
        command, = [v for k, v in unit_settings() if k == "ExecStart"]
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(str(self.root / "tmp/notify"))
            notify.setblocking(False)
            env = {"PATH": "/usr/sbin:/usr/bin", "NOTIFY_SOCKET": "/tmp/notify", "WATCHDOG_USEC": "2000000",
                   "LITEFERRY_CONFIG": "/tmp/notes.yaml", "LITEFERRY_TARGET_URL_FILE": "/tmp/url"}
            with open(self.dir / "log", "wb") as log:
                daemon = spawn(["chroot", str(self.root), *command.split()], stdin=subprocess.DEVNULL,
                               stdout=log, stderr=log, env=env)
            self.addCleanup(daemon.kill)
            told = []

            def heard(*words):
                while True:
                    try:
                        told.extend(notify.recv(4096).decode().splitlines())
                    except BlockingIOError:
                        break
                if daemon.poll() not in (None, 0):
                    raise AssertionError((self.dir / "log").read_text())
                return all(any(line.startswith(word) for line in told) for word in words)

            wait_until("READY, STATUS and WATCHDOG",
                       lambda: heard("READY=1", "STATUS=", "WATCHDOG=1"), 120)
            self.assertEqual(told[0], "READY=1")
            daemon.send_signal(signal.SIGTERM)
            self.assertEqual(daemon.wait(120), 0, (self.dir / "log").read_text())
            self.assertTrue(heard("STOPPING=1"), told)


if __name__ == "__main__":
    outcome = unittest.main(verbosity=2, exit=False).result
    if outcome.skipped:
        print("\n*** SKIPPED in part: "
              + "; ".join(f"{test}: {why}" for test, why in outcome.skipped) + " ***\n", flush=True)
    sys.exit(1 if not outcome.wasSuccessful() else 77 if outcome.skipped else 0)

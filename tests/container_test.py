"""The container image and the compose file: what can be known of them without building and starting them."""
import os
import re
import shutil
import subprocess
import sys
import unittest

import yaml

from harness.daemon import program
from harness.process import ROOT, clean_environment

CONTAINER = ROOT / "deploy" / "container" / "Dockerfile"
SERVICE = ROOT / "deploy" / "compose" / "service.Dockerfile"
COMPOSE = ROOT / "deploy" / "compose" / "compose.yaml"


def run(*command, **kwargs):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False,
                          timeout=kwargs.pop("timeout", 120), **kwargs)


def stages(dockerfile):
    """[(instruction, text)] of each stage; what stands before the first is a stage of its own."""
    text = re.sub(r"\\\n\s*", "", re.sub(r"^\s*#.*\n", "", dockerfile.read_text(), flags=re.M))
    found = [[]]
    for line in filter(None, text.splitlines()):
        word, rest = line.split(None, 1)
        if word == "FROM":
            found.append([])
        found[-1].append((word, rest))
    return found


def of(stage, word):
    return [rest for name, rest in stage if name == word]


def debian_packages(stage):
    """What apt-get installs by name from Debian."""
    return [word for text in of(stage, "RUN") for command in re.findall(r"apt-get install ([^&]*)", text)
            for word in command.split() if not word.startswith(("-", "/"))]


class Image(unittest.TestCase):
    def setUp(self):
        self.build, self.image = stages(CONTAINER)[1:]

    def test_the_second_stage_has_nothing_of_the_first_but_its_package(self):
        self.assertEqual(of(self.image, "COPY") + of(self.image, "ADD"), [])
        installed, = [text for text in of(self.image, "RUN") if "--mount=type=bind,from=build" in text]
        # By its path, so that apt fetches what the package depends on: no second list of libraries.
        self.assertIn("/package/liteferry.deb", installed)
        self.assertEqual(debian_packages(self.image), ["ca-certificates"])
        self.assertIn("--no-install-recommends", installed)
        self.assertIn("rm -rf /var/lib/apt/lists/*", installed)

    def test_it_runs_the_daemon_as_a_user_with_a_number(self):
        user, = of(self.image, "USER")
        self.assertRegex(user, r"^[1-9]\d*:[1-9]\d*$")
        self.assertEqual(of(self.image, "ENTRYPOINT"), ['["liteferry"]'])
        self.assertEqual(of(self.image, "CMD"), ['["run"]'])
        words = [name for name, _ in self.image]
        self.assertGreater(words.index("USER"), len(words) - 1 - words[::-1].index("RUN"), "all RUN are root's")

    def test_no_secret_and_no_setting_is_baked_in(self):
        for dockerfile in (CONTAINER, SERVICE):
            text = dockerfile.read_text()
            self.assertIsNone(re.search(r"(password|secret|token|://[^/\s]*:[^/\s]*@)", text, re.I), dockerfile)
        self.assertEqual(of(self.image, "ENV"), [], "an environment beats the user's configuration file")

    def test_it_is_the_user_of_the_deployments(self):
        user = of(self.image, "USER")[0]
        number = int(user.split(":")[0])
        deployment = next(yaml.safe_load_all(
            (ROOT / "deploy/kubernetes/components/cleanup-job/job.yaml").read_text()))
        self.assertEqual(deployment["spec"]["template"]["spec"]["securityContext"]["runAsUser"], number)
        self.assertEqual(of(stages(SERVICE)[1], "USER"), [user])
        self.assertIn(f"install -d -o {number} -g {number} /data", of(self.image, "RUN")[0])

    def test_the_build_stage_needs_nothing_but_what_is_copied(self):
        copied = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
        for path in copied:
            self.assertTrue((ROOT / path).exists(), path)
        # Every folder of the program, and every file that the package is made of.
        wanted = set(re.findall(r"add_subdirectory\((\w+)\)", (ROOT / "CMakeLists.txt").read_text()))
        wanted |= set(re.findall(r"CMAKE_SOURCE_DIR}/(\w+)", (ROOT / "cmake/package.cmake").read_text()))
        self.assertLessEqual(wanted, copied | {"tests"})
        self.assertIn("LITEFERRY_TESTS=OFF", " ".join(of(self.build, "RUN")))

    @unittest.skipUnless(shutil.which("apt-cache"), "no apt-cache")
    def test_what_is_installed_exists(self):
        listed = run(ROOT / "scripts/setup.sh", "--list", "build").stdout.split()
        self.assertIn("g++", listed)
        packages = set(listed + debian_packages(self.image) + debian_packages(stages(SERVICE)[1]))
        policy = run("apt-cache", "policy", *sorted(packages)).stdout
        had = dict(re.findall(r"^(\S+):\n  Installed: .*\n  Candidate: (\d\S*)", policy, re.M))
        self.assertEqual(packages - set(had), set())


class Compose(unittest.TestCase):
    def setUp(self):
        self.text = COMPOSE.read_text()
        self.services = yaml.safe_load(self.text)["services"]

    def beside_sqlite(self):
        return {name: s for name, s in self.services.items() if "notes:/data" in s.get("volumes", [])}

    def test_whoever_opens_the_file_is_the_same_user_and_may_little(self):
        found = self.beside_sqlite()
        self.assertEqual(set(found), {"migrate-sqlite", "liteferry", "notes"})
        for name, service in found.items():
            self.assertEqual(service["user"], "10001:10001", name)
            self.assertEqual((service["read_only"], service["cap_drop"]), (True, ["ALL"]), name)
            self.assertEqual(service["security_opt"], ["no-new-privileges:true"], name)

    def test_the_application_stops_before_liteferry_and_that_before_postgresql(self):
        """compose stops in the reverse order of depends_on."""
        def depends(name):
            below = set(self.services[name].get("depends_on", {}))
            return below | {deeper for other in below for deeper in depends(other)}
        self.assertIn("liteferry", depends("notes"))
        self.assertIn("postgres", depends("liteferry"))
        self.assertEqual(self.services["notes"]["depends_on"]["liteferry"], {"condition": "service_started"})

    def test_the_program_takes_its_environment(self):
        variables = {k: v.replace("${NOTES_PASSWORD}", "secret")
                     for k, v in self.services["liteferry"]["environment"].items()}
        result = run(program(), "config", "print", env=clean_environment() | variables)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn("secret", result.stdout)
        shown = yaml.safe_load(result.stdout)
        self.assertEqual(shown["source"]["path"], self.services["notes"]["environment"]["PALDOCS_DATABASE_PATH"])
        self.assertEqual(shown["http"]["listen"], ":9809")

    def test_ports_are_open_to_this_machine_only(self):
        for service in self.services.values():
            for port in service.get("ports", []):
                self.assertTrue(port.startswith("127.0.0.1:"), port)

    def test_no_password_is_written_down(self):
        for password in re.findall(r"(?i)password:\s*(\S+)|://\w+:([^@]*)@", self.text):
            self.assertTrue("".join(password).startswith("${NOTES_PASSWORD"), password)

    def test_its_dockerfiles_exist(self):
        for service in self.services.values():
            if "build" in service:
                context = (COMPOSE.parent / service["build"]["context"]).resolve()
                self.assertEqual(context, ROOT)
                self.assertTrue((context / service["build"]["dockerfile"]).is_file())
        for line in of(stages(SERVICE)[1], "COPY"):
            self.assertTrue((ROOT / line.split()[0]).is_dir(), line)

    def test_the_role_of_the_application_is_no_superuser(self):
        script = (COMPOSE.parent / "init.sh")
        self.assertTrue(os.access(script, os.X_OK))
        self.assertEqual(run("sh", "-n", script).returncode, 0)
        made, = re.findall(r"CREATE ROLE (.*);", script.read_text())
        self.assertNotRegex(made.upper(), "SUPERUSER|CREATEROLE|REPLICATION")


if __name__ == "__main__":
    unittest.main(verbosity=2)

"""What kustomize makes of deploy/kubernetes: every overlay builds, and avoids the known traps."""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import yaml

from harness.daemon import program
from harness.process import ROOT, clean_environment

KUBERNETES = ROOT / "deploy" / "kubernetes"
OVERLAYS = sorted(p.parent for p in KUBERNETES.glob("overlays/*/kustomization.yaml"))
COMPONENTS = sorted(p.parent for p in KUBERNETES.glob("components/*/kustomization.yaml"))
SKIPPED = 77


def build(folder):
    result = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True,
                            timeout=120, check=False)
    if result.returncode != 0:
        raise AssertionError(f"{folder}: {result.stderr}")
    return [r for r in yaml.safe_load_all(result.stdout) if r]


def of_kind(resources, kind):
    return [r for r in resources if r["kind"] == kind]


def pod_specs(resources):
    return {r["metadata"]["name"]: r["spec"]["template"]["spec"]
            for r in resources if r["kind"] in ("Deployment", "Job")}


def containers(pod):
    return pod.get("initContainers", []) + pod["containers"]


class Overlays(unittest.TestCase):
    """Invariants of everything that an overlay applies."""

    @classmethod
    def setUpClass(cls):
        cls.built = {folder.name: build(folder) for folder in OVERLAYS}

    def each(self):
        self.assertTrue(self.built)
        return self.built.values()

    def test_a_container_may_nothing_that_it_does_not_need(self):
        for resources in self.each():
            for pod in pod_specs(resources).values():
                self.assertIs(pod["securityContext"]["runAsNonRoot"], True)
                self.assertEqual(pod["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
                self.assertIs(pod["automountServiceAccountToken"], False)
                for container in containers(pod):
                    context = container["securityContext"]
                    self.assertIs(context["readOnlyRootFilesystem"], True, container["name"])
                    self.assertIs(context["allowPrivilegeEscalation"], False, container["name"])
                    self.assertEqual(context["capabilities"], {"drop": ["ALL"]}, container["name"])
                    self.assertIn("memory", container["resources"]["limits"], container["name"])

    def test_one_user_for_all_containers_on_the_volume(self):
        for resources in self.each():
            for pod in pod_specs(resources).values():
                self.assertTrue(pod["securityContext"]["runAsUser"])
                for container in containers(pod):
                    self.assertNotIn("runAsUser", container["securityContext"], container["name"])

    def test_every_mount_has_its_volume_and_every_volume_its_object(self):
        for resources in self.each():
            names = {(r["kind"], r["metadata"]["name"]) for r in resources}
            for pod in pod_specs(resources).values():
                volumes = {v["name"]: v for v in pod["volumes"]}
                used = {m["name"] for c in containers(pod) for m in c.get("volumeMounts", [])}
                self.assertEqual(used, set(volumes))
                for volume in volumes.values():
                    if "configMap" in volume:
                        self.assertIn(("ConfigMap", volume["configMap"]["name"]), names)
                    elif "persistentVolumeClaim" in volume:
                        claim = volume["persistentVolumeClaim"]["claimName"]
                        self.assertIn(("PersistentVolumeClaim", claim), names)

    def test_two_pods_never_have_the_volume(self):
        for resources in self.each():
            for claim in of_kind(resources, "PersistentVolumeClaim"):
                self.assertEqual(claim["spec"]["accessModes"], ["ReadWriteOncePod"])
            for deployment in of_kind(resources, "Deployment"):
                self.assertEqual(deployment["spec"]["replicas"], 1)
                self.assertEqual(deployment["spec"]["strategy"], {"type": "Recreate"})

    def test_the_database_is_mounted_as_a_folder(self):
        for resources in self.each():
            for pod in pod_specs(resources).values():
                for container in containers(pod):
                    for mount in container.get("volumeMounts", []):
                        if mount["name"] == "data":
                            self.assertNotIn("subPath", mount)
                            self.assertNotEqual(mount.get("readOnly"), True)

    def test_policies_and_services_name_ports_by_number(self):
        for resources in self.each():
            for service in of_kind(resources, "Service"):
                for port in service["spec"]["ports"]:
                    self.assertIsInstance(port["targetPort"], int)
            for policy in of_kind(resources, "NetworkPolicy"):
                for rule in policy["spec"]["ingress"] + policy["spec"]["egress"]:
                    for port in rule["ports"]:
                        self.assertIsInstance(port["port"], int)

    def test_selectors_find_the_pod(self):
        for resources in self.each():
            labels = of_kind(resources, "Deployment")[0]["spec"]["template"]["metadata"]["labels"]
            selectors = [s["spec"]["selector"] for s in of_kind(resources, "Service")]
            selectors += [m["spec"]["selector"]["matchLabels"] for m in of_kind(resources, "PodMonitor")]
            selectors += [p["spec"]["podSelector"]["matchLabels"]
                          for p in of_kind(resources, "NetworkPolicy")]
            self.assertTrue(selectors)
            for selector in selectors:
                self.assertTrue(selector)
                self.assertLessEqual(selector.items(), labels.items())
            # A Job's pod with these labels would stand behind the Service.
            for job in of_kind(resources, "Job"):
                self.assertNotEqual(job["spec"]["template"]["metadata"]["labels"], labels)

    def test_no_secret_is_in_the_manifests(self):
        for resources in self.each():
            self.assertEqual(of_kind(resources, "Secret"), [])
            self.assertIsNone(re.search(r"postgres(ql)?://[^\s\"]*:[^\s\"]*@", json.dumps(resources)))


class Sidecar(unittest.TestCase):
    """The overlay in which liteferry follows."""

    @classmethod
    def setUpClass(cls):
        cls.resources = build(KUBERNETES / "overlays" / "before")
        cls.pod = pod_specs(cls.resources)["paldocs"]
        cls.containers = {c["name"]: c for c in cls.pod["initContainers"]}
        cls.liteferry = cls.containers["liteferry"]

    def config(self):
        volume = next(v for v in self.pod["volumes"] if v["name"] == "liteferry-config")
        name = volume["configMap"]["name"]
        self.assertRegex(name, "^liteferry-[a-z0-9]+$")  # a hash: a change restarts the pod
        maps = {r["metadata"]["name"]: r["data"] for r in of_kind(self.resources, "ConfigMap")}
        return maps[name]["liteferry.yaml"]

    def test_it_is_a_native_sidecar_between_litestream_and_the_application(self):
        order = [c["name"] for c in self.pod["initContainers"]]
        self.assertEqual(order, ["migrate", "litestream", "liteferry"])
        self.assertNotIn("restartPolicy", self.containers["migrate"])
        self.assertEqual(self.containers["litestream"]["restartPolicy"], "Always")
        self.assertEqual(self.liteferry["restartPolicy"], "Always")
        self.assertGreaterEqual(self.pod["terminationGracePeriodSeconds"], 60)

    def test_its_probes_cannot_stop_the_application(self):
        self.assertNotIn("readinessProbe", self.liteferry)
        for probe in ("startupProbe", "livenessProbe"):
            self.assertEqual(self.liteferry[probe]["httpGet"], {"path": "/livez", "port": 9809})

    def test_the_podmonitor_scrapes_a_port_that_exists(self):
        ports = {p["name"]: p["containerPort"] for p in self.liteferry["ports"]}
        for name in ports:
            self.assertLessEqual(len(name), 15)
        endpoint, = of_kind(self.resources, "PodMonitor")[0]["spec"]["podMetricsEndpoints"]
        self.assertEqual(ports[endpoint["port"]], 9809)

    def test_the_program_accepts_its_configuration(self):
        variables = {v["name"]: v for v in self.liteferry["env"]}
        self.assertEqual(variables["LITEFERRY_TARGET_URL"]["valueFrom"],
                         {"secretKeyRef": {"name": "paledocs-db-url", "key": "DATABASE_URL"}})
        mounts = {m["name"]: m["mountPath"] for m in self.liteferry["volumeMounts"]}
        where = pathlib.PurePosixPath(variables["LITEFERRY_CONFIG"]["value"])
        self.assertEqual(str(where.parent), mounts["liteferry-config"])
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(self.config())
            file.flush()
            env = clean_environment() | {
                "LITEFERRY_CONFIG": file.name,
                "LITEFERRY_TARGET_URL": "postgresql+asyncpg://app:secret@paldocs-db-rw:5432/app"}
            result = subprocess.run([program(), "config", "print"], env=env, capture_output=True,
                                    text=True, timeout=60, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn("secret", result.stdout)

    def test_what_it_writes_it_may_write(self):
        settings = yaml.safe_load(self.config())
        mounts = {m["mountPath"]: m["name"] for m in self.liteferry["volumeMounts"]}
        volumes = {v["name"]: v for v in self.pod["volumes"]}
        folder = str(pathlib.PurePosixPath(settings["socket"]["path"]).parent)
        self.assertIn("emptyDir", volumes[mounts[folder]])
        self.assertIn("emptyDir", volumes[mounts["/tmp"]])
        folder = str(pathlib.PurePosixPath(settings["source"]["path"]).parent)
        self.assertIn("persistentVolumeClaim", volumes[mounts[folder]])
        self.assertEqual(settings["http"]["listen"], ":9809")

    def test_the_application_writes_to_the_file_that_is_followed(self):
        app, = self.pod["containers"]
        url, = [v["value"] for v in app["env"] if v["name"] == "DATABASE_URL"]
        self.assertTrue(url.endswith("/" + yaml.safe_load(self.config())["source"]["path"]), url)
        litestream, = [r for r in of_kind(self.resources, "ConfigMap")
                       if r["metadata"]["name"].startswith("paldocs-litestream-")]
        paths = [d["path"] for d in yaml.safe_load(litestream["data"]["litestream.yml"])["dbs"]]
        self.assertEqual(paths, [yaml.safe_load(self.config())["source"]["path"]])

    def test_alerts_and_dashboard_are_those_of_deploy(self):
        rule, = of_kind(self.resources, "PrometheusRule")
        rules = yaml.safe_load((ROOT / "deploy/prometheus/liteferry.rules.yaml").read_text())
        self.assertEqual(rule["spec"], rules)
        subprocess.run([sys.executable, ROOT / "scripts/prometheus_rule.py", "--check"], check=True,
                       timeout=60)
        dashboard, = [r for r in of_kind(self.resources, "ConfigMap")
                      if r["metadata"]["name"] == "liteferry-dashboard"]
        self.assertEqual(dashboard["metadata"]["labels"]["grafana_dashboard"], "1")
        self.assertEqual(json.loads(dashboard["data"]["liteferry.json"]),
                         json.loads((ROOT / "deploy/grafana/liteferry.json").read_text()))


class Commits(unittest.TestCase):
    """The way of the deployment from SQLite to PostgreSQL, one overlay a commit."""

    @classmethod
    def setUpClass(cls):
        cls.order = ["before", "armed", "cutover", "cleanup", "after"]
        cls.built = {name: build(KUBERNETES / "overlays" / name) for name in cls.order}
        cls.pods = {name: pod_specs(resources)["paldocs"] for name, resources in cls.built.items()}

    def init(self, commit):
        return [c["name"] for c in self.pods[commit]["initContainers"]]

    def url(self, commit, container):
        found, = [c for c in containers(self.pods[commit]) if c["name"] == container]
        variable, = [v for v in found["env"] if v["name"] == "DATABASE_URL"]
        return variable

    def test_there_are_no_others(self):
        self.assertEqual(sorted(self.order), [folder.name for folder in OVERLAYS])

    def test_arming_changes_what_the_daemon_does_at_its_end_and_nothing_else(self):
        before, armed = self.pods["before"], self.pods["armed"]
        sidecar = armed["initContainers"][-1]
        self.assertEqual(sidecar["env"].pop(), {"name": "LITEFERRY_CUTOVER_ON_SHUTDOWN", "value": "true"})
        self.assertGreater(armed["terminationGracePeriodSeconds"], before["terminationGracePeriodSeconds"])
        self.assertEqual({**armed, "terminationGracePeriodSeconds": before["terminationGracePeriodSeconds"]}, before)
        env = clean_environment() | {"LITEFERRY_CUTOVER_ON_SHUTDOWN": "true", "LITEFERRY_SOURCE_PATH": "/data/x.db",
                                     "LITEFERRY_TARGET_URL": "postgresql://app@db/app"}
        printed = subprocess.run([program(), "config", "print"], env=env, capture_output=True, text=True,
                                 timeout=60, check=True).stdout
        self.assertRegex(printed, r"on_shutdown: true")

    def test_nothing_opens_postgresql_for_the_application_before_the_gate(self):
        self.assertEqual(self.init("cutover"), ["litestream", "gate", "migrate"])
        gate = self.pods["cutover"]["initContainers"][1]
        self.assertEqual(gate["args"][:2], ["cutover", "gate"])
        self.assertNotIn("restartPolicy", gate)  # it must end, and well, before anything else starts
        sidecar = self.pods["before"]["initContainers"][-1]
        self.assertEqual(gate["image"], sidecar["image"])
        self.assertEqual(gate["env"], sidecar["env"])
        mounts = {m["mountPath"]: m["name"] for m in gate["volumeMounts"]}
        self.assertEqual(mounts["/data"], "data")

    def test_the_url_changes_with_the_cutover(self):
        secret = {"secretKeyRef": {"name": "paledocs-db-url", "key": "DATABASE_URL"}}
        for commit in self.order:
            for container in ("migrate", "paldocs"):
                variable = self.url(commit, container)
                if commit in ("before", "armed"):
                    self.assertIn("sqlite", variable["value"])
                else:
                    self.assertEqual(variable, {"name": "DATABASE_URL", "valueFrom": secret})

    def test_both_pods_of_the_cutover_have_the_same_volume_and_configuration(self):
        def of(commit):
            return [v for v in self.pods[commit]["volumes"] if v["name"] in ("data", "liteferry-config")]
        self.assertEqual(of("armed"), of("cutover"))
        self.assertEqual(len(of("armed")), 2)

    def test_cleanup_has_the_volume_that_the_application_has_let_go(self):
        resources = self.built["cleanup"]
        self.assertEqual(self.init("cleanup"), ["migrate"])
        self.assertNotIn("data", [v["name"] for v in self.pods["cleanup"]["volumes"]])
        job = pod_specs(resources)["paldocs-cleanup"]
        self.assertEqual(job["containers"][0]["args"], ["cleanup"])
        self.assertEqual(job["securityContext"]["runAsUser"], self.pods["cleanup"]["securityContext"]["runAsUser"])
        claim, = [v["persistentVolumeClaim"]["claimName"] for v in job["volumes"] if v["name"] == "data"]
        self.assertIn(claim, [r["metadata"]["name"] for r in of_kind(resources, "PersistentVolumeClaim")])

    def test_afterwards_nothing_is_left(self):
        resources = self.built["after"]
        self.assertEqual(sorted(r["kind"] for r in resources), ["Deployment", "NetworkPolicy", "Service"])
        text = json.dumps(resources).lower()
        for word in ("sqlite", "litestream", "liteferry", "9809", "/data"):
            self.assertNotIn(word, text)
        self.assertEqual(self.pods["after"], self.pods["cleanup"])

    def test_nothing_is_scraped_or_missed_where_no_daemon_runs(self):
        for commit in self.order:
            sidecar = any(c["name"] == "liteferry" for c in containers(self.pods[commit]))
            for kind in ("PodMonitor", "PrometheusRule"):
                self.assertEqual(len(of_kind(self.built[commit], kind)), 1 if sidecar else 0, (commit, kind))


class Components(unittest.TestCase):
    def test_each_builds_upon_the_base(self):
        for component in COMPONENTS:
            with self.subTest(component=component.name), tempfile.TemporaryDirectory() as folder:
                copy = pathlib.Path(folder, "deploy")
                shutil.copytree(KUBERNETES.parent, copy)
                overlay = copy / "kubernetes" / "overlays" / "one"
                overlay.mkdir()
                overlay.joinpath("kustomization.yaml").write_text(yaml.safe_dump({
                    "resources": ["../../base"], "components": [f"../../components/{component.name}"]}))
                self.assertTrue(pod_specs(build(overlay)))

    def test_the_example_cluster_is_the_one_that_is_reached(self):
        cluster, = yaml.safe_load_all((KUBERNETES / "components/cnpg/cluster.yaml").read_text())
        self.assertGreaterEqual(cluster["spec"]["instances"], 2)
        synchronous = cluster["spec"]["postgresql"]["synchronous"]
        self.assertEqual((synchronous["dataDurability"], synchronous["failoverQuorum"]), ("required", True))
        self.assertLess(synchronous["number"], cluster["spec"]["instances"])
        policy, = yaml.safe_load_all(
            (KUBERNETES / "components/networkpolicy/networkpolicy.yaml").read_text())
        reached = [peer["podSelector"]["matchLabels"] for rule in policy["spec"]["egress"]
                   for peer in rule.get("to", []) if "podSelector" in peer]
        self.assertEqual(reached, [{"cnpg.io/cluster": cluster["metadata"]["name"]}])


def kustomize_version():
    """Components need the kustomize 4 of kubectl 1.21; Debian 12's kubectl, 1.20, does not say its own."""
    if shutil.which("kubectl") is None:
        return 0
    result = subprocess.run(["kubectl", "version", "--client", "-o", "json"], capture_output=True,
                            text=True, timeout=120, check=True)
    version = re.match(r"v(\d+)", json.loads(result.stdout).get("kustomizeVersion", ""))
    return int(version[1]) if version else 0


if __name__ == "__main__":
    if kustomize_version() < 4:
        print("\n*** SKIPPED, nothing was tested: no kubectl of version 1.21 or newer ***\n")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)

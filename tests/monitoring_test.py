#!/usr/bin/env python3
"""Alerts, runbooks and dashboard fit each other and the metrics there are. What they answer: e2e/monitoring.py."""
import json
import re
import subprocess
import unittest

from harness.monitoring import DASHBOARD, DOCUMENT, RULES, alerts, metrics_in, metrics_of_document, queries
from harness.process import ROOT

TESTS = ROOT / "tests" / "deploy" / "rules_test.yaml"
RUNBOOKS = ROOT / "docs" / "runbooks"


def promtool(*arguments):
    return subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False, timeout=120)


class Alerts(unittest.TestCase):
    def test_prometheus_takes_the_rules_and_they_fire_when_they_should(self):
        for arguments in (("check", "rules", str(RULES)), ("test", "rules", str(TESTS))):
            result = promtool(*arguments)
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_each_alert_has_all_its_parts(self):
        for alert in alerts():
            with self.subTest(alert["alert"]):
                self.assertIn(alert["labels"]["severity"], ("info", "warning", "critical"))
                for part in ("summary", "description"):
                    self.assertTrue(alert["annotations"][part])
                self.assertEqual(alert["annotations"]["runbook_url"], f"docs/runbooks/{alert['alert']}.md")

    def test_each_alert_is_tested(self):
        text = TESTS.read_text()
        for alert in alerts():
            self.assertIn(f"- name: {alert['alert']} ({alert['labels']['severity']})", text)

    def test_each_alert_has_its_runbook_and_each_runbook_its_alert(self):
        self.assertEqual({path.stem for path in RUNBOOKS.glob("*.md")}, {alert["alert"] for alert in alerts()})
        for path in RUNBOOKS.glob("*.md"):
            with self.subTest(path.name):
                text = path.read_text()
                for heading in (f"# {path.stem}\n", "## What it means\n", "## What to look at\n", "## What to run\n"):
                    self.assertIn(heading, text)
                for link in re.findall(r"\]\(([^)]+)\)", text):
                    self.assertTrue((RUNBOOKS / link).exists(), link)

    def test_every_metric_exists(self):
        there = metrics_of_document()
        for alert in alerts():
            self.assertEqual(metrics_in(alert["expr"]) - there, set(), alert["alert"])
        documented = DOCUMENT.read_text()
        for path in RUNBOOKS.glob("*.md"):
            for name in re.findall(r"`(liteferry_[a-z_]+)`", path.read_text()):
                self.assertIn(f"| `{name}` |", documented, path.name)


class Dashboard(unittest.TestCase):
    def test_every_metric_exists(self):
        for title, query in queries():
            with self.subTest(title):
                self.assertTrue(metrics_in(query))
                self.assertEqual(metrics_in(query) - metrics_of_document(), set())

    def test_every_panel_tells_what_it_shows_and_in_what(self):
        panels = json.loads(DASHBOARD.read_text())["panels"]
        self.assertEqual(len({panel["id"] for panel in panels}), len(panels))
        for panel in panels:
            if panel["type"] == "row":
                continue
            with self.subTest(panel["title"]):
                self.assertTrue(panel["description"].endswith("."))
                self.assertTrue(panel["fieldConfig"]["defaults"]["unit"])
                self.assertEqual(panel["datasource"]["uid"], "${datasource}")
                self.assertTrue(panel["targets"])

    def test_panels_do_not_overlap(self):
        taken = set()
        for panel in json.loads(DASHBOARD.read_text())["panels"]:
            at = panel["gridPos"]
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            self.assertFalse(taken & cells, panel["title"])
            self.assertLessEqual(at["x"] + at["w"], 24)
            taken |= cells


if __name__ == "__main__":
    unittest.main(verbosity=2)

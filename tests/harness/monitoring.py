"""What is delivered for Prometheus and Grafana, as data: alerts, the queries of the dashboard, the metrics they name."""
import json
import re

import yaml

from harness.process import ROOT

RULES = ROOT / "deploy" / "prometheus" / "liteferry.rules.yaml"
DASHBOARD = ROOT / "deploy" / "grafana" / "liteferry.json"
DOCUMENT = ROOT / "metrics" / "METRICS.md"


def alerts():
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def queries():
    """(title, expression) of everything that the dashboard asks, its variables as in Grafana."""
    board = json.loads(DASHBOARD.read_text())
    asked = [(panel["title"], target["expr"]) for panel in board["panels"] for target in panel.get("targets", ())]
    return asked + [(note["name"], note["expr"]) for note in board["annotations"]["list"]]


def metrics_of_document():
    """The documented names, and those of the series that histograms consist of."""
    names = set()
    for name, kind in re.findall(r"^\| `(\w+)` \| (\w+) \|", DOCUMENT.read_text(), re.M):
        names |= {f"{name}{end}" for end in ("_bucket", "_sum", "_count")} if kind == "histogram" else {name}
    return names


def metrics_in(expression):
    """The metrics an expression names. `up` is Prometheus's own."""
    return set(re.findall(r"\b(?:liteferry|process)_[a-z_]+\b", re.sub(r'"[^"]*"', "", expression)))

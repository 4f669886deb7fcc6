#!/usr/bin/python3
"""Writes the PrometheusRule of deploy/kubernetes from deploy/prometheus/liteferry.rules.yaml.

prometheus_rule.py          writes it
prometheus_rule.py --check  status 1 when it is not what would be written
"""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
RULES = ROOT / "deploy/prometheus/liteferry.rules.yaml"
OUTPUT = ROOT / "deploy/kubernetes/components/monitoring/prometheusrule.yaml"
HEAD = """\
# Made by scripts/prometheus_rule.py from deploy/prometheus/liteferry.rules.yaml: change that one.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: liteferry
  annotations:
    argocd.argoproj.io/sync-options: SkipDryRunOnMissingResource=true
spec:
"""


def text():
    # The file's top is its "groups:", which is a key of the resource's spec: indenting is all.
    lines = RULES.read_text().splitlines()
    return HEAD + "".join(f"  {line}".rstrip() + "\n" for line in lines)


def main():
    if sys.argv[1:] == ["--check"]:
        if OUTPUT.read_text() == text():
            return 0
        print(f"{OUTPUT.relative_to(ROOT)} is not made from {RULES.relative_to(ROOT)}; "
              "run scripts/prometheus_rule.py", file=sys.stderr)
        return 1
    OUTPUT.write_text(text())
    return 0


if __name__ == "__main__":
    sys.exit(main())

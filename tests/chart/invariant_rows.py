#!/usr/bin/env python3
"""What holds for the chart whatever the values are, and that each check finds the fault planted for it."""
import access_checks
import invariants
import monitoring_checks
import network_checks
import pod_checks
import webhook_checks
from chart import main


def rows():
    invariants.prepare()
    checks = [check for part in (pod_checks, access_checks, webhook_checks, network_checks, monitoring_checks) for check in part.CHECKS]
    return [*(row for check in checks for row in check.rows()), *access_checks.rows()]


if __name__ == "__main__":
    main("what holds in every value set", rows)

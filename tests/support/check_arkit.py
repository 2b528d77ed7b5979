"""Run by a Python whose usd-core still has the ComplianceChecker: print what it says of each file by ARKit's rules."""

from __future__ import annotations

import json
import sys

from pxr import UsdUtils


def check(path: str) -> dict[str, object]:
    """Errors, failed checks and warnings of one file."""
    checker = UsdUtils.ComplianceChecker(arkit=True, skipARKitRootLayerCheck=False, rootPackageOnly=False)
    checker.CheckCompliance(path)
    return {
        "file": path,
        "errors": checker.GetErrors(),
        "failed": checker.GetFailedChecks(),
        "warnings": checker.GetWarnings(),
    }


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print("ARKIT " + json.dumps(check(name)))

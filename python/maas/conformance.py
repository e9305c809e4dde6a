# SPDX-License-Identifier: Apache-2.0
"""The cases of the Open Inference Protocol over HTTP, run against any server.

What a server is asked follows from what it says of its model; cases of an extension are run where
the server names it. docs/conformance.md tells how to use it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from maas.conformance_cases import CASES
from maas.conformance_target import Case, Skipped, Target, Wrong, example
from maas.errors import UnavailableError

Verdict = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one case."""

    case: str
    verdict: Verdict
    reason: str = ""


def run(
    url: str, model: str, *, request: dict[str, Any] | None = None, timeout_s: float = 10.0
) -> list[Outcome]:
    """Runs every case; `request` is one that the model answers, where ones will not do."""
    target = Target(url.rstrip("/"), model, timeout_s=timeout_s)
    try:
        target.metadata = target.get(f"/v2/models/{model}")
        target.extensions = list(target.get("/v2").get("extensions") or [])
    except Wrong as error:
        raise UnavailableError(f"{url} does not describe a model {model!r}: {error}") from None
    target.request = request or {"inputs": [example(item) for item in target.metadata["inputs"]]}
    return [_outcome(case, target) for case in CASES]


def _outcome(case: Case, target: Target) -> Outcome:
    if case.extension and case.extension not in target.extensions:
        return Outcome(case.name, "skipped", f"the server does not name {case.extension}")
    try:
        case.run(target)
    except Wrong as error:
        return Outcome(case.name, "failed", str(error))
    except Skipped as error:
        return Outcome(case.name, "skipped", str(error))
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        return Outcome(case.name, "failed", f"the answer lacks something: {error!r}")
    return Outcome(case.name, "passed")

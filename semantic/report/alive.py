"""The BG/NBD model of who still buys, fitted to how often people have bought (Fader, Hardie and Lee, 2005).

Needs the extra `fit`, which is scipy.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from semantic.errors import Code, QueryError
from semantic.report.group import Row

LEAST_REPEATERS = 30
"""People who came again, below which a fit says nothing."""


@dataclass(frozen=True, slots=True)
class Fit:
    """The parameters under which what people did is likeliest, with time in `unit_days`. `people`: all of them;
    `repeaters`: those who came again.
    """

    r: float
    alpha: float
    a: float
    b: float
    unit_days: int
    likelihood: float
    people: int
    repeaters: int


def fit(rows: Iterable[Row], unit_days: int) -> Fit:
    """The likeliest parameters for a history (ScoreReport.HISTORY). NOT_ANSWERABLE when there is too little of one, or
    when there are none that are likeliest. ImportError without scipy.
    """
    history = np.array([[row[name] for name in ("repeats", "last", "age", "count")] for row in rows], dtype=float)
    history = history.reshape(-1, 4)
    repeats, people = history[:, 0], history[:, 3]
    repeaters = int(people[repeats > 0].sum())
    if repeaters < LEAST_REPEATERS:
        raise QueryError(
            Code.NOT_ANSWERABLE,
            f"{repeaters} have bought on several days: too few to fit a model to.",
            f"There must be {LEAST_REPEATERS} at least. Until then, let rules say who is leaving.",
        )
    found = _likeliest(repeats, history[:, 1] / unit_days, history[:, 2] / unit_days, people)
    r, alpha, a, b = np.exp(found.x)
    if not found.success or not np.all(np.isfinite(found.x)) or np.any(np.abs(found.x) > _FAR):
        raise QueryError(
            Code.NOT_ANSWERABLE,
            "No parameters fit best: the longer the search, the more extreme they get.",
            "People may hardly ever stop, or the history be too short to tell. Let rules say who is leaving.",
        )
    return Fit(float(r), float(alpha), float(a), float(b), unit_days, -float(found.fun), int(people.sum()), repeaters)


_FAR = 15.0
"""The logarithm beyond which a parameter has run away."""


def _likeliest(repeats: Any, last: Any, age: Any, people: Any) -> Any:
    """The least of the negative log-likelihood over the parameters' logarithms, which keep them positive."""
    from scipy.optimize import minimize
    from scipy.special import gammaln

    again = repeats > 0

    def cost(logs: Any) -> float:
        r, alpha, a, b = np.exp(logs)
        rate = gammaln(r + repeats) - gammaln(r) + r * np.log(alpha)
        stays = gammaln(a + b) + gammaln(b + repeats) - gammaln(b) - gammaln(a + b + repeats)
        alive = -(r + repeats) * np.log(alpha + age)
        gone = np.log(a) - np.log(b + np.maximum(repeats, 1) - 1) - (r + repeats) * np.log(alpha + last)
        either = np.where(again, np.logaddexp(alive, gone), alive)
        return -float(np.sum(people * (rate + stays + either)))

    typical = np.log([0.5, max(1.0, float(np.average(age, weights=people)) / 5), 1.0, 2.0])
    options = {"maxiter": 8000, "maxfev": 8000, "xatol": 1e-7, "fatol": 1e-7}
    return minimize(cost, typical, method="Nelder-Mead", options=options)

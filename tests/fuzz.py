"""A pytest plugin: every property test tries HEADWATER_FUZZ times as many examples as it says.

`make fuzz` tries more; the runs with other dependencies, which are after what these broke, try fewer.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest
from hypothesis import settings

# Hypothesis has no public way to change the settings of a decorated test; a release that renames this fails at once.
SETTINGS = "_hypothesis_internal_use_settings"


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Multiply the number of examples of each property test, once however often it is parametrized."""
    factor = float(os.environ.get("HEADWATER_FUZZ", "20"))
    tests = {item.function for item in items if isinstance(item, pytest.Function)}
    for test in (test for test in tests if getattr(test, "is_hypothesis_test", False)):
        own: settings = getattr(test, SETTINGS)
        setattr(test, SETTINGS, settings(own, max_examples=max(1, round(own.max_examples * factor))))

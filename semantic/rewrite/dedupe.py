"""Dedupe: rows that repeat a primary key are one row, wherever the engine doesn't present them so already."""

from __future__ import annotations

from dataclasses import replace

from semantic.model.facts import Facts
from semantic.model.model import Model
from semantic.plan.node import Plan, Scan
from semantic.plan.walk import rewrite
from semantic.query.query import Viewer

RECEIVED_AT = "received_at"
"""The column that says which of several equal rows came first, where a dataset has it."""


def dedupe(plan: Plan, model: Model, facts: Facts, viewer: Viewer) -> Plan:
    """The plan with every scan of rows that may repeat keeping the earliest received row of each key."""

    def change(node: Plan) -> Plan:
        if not isinstance(node, Scan):
            return node
        dataset, known = model.datasets[node.dataset], facts.datasets[node.dataset]
        if not dataset.primary_key or dataset.unique or dataset.primary_key in known.unique_keys:
            return node
        order = (RECEIVED_AT,) if RECEIVED_AT in known.columns else ()
        return replace(node, distinct_on=dataset.primary_key, order=order)

    return rewrite(plan, change)

"""Hypothesis strategies: models with their data, and queries that the models can be asked."""

from tests.strategies.models import worlds
from tests.strategies.queries import queries

__all__ = ["queries", "worlds"]

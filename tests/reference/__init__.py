"""A second answer to every query, by looping over rows in plain Python.

Written from the documents alone. It shares nothing with the compiler but the plain types of models and queries. It is
slow and obvious on purpose: where it and the served answer differ, one of them misreads the documents.
"""

from tests.reference.evaluate import answer
from tests.reference.refused import Refused, Unspecified

__all__ = ["Refused", "Unspecified", "answer"]

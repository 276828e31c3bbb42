"""The format of a model file, as tables: every key, how it is read, what it is for.

The parser runs on these tables and the JSON Schema is made from them; docs/model.md says the same in prose.
"""

from __future__ import annotations

from typing import Final

from semantic.load.expression import Scope
from semantic.load.format_data import DATASET_SHAPE, IDENTITY, RELATIONSHIP, SHARED_DIMENSION
from semantic.load.format_metrics import METRICS
from semantic.load.format_scores import FIRST, SCORE
from semantic.load.format_sequences import ATTRIBUTION_SHAPE, FUNNEL, RETENTION_SHAPE
from semantic.load.keys import DATASET, DIMENSION, GRAIN, METRIC, NAME
from semantic.load.read_expression import Expr
from semantic.load.read_list import ListOf
from semantic.load.read_shape import ByKey, Key, Shape
from semantic.load.read_times import Zone
from semantic.load.read_values import Choice, Flag, Integer, Line, Off, Pattern, Version
from semantic.load.shape_rules import AtLeastOne
from semantic.time import Weekday

ROLLUP: Final = Shape(
    "rollup",
    "A stored aggregate that answers queries faster and never changes an answer.",
    {
        "name": Key(NAME, "Its name.", required=True),
        "dataset": Key(DATASET, "The dataset it folds.", required=True),
        "dimensions": Key(ListOf(DIMENSION, "dimension"), "What it keeps apart.", required=True),
        "grain": Key(GRAIN, "The finest period it keeps apart.", required=True),
        "metrics": Key(ListOf(METRIC, "metric", least=1), "The simple metrics it holds.", required=True),
    },
)

UNLESS: Final = Key(Expr(Scope.CLAIMS), "An expression over claims that frees a viewer of it; nobody when left out.")
LEAST_GROUP: Final = Integer(2, 1_000_000)

DATASET_POLICY: Final = Shape(
    "dataset policy",
    "What a viewer sees of a dataset.",
    {
        "name": Key(NAME, "Its name.", required=True),
        "dataset": Key(DATASET, "The dataset it protects.", required=True),
        "where": Key(Expr(Scope.POLICY), "The rows a viewer may see; :name is a claim of the viewer."),
        "entities": Key(Off(), "false: no lists of who is counted."),
        "k": Key(LEAST_GROUP, "Withhold groups of fewer entities (the dataset's first) than this."),
        "unless": UNLESS,
    },
    (AtLeastOne(("where", "entities", "k")),),
)

METRIC_POLICY: Final = Shape(
    "metric policy",
    "Metrics that small groups don't show.",
    {
        "name": Key(NAME, "Its name.", required=True),
        "metrics": Key(ListOf(METRIC, "metric", least=1), "The metrics.", required=True),
        "k": Key(LEAST_GROUP, "Withhold them for groups of fewer entities than this.", required=True),
        "unless": UNLESS,
    },
)

HIDE_POLICY: Final = Shape(
    "hide policy",
    "Metrics and dimensions that a viewer may not see.",
    {
        "name": Key(NAME, "Its name.", required=True),
        "hide": Key(
            ListOf(Line("the name of a metric or dimension"), "name", least=1), "Metrics and dimensions.", required=True
        ),
        "unless": UNLESS,
    },
)

SQL_POLICY: Final = Shape(
    "sql policy",
    "Who is shown no SQL.",
    {
        "name": Key(NAME, "Its name.", required=True),
        "sql": Key(Off(), "false: no SQL is shown.", required=True),
        "unless": UNLESS,
    },
)

POLICY: Final = ByKey(
    "policy", {"dataset": DATASET_POLICY, "hide": HIDE_POLICY, "metrics": METRIC_POLICY, "sql": SQL_POLICY}
)

MODEL: Final = Shape(
    "model",
    "One file of a Headwater model. A model is all the files of a folder together.",
    {
        "version": Key(Version(1), "The version of this format, in exactly one file: 1."),
        "timezone": Key(Zone(), "The zone of the business day; UTC when left out."),
        "week_start": Key(Choice(Weekday), "The first day of a week; monday when left out."),
        "currency": Key(Pattern("a currency such as CNY", "^[A-Z]{3}$"), "The currency of metrics in currency format."),
        "anonymous": Key(
            Flag(),
            "Whether questions are answered without knowing who asks; when left out, only of a model without policies.",
        ),
        "dimensions": Key(ListOf(SHARED_DIMENSION, "shared dimension"), "The shared vocabulary."),
        "datasets": Key(ListOf(DATASET_SHAPE, "dataset"), "Logical tables."),
        "relationships": Key(ListOf(RELATIONSHIP, "relationship"), "Many-to-one joins between datasets."),
        "identities": Key(ListOf(IDENTITY, "identity"), "Ids that are one and the same somebody."),
        "metrics": Key(ListOf(METRICS, "metric"), "Named numbers."),
        "funnels": Key(ListOf(FUNNEL, "funnel"), "Steps taken one after another."),
        "retentions": Key(ListOf(RETENTION_SHAPE, "retention"), "Who comes back."),
        "attributions": Key(ListOf(ATTRIBUTION_SHAPE, "attribution"), "What earned a conversion."),
        "scores": Key(ListOf(SCORE, "score"), "What somebody is worth, and who is leaving."),
        "firsts": Key(ListOf(FIRST, "first"), "Who is new, and who returns."),
        "rollups": Key(ListOf(ROLLUP, "rollup"), "Stored aggregates."),
        "policies": Key(ListOf(POLICY, "policy"), "Who sees what."),
    },
)

SECTIONS: Final = tuple(name for name, key in MODEL.keys.items() if isinstance(key.reader, ListOf))
SETTINGS: Final = tuple(name for name in MODEL.keys if name not in SECTIONS)

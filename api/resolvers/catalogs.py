"""The catalog of a model, made once for each language."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from threading import Lock
from typing import Any

from api.schema.catalog import (
    Additivity,
    AttributionInfo,
    Catalog,
    DatasetInfo,
    DimensionInfo,
    DimensionType,
    Format,
    Freshness,
    FunnelInfo,
    FunnelStepInfo,
    MetricInfo,
    MetricType,
    RetentionInfo,
    ScoreInfo,
    ScoreRiskInfo,
    ScoreSegmentInfo,
    SegmentInfo,
)
from api.schema.definition import definition, written
from api.schema.enums import AttributionModel, FunnelEntry, FunnelOrder, Grain
from api.schema.language import choose, locales_of
from api.schema.names import DimensionName, MetricName, Vocabulary, enum_name
from api.schema.rows import dimension_scalar, scalar_name
from api.schema.scalars import Number
from semantic.model.additivity import additivity
from semantic.model.dataset import Dataset, Segment
from semantic.model.metric import Metric
from semantic.model.model import Model
from semantic.model.reach import datasets_read, reachable, sources, splits, touch_dimensions
from semantic.model.reads import metrics_read
from semantic.model.score import RiskRule, ScoreDefinition, SegmentRule
from semantic.model.sequence import AttributionDefinition, Funnel, RetentionDefinition, Step
from semantic.query.cells import cells

AskFreshness = Callable[[str, Any], Awaitable[Freshness]]
"""Dataset and the request's context in, freshness out."""


class Catalogs:
    """The catalogs of one model."""

    def __init__(self, model: Model, names: Vocabulary, ask_freshness: AskFreshness) -> None:
        self._model = model
        self._names = names
        self._ask = ask_freshness
        self._locales = locales_of(model)
        self._made: dict[str | None, Catalog] = {}
        self._lock = Lock()

    def get(self, accepted: str | None) -> Catalog:
        """The catalog in the language nearest to what is accepted (one tag, or an Accept-Language text)."""
        locale = choose(accepted, self._locales)
        with self._lock:
            made = self._made.get(locale)
            if made is None:
                made = self._made[locale] = _Maker(self._model, self._names, self._ask, locale).catalog()
            return made


class _Maker:
    """Makes the entries first and then links them to each other."""

    def __init__(self, model: Model, names: Vocabulary, ask: AskFreshness, locale: str | None) -> None:
        self._model = model
        self._names = names
        self._locale = locale
        self._metrics = {entry.metric.name: self._metric(entry) for entry in names.metrics.values()}
        self._dimensions = {entry.name: self._dimension(entry) for entry in names.dimensions.values()}
        self._segments = {segment.name: self._segment(segment) for segment in names.segments.values()}
        self._datasets = {name: self._dataset(dataset, ask) for name, dataset in model.datasets.items()}

    def catalog(self) -> Catalog:
        """The whole."""
        for name, info in self._datasets.items():
            self._link_dataset(self._model.datasets[name], info)
        for entry in self._names.metrics.values():
            self._link_metric(entry.metric, self._metrics[entry.metric.name])
        model = self._model
        return Catalog(
            version=model.digest,
            locale=self._locale,
            locales=list(locales_of(model)),
            timezone=model.timezone,
            week_start=model.week_start.value,
            currency=model.currency,
            metrics=list(self._metrics.values()),
            dimensions=list(self._dimensions.values()),
            segments=list(self._segments.values()),
            datasets=list(self._datasets.values()),
            funnels=[self._funnel(funnel) for funnel in model.funnels.values()],
            retentions=[self._retention(retention) for retention in model.retentions.values()],
            attributions=[self._attribution(attribution) for attribution in model.attributions.values()],
            scores=[self._score(score) for score in model.scores.values()],
        )

    def _metric(self, entry: MetricName) -> MetricInfo:
        metric = entry.metric
        return MetricInfo(
            name=metric.name,
            field=entry.field,
            value=enum_name(metric.name),
            label=metric.label.get(self._locale) or metric.name,
            description=metric.description.get(self._locale),
            type=MetricType(type(metric).__name__.lower()),
            scalar=scalar_name(entry.kind),
            format=Format(metric.format.value),
            additivity=Additivity(additivity(self._model, metric).value),
            fill=None if metric.fill is None else Number(Decimal(str(metric.fill))),
            has_time=all(source.time is not None for source in sources(self._model, metric)),
            definition=self._names.told(definition(metric)) or "",
            dimensions=[],
            depends_on=[],
            used_by=[],
            datasets=[],
        )

    def _dimension(self, entry: DimensionName) -> DimensionInfo:
        return DimensionInfo(
            name=entry.name,
            field=entry.field,
            value=enum_name(entry.name),
            label=entry.label.get(self._locale) or entry.name,
            description=entry.description.get(self._locale),
            type=DimensionType(entry.type.value),
            scalar=dimension_scalar(entry),
            metrics=[],
            datasets=[],
        )

    def _segment(self, segment: Segment) -> SegmentInfo:
        return SegmentInfo(
            name=segment.name,
            value=enum_name(segment.name),
            label=segment.label.get(self._locale) or segment.name,
            description=segment.description.get(self._locale),
            definition=self._names.told(written(segment.where)) or "",
            datasets=[],
        )

    def _dataset(self, dataset: Dataset, ask: AskFreshness) -> DatasetInfo:
        return DatasetInfo(
            name=dataset.name,
            label=dataset.label.get(self._locale) or dataset.name,
            description=dataset.description.get(self._locale),
            primary_key=list(dataset.primary_key),
            time_dimension=dataset.time_dimension,
            entities=[entity for entity, _ in dataset.entities],
            dimensions=[],
            segments=[],
            metrics=[],
            ask=lambda context: ask(dataset.name, context),
        )

    def _funnel(self, funnel: Funnel) -> FunnelInfo:
        first, *others = (reachable(self._model, name) for name in funnel.entry_datasets)
        shared = [name for name in self._model.shown(first) if all(name in other for other in others)]
        return FunnelInfo(
            name=funnel.name,
            value=enum_name(funnel.name),
            label=funnel.label.get(self._locale) or funnel.name,
            description=funnel.description.get(self._locale),
            entity=funnel.entity,
            window="same_day" if funnel.window is None else str(funnel.window),
            order=FunnelOrder(funnel.order),
            entry=FunnelEntry(funnel.entry),
            steps=[self._step(step) for step in funnel.steps],
            dimensions=[self._dimensions[name] for name in shared],
        )

    def _step(self, step: Step) -> FunnelStepInfo:
        return FunnelStepInfo(
            name=step.name,
            label=step.label.get(self._locale) or step.name,
            definition=self._names.told(written(step.where)),
            dataset=self._datasets[step.dataset],
        )

    def _retention(self, retention: RetentionDefinition) -> RetentionInfo:
        return RetentionInfo(
            name=retention.name,
            value=enum_name(retention.name),
            label=retention.label.get(self._locale) or retention.name,
            description=retention.description.get(self._locale),
            entity=retention.entity,
            cohort=retention.cohort_type.value,
            mode=retention.mode.value,
            grain=Grain(retention.grain),
            clock=retention.clock.value,
            periods=len(cells(retention)),
            dimensions=[
                self._dimensions[name] for name in self._model.shown(reachable(self._model, retention.cohort.dataset))
            ],
        )

    def _score(self, score: ScoreDefinition) -> ScoreInfo:
        return ScoreInfo(
            name=score.name,
            value=enum_name(score.name),
            label=score.label.get(self._locale) or score.name,
            description=score.description.get(self._locale),
            version=score.version,
            entity=score.entity,
            recency=list(score.recency),
            frequency=list(score.frequency),
            monetary=list(score.monetary),
            segments=[self._score_segment(rule) for rule in score.segments],
            risks=[self._score_risk(rule) for rule in score.risks],
            dataset=self._datasets[score.dataset],
            dimensions=[self._dimensions[name] for name in self._model.shown(score.dimension_names)],
        )

    def _score_segment(self, rule: SegmentRule) -> ScoreSegmentInfo:
        return ScoreSegmentInfo(
            name=rule.name, label=rule.label.get(self._locale) or rule.name, definition=written(rule.where)
        )

    def _score_risk(self, rule: RiskRule) -> ScoreRiskInfo:
        return ScoreRiskInfo(
            name=rule.name,
            label=rule.label.get(self._locale) or rule.name,
            risk=rule.risk.value,
            definition=rule.where.source,
        )

    def _attribution(self, attribution: AttributionDefinition) -> AttributionInfo:
        return AttributionInfo(
            name=attribution.name,
            value=enum_name(attribution.name),
            label=attribution.label.get(self._locale) or attribution.name,
            description=attribution.description.get(self._locale),
            entity=attribution.entity,
            model=AttributionModel(attribution.model),
            lookback=str(attribution.lookback),
            time=attribution.time.value,
            direct=self._names.told(written(attribution.direct)),
            conversion=self._datasets[attribution.conversion.dataset],
            touch=self._datasets[attribution.touch.dataset],
            dimensions=[
                self._dimensions[name] for name in self._model.shown(touch_dimensions(self._model, attribution))
            ],
        )

    def _link_dataset(self, dataset: Dataset, info: DatasetInfo) -> None:
        for name in self._model.shown(reachable(self._model, dataset.name)):
            info.dimensions.append(self._dimensions[name])
            self._dimensions[name].datasets.append(info)
        for segment in dataset.segments:
            info.segments.append(self._segments[segment.name])
            self._segments[segment.name].datasets.append(info)

    def _link_metric(self, metric: Metric, info: MetricInfo) -> None:
        for name in datasets_read(self._model, metric):
            info.datasets.append(self._datasets[name])
            self._datasets[name].metrics.append(info)
        for name in self._model.shown(splits(self._model, metric)):
            info.dimensions.append(self._dimensions[name])
            self._dimensions[name].metrics.append(info)
        for name in self._model.shown(metrics_read(metric)):
            info.depends_on.append(self._metrics[name])
            self._metrics[name].used_by.append(info)

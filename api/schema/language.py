"""Which language to answer in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from semantic.model.model import Model
from semantic.model.text import Text

_PART = re.compile(r"\s*([A-Za-z]{1,8}(?:[-_][A-Za-z0-9]{1,8})*)\s*(?:;\s*q\s*=\s*([0-9.]+)\s*)?")


def accepted(text: str | None) -> tuple[str, ...]:
    """The language tags of an Accept-Language text (or one tag), lower case, most wanted first, without `*`."""
    found: list[tuple[float, str]] = []
    for part in (text or "").split(","):
        match = _PART.fullmatch(part)
        if match is not None:
            found.append((_weight(match[2]), match[1].lower().replace("_", "-")))
    wanted = [pair for pair in found if pair[0] > 0]
    return tuple(tag for _, tag in sorted(wanted, key=lambda pair: -pair[0]))


def _weight(text: str | None) -> float:
    try:
        return 1.0 if text is None else float(text)
    except ValueError:
        return 0.0


def choose(text: str | None, locales: Iterable[str]) -> str | None:
    """The model's locale nearest to what is accepted (`zh-CN` takes `zh`), or None when it has none of them."""
    known = {locale.lower().replace("_", "-"): locale for locale in locales}
    for tag in accepted(text):
        for candidate in (tag, tag.split("-")[0]):
            if candidate in known:
                return known[candidate]
    return None


def locales_of(model: Model) -> tuple[str, ...]:
    """Every language that some label or description of the model is written in, sorted."""
    return tuple(sorted({locale for text in _texts(model) for locale, _ in text.by_locale if locale}))


def _texts(model: Model) -> Iterator[Text]:
    for shared in model.dimensions.values():
        yield from (shared.label, shared.description)
    for metric in model.metrics.values():
        yield from (metric.label, metric.description)
    for funnel in model.funnels.values():
        yield from (funnel.label, funnel.description, *(step.label for step in funnel.steps))
    for retention in model.retentions.values():
        yield from (retention.label, retention.description)
    for score in model.scores.values():
        yield from (score.label, score.description)
        yield from (rule.label for rule in score.segments)
        yield from (rule.label for rule in score.risks)
    for first in model.firsts.values():
        yield from (first.label, first.description)
    for dataset in model.datasets.values():
        yield from (dataset.label, dataset.description)
        for dimension in dataset.dimensions:
            yield from (dimension.label, dimension.description)
        for segment in dataset.segments:
            yield from (segment.label, segment.description)

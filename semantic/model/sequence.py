"""Funnels, retentions and attributions: definitions over an entity's events in time (semantics.md §1 to §3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from semantic.errors import Position
from semantic.model.expression import Expression
from semantic.model.text import NO_TEXT, Text
from semantic.time import Duration, Grain


class FunnelOrder(StrEnum):
    """Must the steps come in order, each the very next event, or in any order."""

    ORDERED = "ordered"
    STRICT = "strict"
    ANY = "any"


class FunnelEntry(StrEnum):
    """Does every step-1 event open an attempt, or only the first in the range."""

    ANY = "any"
    FIRST = "first"


class ExcludeEffect(StrEnum):
    """What an excluded event does: ends the attempt, or removes the entity."""

    DROP_OFF = "drop_off"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a funnel: events of `dataset` that match `where` (None: all)."""

    name: str
    dataset: str
    where: Expression | None = None
    label: Text = NO_TEXT
    position: Position | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Exclude:
    """Events that must not happen between two named steps."""

    where: Expression
    from_step: str
    to_step: str
    effect: ExcludeEffect = ExcludeEffect.DROP_OFF


@dataclass(frozen=True, slots=True)
class Funnel:
    """`window` None means same_day. `hold`: dimensions whose value stays the same through the funnel."""

    name: str
    entity: str
    dataset: str
    steps: tuple[Step, ...]
    window: Duration | None
    order: FunnelOrder = FunnelOrder.ORDERED
    entry: FunnelEntry = FunnelEntry.ANY
    hold: tuple[str, ...] = ()
    exclude: tuple[Exclude, ...] = ()
    label: Text = NO_TEXT
    description: Text = NO_TEXT
    position: Position | None = field(default=None, compare=False)

    @property
    def datasets(self) -> tuple[str, ...]:
        """The datasets whose events it reads, each once: those of its steps, and its own when it excludes events."""
        steps = [step.dataset for step in self.steps]
        return tuple(dict.fromkeys([*steps, self.dataset] if self.exclude else steps))

    @property
    def entry_datasets(self) -> tuple[str, ...]:
        """The datasets whose events may open an attempt."""
        steps = self.steps if self.order is FunnelOrder.ANY else self.steps[:1]
        return tuple(dict.fromkeys(step.dataset for step in steps))


class CohortType(StrEnum):
    """Cohort by the first-ever event, or by every period with one."""

    FIRST_TIME = "first_time"
    RECURRING = "recurring"


class RetentionMode(StrEnum):
    """Which periods count as returned."""

    EXACT = "exact"
    ON_OR_AFTER = "on_or_after"
    WITHIN = "within"
    BRACKET = "bracket"


class Clock(StrEnum):
    """Periods of the business calendar, or of elapsed time since the cohort event."""

    CALENDAR = "calendar"
    ELAPSED = "elapsed"


@dataclass(frozen=True, slots=True)
class EventSet:
    """The events of a dataset that match `where` (None: all)."""

    dataset: str
    where: Expression | None = None


@dataclass(frozen=True, slots=True)
class RetentionDefinition:
    """A `retentions:` entry. `brackets`: inclusive (first, last) period pairs of mode bracket."""

    name: str
    entity: str
    cohort: EventSet
    returns: EventSet
    cohort_type: CohortType = CohortType.FIRST_TIME
    grain: Grain = Grain.DAY
    mode: RetentionMode = RetentionMode.EXACT
    clock: Clock = Clock.CALENDAR
    periods: int = 30
    brackets: tuple[tuple[int, int], ...] = ()
    label: Text = NO_TEXT
    description: Text = NO_TEXT
    position: Position | None = field(default=None, compare=False)


class AttributionModel(StrEnum):
    """How a conversion's credit is shared among its touches."""

    LAST_NON_DIRECT = "last_non_direct"
    FIRST = "first"
    LAST = "last"
    LINEAR = "linear"
    POSITION = "position"
    TIME_DECAY = "time_decay"

    @property
    def is_whole(self) -> bool:
        """Whether one touch gets all of the credit."""
        return self in (AttributionModel.LAST_NON_DIRECT, AttributionModel.FIRST, AttributionModel.LAST)


class CreditTime(StrEnum):
    """When credit is: at the conversion, or at the touch that gets it."""

    CONVERSION = "conversion"
    TOUCH = "touch"


@dataclass(frozen=True, slots=True)
class AttributionDefinition:
    """An `attributions:` entry. `touch_dimensions`: what credit can be split by (none: all that the touches have)."""

    name: str
    entity: str
    conversion: EventSet
    touch: EventSet
    touch_dimensions: tuple[str, ...]
    lookback: Duration
    model: AttributionModel = AttributionModel.LAST_NON_DIRECT
    time: CreditTime = CreditTime.CONVERSION
    direct: Expression | None = None
    label: Text = NO_TEXT
    description: Text = NO_TEXT
    position: Position | None = field(default=None, compare=False)

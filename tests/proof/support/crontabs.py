"""Random cron expressions, and their firings by recflow, croniter and cronsim."""

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from zoneinfo import ZoneInfo

from croniter import CroniterBadDateError, croniter
from cronsim import CronSim, CronSimError

from support.recflow import Recflow

MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
WEEKDAYS = "sun mon tue wed thu fri sat".split()
# The first and last value of each field.
LIMITS = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6)]


@dataclass(frozen=True)
class Batch:
    """Expressions that are asked for their firings after one instant, in one zone."""

    zone: str
    after: datetime
    expressions: list[str]

    @property
    def local(self) -> datetime:
        """`after` on the zone's wall clock."""
        return self.after.astimezone(ZoneInfo(self.zone))


@dataclass(frozen=True)
class Change:
    """A change of a zone's offset: wall clocks show `shown` at `at`, and would have shown `expected`."""

    at: datetime
    expected: datetime
    shown: datetime

    @property
    def is_gap(self) -> bool:
        """Whether wall clocks jump forward."""
        return self.shown > self.expected

    @property
    def removes_midnight(self) -> bool:
        """Whether a day begins in the gap."""
        return self.is_gap and (self.expected.time() == datetime.min.time() or self.shown.date() > self.expected.date())


@cache
def changes(zone: str) -> list[Change]:
    """The changes of a zone's offset from 2005 to 2069, by bisection."""
    info = ZoneInfo(zone)
    found = []
    day = datetime(2005, 1, 1, tzinfo=UTC)
    while day.year < 2070:
        low, high = day, day + timedelta(days=1)
        old, new = low.astimezone(info).utcoffset(), high.astimezone(info).utcoffset()
        if old != new and old is not None and new is not None:
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) // 2
                middle = middle.replace(microsecond=0)
                low, high = (middle, high) if middle.astimezone(info).utcoffset() == old else (low, middle)
            found.append(Change(high, (high + old).replace(tzinfo=None), (high + new).replace(tzinfo=None)))
        day += timedelta(days=1)
    return found


def is_fixed_time(text: str) -> bool:
    """Whether neither minute nor hour begins with a star."""
    minute, hour = text.split()[:2]
    return not minute.startswith("*") and not hour.startswith("*")


def names_all(part: str, number: int) -> bool:
    """Whether a field names all its values without beginning with a star."""
    least, most = LIMITS[number]
    part = without_equal_ranges(part)
    values: set[int] = set()
    for item in part.split(","):
        base, _, step = item.partition("/")
        first, _, last = base.partition("-") if base != "*" else (str(least), "-", str(most))
        values.update(range(int(first), int(last or first) + 1, int(step or 1)))
    return not part.startswith("*") and values >= set(range(least, most + 1))


def without_equal_ranges(text: str) -> str:
    """The same expression, with `5-5` written as `5`."""
    for names, first in ((MONTHS, 1), (WEEKDAYS, 0)):
        for number, name in enumerate(names, first):
            text = re.sub(rf"\b{name}\b", str(number), text, flags=re.IGNORECASE)
    return re.sub(r"\b(\d+)-\1\b(/\d+)?", r"\1", text)


def field(rng: random.Random, least: int, most: int, names: list[str] | None = None) -> str:
    """One field: a list of stars, values and ranges, mostly of one."""

    def value(number: int) -> str:
        return rng.choice((str.upper, str.lower, str.title))(names[number - least]) if names and rng.random() < 0.2 else str(number)

    def part() -> str:
        low, high = sorted((rng.randint(least, most), rng.randint(least, most)))
        kind = rng.random()
        if kind < 0.25:
            return f"*/{rng.randint(1, (most - least) // 2 + 1)}"
        if kind < 0.5:
            step = f"/{rng.randint(1, 6)}" if low < high and rng.random() < 0.5 else ""
            return f"{value(low)}-{value(high)}{step}"
        return value(low)

    return ",".join(part() for _ in range(rng.choice((1, 1, 1, 2, 3))))


def expression(rng: random.Random) -> str:
    """A valid expression of five fields, often with times at which zones change their offset."""
    minute = "*" if rng.random() < 0.1 else field(rng, 0, 59)
    hour = "*" if rng.random() < 0.2 else field(rng, 0, 4 if rng.random() < 0.5 else 23)
    day = "*" if rng.random() < 0.6 else field(rng, 1, 31)
    month = "*" if rng.random() < 0.7 else field(rng, 1, 12, MONTHS)
    weekday = "*" if rng.random() < 0.6 else field(rng, 0, 6, WEEKDAYS)
    return " ".join((minute, hour, day, month, weekday))


def by_recflow(recflow: Recflow, batch: Batch, count: int) -> list[list[tuple[datetime, str | None]]]:
    """The next firings of each expression, with their marks: one call for all."""
    folder = recflow.workspace / "pipelines"
    folder.mkdir(exist_ok=True)
    for number, text in enumerate(batch.expressions):
        pipeline = {"schedule": {"cron": text, "timezone": batch.zone}, "tasks": {"t": {"stage": "noop"}}}
        (folder / f"c{number}.yaml").write_text(json.dumps(pipeline))
    # Exit code 2: what never fires is refused.
    printed = recflow.call("schedule", "--json", "--next", str(count), "--from", batch.after.isoformat(), allowed=(0, 2))
    firings: list[list[tuple[datetime, str | None]]] = [[] for _ in batch.expressions]
    for firing in json.loads(printed):
        firings[int(firing["pipeline"][1:])].append((datetime.fromisoformat(firing["time"]), firing["dst"]))
    return firings


def by_cronsim(text: str, batch: Batch, count: int) -> list[datetime]:
    """The next firings as cronsim has them; none if it refuses the expression."""
    try:
        return [at.astimezone(UTC) for at in islice(CronSim(text, batch.local), count)]
    except CronSimError:
        return []


def by_croniter(text: str, batch: Batch, count: int) -> list[datetime]:
    """The next firings as croniter has them, with its option for the rule of the two day fields."""

    def firings() -> Iterator[datetime]:
        walk = croniter(text, batch.local, ret_type=datetime, implement_cron_bug=True)
        while True:
            yield walk.get_next()

    try:
        return [at.astimezone(UTC) for at in islice(firings(), count)]
    except CroniterBadDateError:
        return []

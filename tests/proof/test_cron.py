"""Claim: `recflow schedule` fires when croniter and cronsim do, for 10,000 random expressions around changes of wall clocks.

Both libraries (PyPI) are asked for the next firings after the same instant; croniter with its option for Vixie's rule of the two day
fields. A firing that only one side has must be explained by one of the rules below, each of which names what the library does
otherwise and recognises it at the firing itself, or the proof fails. That recflow has Vixie cron's rules is proven elsewhere,
against a minute walker (`src/scheduler/firing/oracle.rs`).
"""

import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from support.crontabs import (
    Batch,
    by_croniter,
    by_cronsim,
    by_recflow,
    changes,
    expression,
    is_fixed_time,
    names_all,
    without_equal_ranges,
)
from support.figures import Figures
from support.recflow import Recflow

EXPRESSIONS = 10_000
FIRINGS = 12
# A zone, and an instant shortly before something happens there.
STARTS = [
    ("UTC", "2026-02-27T00:00Z"),
    ("Asia/Kolkata", "2027-12-30T00:00Z"),
    ("Europe/Prague", "2027-03-27T12:00Z"),  # 02:00 becomes 03:00
    ("Europe/Prague", "2027-10-30T20:00Z"),
    ("America/New_York", "2027-03-13T20:00Z"),
    ("America/New_York", "2026-10-31T20:00Z"),
    ("America/New_York", "2026-11-01T06:00Z"),  # in the second 01:00
    ("Australia/Lord_Howe", "2026-10-03T10:00Z"),  # by half an hour
    ("Australia/Lord_Howe", "2027-04-03T10:00Z"),
    ("America/Sao_Paulo", "2018-11-03T20:00Z"),  # midnight becomes 01:00
    ("America/Sao_Paulo", "2018-02-17T20:00Z"),  # midnight becomes 23:00
    ("Africa/Cairo", "2026-04-23T12:00Z"),
    ("Africa/Cairo", "2026-10-29T12:00Z"),
    ("Asia/Beirut", "2026-03-28T12:00Z"),
    ("Pacific/Apia", "2011-12-29T12:00Z"),  # the 30th does not exist
    ("America/Caracas", "2016-04-30T20:00Z"),  # a new standard time
]


def cronsim_restarts_the_overlap(at: datetime, text: str, batch: Batch, ours: list[datetime]) -> bool:
    """cronsim drops the offset of a start in the second half of an overlap, and gives firings before it."""
    return is_fixed_time(text) and at <= batch.after and batch.local.fold == 1


def cronsim_steps_over_half_hours(at: datetime, text: str, batch: Batch, ours: list[datetime]) -> bool:
    """cronsim steps by whole hours of real time: after a change by half an hour, it enters the first hour that matches late."""
    if is_fixed_time(text):
        return False
    for change in changes(batch.zone):
        if (change.shown - change.expected) % timedelta(hours=1):
            after = [one.astimezone(ZoneInfo(batch.zone)) for one in ours if one >= max(change.at, batch.after)]
            local = at.astimezone(ZoneInfo(batch.zone))
            if after and at >= change.at and (after[0].date(), after[0].hour) == (local.date(), local.hour):
                return True
    return False


def cronsim_enters_a_missing_midnight(at: datetime, text: str, batch: Batch, ours: list[datetime]) -> bool:
    """cronsim begins a day at 00:00 even where that does not exist: it fires there, or misses the hour that takes its place."""
    gaps = [change.at for change in changes(batch.zone) if change.removes_midnight]
    return not is_fixed_time(text) and any(gap <= at < gap + timedelta(hours=1) for gap in gaps)


def croniter_moves_starred_times_out_of_a_gap(at: datetime, text: str, batch: Batch, ours: list[datetime]) -> bool:
    """croniter runs a starred job that the gap removes right after it, which Vixie's rule keeps for fixed times."""
    gaps = [change.at for change in changes(batch.zone) if change.is_gap]
    return not is_fixed_time(text) and at not in ours and at in gaps


def croniter_repeats_fixed_times(at: datetime, text: str, batch: Batch, ours: list[datetime]) -> bool:
    """croniter runs a fixed time in both halves of an overlap."""
    return is_fixed_time(text) and at not in ours and at.astimezone(ZoneInfo(batch.zone)).fold == 1


def croniter_doubles_half_hours_in_part(at: datetime, text: str, batch: Batch, ours: list[datetime]) -> bool:
    """croniter misses starred times in the second half of an overlap of half an hour."""
    local = at.astimezone(ZoneInfo(batch.zone))
    halves = [change.at for change in changes(batch.zone) if (change.shown - change.expected) % timedelta(hours=1)]
    return not is_fixed_time(text) and at in ours and local.fold == 1 and any(half <= at < half + timedelta(hours=1) for half in halves)


def croniter_takes_full_lists_for_stars(at: datetime, text: str, batch: Batch, ours: list[datetime]) -> bool:
    """croniter reads `0,*/1` hours or `0-6` days as a star; for Vixie cron only what begins with a star is one."""
    full = [names_all(part, number) for number, part in enumerate(text.split())]
    makes_up = full[1] and any(change.is_gap and change.at == at for change in changes(batch.zone))
    return at in ours and (makes_up or full[2] or full[4])


Rule = Callable[[datetime, str, Batch, list[datetime]], bool]
RULES: dict[str, list[Rule]] = {
    "cronsim": [cronsim_restarts_the_overlap, cronsim_steps_over_half_hours, cronsim_enters_a_missing_midnight],
    "croniter": [
        croniter_moves_starred_times_out_of_a_gap,
        croniter_repeats_fixed_times,
        croniter_doubles_half_hours_in_part,
        croniter_takes_full_lists_for_stars,
    ],
}


def differences(ours: list[datetime], theirs: list[datetime]) -> list[datetime]:
    """The firings that only one side has, as far as both lists reach."""
    ends = [one[-1] for one in (ours, theirs) if len(one) == FIRINGS]
    end = min(ends, default=datetime.max.replace(tzinfo=UTC))
    return sorted(at for at in set(ours) ^ set(theirs) if at <= end)


def test_firings_are_those_of_cronsim_and_croniter(recflow: Recflow, figures: Figures) -> None:
    """Expression by expression."""
    rng = random.Random(20261123)
    explained: Counter[str] = Counter()
    unexplained = []
    firings = 0
    for zone, start in STARTS:
        after = datetime.fromisoformat(start) + timedelta(seconds=rng.randrange(3_600))
        batch = Batch(zone, after, [expression(rng) for _ in range(EXPRESSIONS // len(STARTS))])
        for text, marked in zip(batch.expressions, by_recflow(recflow, batch, FIRINGS), strict=True):
            ours = [at for at, _ in marked]
            firings += len(ours)
            # croniter reads `5-5` as the whole field; written as `5`, it must agree.
            spelled = without_equal_ranges(text)
            answers = {"cronsim": by_cronsim(text, batch, FIRINGS), "croniter": by_croniter(spelled, batch, FIRINGS)}
            if "-" in text and by_croniter(text, batch, FIRINGS) != answers["croniter"]:
                explained["croniter_takes_equal_ranges_for_stars"] += 1
            for library, theirs in answers.items():
                for at in differences(ours, theirs):
                    rule = next((rule for rule in RULES[library] if rule(at, text, batch, ours)), None)
                    if rule is None:
                        side = "only recflow" if at in ours else "only the library"
                        unexplained.append(f"{library}: `{text}` in {zone} after {after:%F %T}: {side} at {at.astimezone(ZoneInfo(zone))}")
                    else:
                        explained[rule.__name__] += 1
    assert not unexplained, f"{len(unexplained)} firings without an explanation:\n" + "\n".join(unexplained[:20])
    assert all(explained[rule.__name__] for rules in RULES.values() for rule in rules), f"a rule that explains nothing: {explained}"
    figures.add("firings that differ from croniter's or cronsim's without a rule", f"{len(unexplained)}", f"0 of {firings}")
    for rule, count in sorted(explained.items()):
        figures.add(rule, f"{count}", "any")

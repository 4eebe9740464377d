"""Judges stored answers by the rules of today; no host is touched."""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Protocol

from khien.domain.finding import VerdictCounts
from khien.domain.host import Host
from khien.domain.judge import Judge, Judgement
from khien.domain.observation import ObservationSet

_BATCH = 200


@dataclass(frozen=True, slots=True)
class StoredAnswers:
    """A host's latest answers, with what they were judged to mean."""

    verification: int
    host: Host
    """As the inventory described it last."""
    observations: ObservationSet
    counts: VerdictCounts
    basis: str
    """The digest of the rules they were judged by; empty when not known."""


@dataclass(frozen=True, slots=True)
class Rejudged:
    """One host whose answers were judged again."""

    host: str
    before: VerdictCounts
    after: VerdictCounts


class JudgementStore(Protocol):
    """Keeps answers beside their judgement."""

    def answers(self, hosts: Collection[str] | None = None) -> Iterator[StoredAnswers]:
        """Return the latest answers of hosts, or of all, one by one; hosts never verified have none."""
        ...

    def replace(self, judgements: Collection[tuple[StoredAnswers, Judgement]]) -> None:
        """Put new judgements in the place of old ones; hosts that answered anew meanwhile keep theirs."""
        ...


def rejudge(
    store: JudgementStore,
    judge: Judge,
    today: date,
    *,
    described: Mapping[str, Host],
    only: Collection[str] | None = None,
) -> Iterator[Rejudged]:
    """Judge the latest answers of hosts again and store it; each host comes back as soon as it is stored.

    Args:
        store: where the answers are.
        judge: the rules.
        today: the day of judging.
        described: hosts as the inventory describes them now; another host keeps its last description.
        only: names of the hosts; None: all.
    """
    answers = store.answers(only)
    # Millions of values come and go, none part of a cycle: looking for cycles costs a fifth of the time.
    collects = gc.isenabled()
    gc.disable()
    try:
        yield from _rejudged(answers, store, judge, today, described)
    finally:
        if collects:
            gc.enable()


def _rejudged(
    answers: Iterator[StoredAnswers],
    store: JudgementStore,
    judge: Judge,
    today: date,
    described: Mapping[str, Host],
) -> Iterator[Rejudged]:
    while batch := list(islice(answers, _BATCH)):
        done = [
            (one, judge.judge(described.get(one.host.name, one.host), one.observations, today))
            for one in batch
        ]
        store.replace(done)
        for one, judgement in done:
            yield Rejudged(one.host.name, one.counts, VerdictCounts.of(judgement.findings))

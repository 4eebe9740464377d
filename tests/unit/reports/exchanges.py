"""An export to test with: the made-up province, at one moment."""

from __future__ import annotations

from datetime import timedelta

from khien.application.exchange import Exchange, build_exchange
from khien.domain.finding import Verdict
from tests.fakes.province import NOW, make_province

STALE_AFTER = timedelta(hours=48)


def make_exchange(hosts: int = 42, *, seed: int = 7) -> Exchange:
    province = make_province(hosts, seed=seed)
    return build_exchange(
        province.fleet, province.details, province.controls, generated_at=NOW, stale_after=STALE_AFTER
    )


def verdicts(exchange: Exchange) -> dict[tuple[str, str], Verdict]:
    """What is true, by host and control."""
    return {
        (host.host.name, judged.finding.control_id): judged.finding.verdict
        for host, judged in exchange.findings()
    }


def never_verified(exchange: Exchange) -> set[str]:
    return {host.host.name for host in exchange.hosts if not host.judged}


def texts(value: object) -> list[str]:
    """Return every text in a JSON value."""
    match value:
        case str():
            return [value]
        case dict():
            return [text for pair in value.items() for part in pair for text in texts(part)]
        case list():
            return [text for item in value for text in texts(item)]
        case _:
            return []

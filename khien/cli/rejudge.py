"""`khien rejudge`: what hosts answered already, judged by the rules of today."""

from __future__ import annotations

from typing import Annotated

import typer

from khien.application.rejudge import Rejudged, rejudge
from khien.cli.context import JsonOption, LimitOption, print_json, say, services
from khien.cli.documents import verdicts_document
from khien.cli.outcome import verdict_text
from khien.domain.text import safe_text
from khien.i18n import _, ngettext

AllOption = Annotated[bool, typer.Option("--all", help=_("Also name hosts whose judgement stays the same."))]


def rejudge_hosts(
    context: typer.Context,
    limit: LimitOption = "",
    *,
    everything: AllOption = False,
    as_json: JsonOption = False,
) -> None:
    """Judge what hosts answered already by the controls, levels and waivers of today; no host is touched."""
    wired = services(context)
    described = {host.name: host for host in wired.inventory.hosts(wired.default_inventory)}
    only = None
    if limit:
        only = [host.name for host in wired.inventory.hosts(wired.default_inventory, limit)]
    number, shown = 0, list[Rejudged]()
    for one in rejudge(wired.judgements, wired.rules(), wired.today(), described=described, only=only):
        number += 1
        if everything or one.before != one.after:
            shown.append(one)
    if as_json:
        document = {"schema": "khien.rejudged/1", "hosts_total": number}
        print_json({**document, "hosts": [_document(one) for one in shown]})
        return
    for one in shown:
        print(f"{safe_text(one.host):<24} {verdict_text(one.before)} → {verdict_text(one.after)}")
    changed = sum(one.before != one.after for one in shown)
    judged = ngettext("{number} host judged again", "{number} hosts judged again", number)
    say(
        _("{judged}; figures changed on {changed}.").format(
            judged=judged.format(number=number), changed=changed
        )
    )


def _document(one: Rejudged) -> dict[str, object]:
    before, after = verdicts_document(one.before), verdicts_document(one.after)
    return {"host": one.host, "before": before, "after": after}

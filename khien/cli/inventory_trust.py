"""`khien inventory trust`: host keys are shown, compared and recorded only when a person says so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from khien.adapters.known_hosts import KnownHosts
from khien.application.trust_hosts import KeyState, ShownKey, TrustPlan, plan_trust, record_trust
from khien.application.wording import advise, describe
from khien.cli.context import (
    InventoryOption,
    JsonOption,
    LimitOption,
    confirm,
    data_console,
    print_json,
    say,
    services,
)
from khien.cli.documents import reason_document
from khien.cli.exit_codes import ExitCode
from khien.domain.text import safe_text
from khien.errors import InputError, RefusedError, UsageError
from khien.i18n import _, ngettext

YesOption = Annotated[
    bool, typer.Option("-y", "--yes", help=_("Record new keys without asking; changed ones never."))
]
ReplaceOption = Annotated[
    list[str],
    typer.Option("--replace", metavar="HOST", help=_("The changed key of this host was checked: take it.")),
]
FingerprintsOption = Annotated[
    Path | None,
    typer.Option("--fingerprints", help=_("Record only keys whose fingerprint stands in this file.")),
]
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")


def trust(
    context: typer.Context,
    inventory: InventoryOption = [],  # noqa: B006 - typer's way to declare a list
    limit: LimitOption = "",
    replace: ReplaceOption = [],  # noqa: B006
    fingerprints: FingerprintsOption = None,
    *,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """See the SSH keys that hosts show, and record them once confirmed."""
    wired = services(context)
    expected = _expected(fingerprints)
    hosts = wired.inventory.hosts(inventory, limit)
    if unknown := sorted(set(replace) - {host.name for host in hosts}):
        raise UsageError(
            _("--replace names no host that is looked at: {names}").format(names=", ".join(unknown))
        )
    shown = wired.key_scan.scan(hosts, deadline_seconds=wired.settings.preflight_deadline_seconds)
    plan = plan_trust(shown, replace=replace, expected=expected)
    if not as_json:
        _print(shown, plan)
    recorded = _record(plan, yes=yes)
    if as_json:
        print_json(_document(shown, plan, recorded=recorded))
    if plan.refused:
        raise typer.Exit(ExitCode.REFUSED)
    if plan.unseen:
        raise typer.Exit(ExitCode.NOT_REACHED)


def _record(plan: TrustPlan, *, yes: bool) -> bool:
    if plan.is_empty:
        say(_("There is nothing to record."))
        return False
    number = len(plan.new) + len(plan.replaced)
    question = ngettext(
        "Record {number} key? Compare its fingerprint at the host's console first. [y/N]",
        "Record {number} keys? Compare their fingerprints at the hosts' consoles first. [y/N]",
        number,
    ).format(number=number)
    if not yes and not confirm(question):
        raise RefusedError(_("Not confirmed, so nothing was recorded. Use --yes where nobody can be asked."))
    record_trust(plan, KnownHosts())
    for entry in (*plan.replaced, *plan.new):
        say(
            _("Recorded {host}: {fingerprint} in {path}").format(
                host=safe_text(entry.host),
                fingerprint=entry.key.fingerprint if entry.key else "",
                path=entry.file,
            )
        )
    return True


def _expected(file: Path | None) -> frozenset[str] | None:
    """Read the fingerprints of a file, as ssh-keygen -l prints them or bare."""
    if file is None:
        return None
    try:
        found = frozenset(_FINGERPRINT.findall(file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as exc:
        raise InputError(_("The file cannot be read: {reason}.").format(reason=exc), path=file) from exc
    if not found:
        raise InputError(_("Expected are fingerprints such as SHA256:… in it."), path=file)
    return found


def _print(shown: Sequence[ShownKey], plan: TrustPlan) -> None:
    from rich.table import Table
    from rich.text import Text

    fates = _fates(plan)
    table = Table(box=None, pad_edge=False)
    for heading in (_("Host"), _("Address"), _("Key"), _("Fingerprint"), _("State")):
        table.add_column(heading, no_wrap=heading == _("Fingerprint"))
    for entry in shown:
        key = entry.key
        cells = (
            entry.host,
            entry.lookup_name or entry.address,
            key.key_type if key else "",
            key.fingerprint if key else "",
            fates[entry.host],
        )
        table.add_row(*(Text(safe_text(cell)) for cell in cells))
    console = data_console()
    console.print(table)
    for entry in plan.refused:
        console.print(Text(_why_refused(entry), style="bold red"), soft_wrap=True)
    for entry in plan.unseen:
        text = f"{safe_text(entry.host)}: {describe(entry.reason)} {advise(entry.reason)}"
        console.print(Text(text.rstrip()), soft_wrap=True)


def _why_refused(entry: ShownKey) -> str:
    host, shown = safe_text(entry.host), entry.key.fingerprint if entry.key else ""
    if entry.state is KeyState.REVOKED:
        return _("{host} shows {shown}, a key that known_hosts revokes: nobody may trust it.").format(
            host=host, shown=shown
        )
    if entry.state is KeyState.NEW:
        return _("{host} shows {shown}, which is not among the expected fingerprints.").format(
            host=host, shown=shown
        )
    old = ", ".join(key.fingerprint for key in entry.recorded)
    return _(
        "THE KEY OF {host} HAS CHANGED: recorded is {old}, shown is {shown}. Find out why at the host's "
        "console; when the host was installed anew, use --replace {host}."
    ).format(host=host, old=old, shown=shown)


def _fates(plan: TrustPlan) -> dict[str, str]:
    words = (
        (plan.new, _("new")),
        (plan.replaced, _("to be replaced")),
        (plan.refused, _("REFUSED")),
        (plan.known, _("known")),
        (plan.unseen, _("not reached")),
    )
    return {entry.host: word for entries, word in words for entry in entries}


def _document(shown: Sequence[ShownKey], plan: TrustPlan, *, recorded: bool) -> dict[str, object]:
    taken = {entry.host for entry in (*plan.new, *plan.replaced)} if recorded else set()
    return {
        "schema": "khien.host-keys/1",
        "hosts": [
            {
                "host": entry.host,
                "address": entry.lookup_name or entry.address,
                "state": entry.state.value,
                "key_type": entry.key.key_type if entry.key else None,
                "fingerprint": entry.key.fingerprint if entry.key else None,
                "recorded_before": [key.fingerprint for key in entry.recorded],
                "recorded_now": entry.host in taken,
                "file": str(entry.file) if entry.file else None,
                "reason": reason_document(entry.reason),
            }
            for entry in shown
        ],
    }

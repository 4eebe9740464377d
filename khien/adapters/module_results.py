"""The ResultReader port: what our own modules put under the `khien` key of their results."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from khien.adapters.harden_json import read_harden_report, read_undo_report
from khien.adapters.observations_json import read_observations
from khien.adapters.patch_json import read_patch_report
from khien.domain.hardening import HardenReport, UndoReport
from khien.domain.observation import Answer, ObservationSet
from khien.domain.packages import PackageChange, PatchReport, RebootNeed

_UPDATES = "security_updates"
_RESTART = "restart_needed"


class ModuleResults:
    """Knows the schemas of our modules' results."""

    def observations(self, host: str, result: Mapping[str, object], at: datetime) -> ObservationSet | None:
        """Return the answers to probes when the result holds some."""
        return read_observations(host, result, at)

    def patch(self, result: Mapping[str, object]) -> PatchReport | None:
        """Return what the host said about its updates when the result holds it."""
        return read_patch_report(result)

    def hardening(self, result: Mapping[str, object]) -> HardenReport | None:
        """Return what one area of a host said when the result holds it."""
        return read_harden_report(result)

    def undo(self, result: Mapping[str, object]) -> UndoReport | None:
        """Return what the host said about an undo when the result holds it."""
        return read_undo_report(result)

    def updates(self, observations: ObservationSet) -> PatchReport | None:
        """Return which updates wait on the host when the answers say so."""
        waiting = _answer(observations, _UPDATES)
        if waiting is None:
            return None
        packages, held = waiting.get("packages"), waiting.get("held")
        return PatchReport(
            stage="planned",
            changes=tuple(_change(package) for package in packages if isinstance(package, dict))
            if isinstance(packages, list)
            else (),
            held=tuple(_name(entry) for entry in held) if isinstance(held, list) else (),
            reboot=_restart(_answer(observations, _RESTART)),
        )


def _answer(observations: ObservationSet, kind: str) -> Mapping[str, object] | None:
    for probe_id, observation in observations.observations.items():
        if probe_id.split(" ", 1)[0] == kind and observation.answer is Answer.ANSWERED:
            return observation.value if isinstance(observation.value, dict) else None
    return None


def _name(entry: object) -> str:
    return str(entry.get("name", "")) if isinstance(entry, dict) else str(entry)


def _change(package: Mapping[str, object]) -> PackageChange:
    return PackageChange(
        name=str(package.get("name", "")),
        architecture=str(package.get("arch", "")),
        from_version=str(package.get("from", "")),
        to_version=str(package.get("to", "")),
        origin=str(package.get("origin", "")),
    )


def _restart(answer: Mapping[str, object] | None) -> RebootNeed | None:
    if answer is None or not isinstance(answer.get("needed"), bool):
        return None
    reasons, services = answer.get("reasons"), answer.get("services")
    return RebootNeed(
        needed=bool(answer["needed"]),
        reasons=tuple(str(reason) for reason in reasons) if isinstance(reasons, list) else (),
        services=tuple(str(name) for name in services) if isinstance(services, list) else (),
    )

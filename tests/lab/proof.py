"""Proofs that molecule asks for: `python -m tests.lab.proof remember | unchanged | judge ROLE`.

All of them are about the hosts of the lab instance that KHIEN_LAB names; what they keep lies in KHIEN_PROOF_DIR.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from khien.adapters.controls_yaml import YamlControls
from khien.adapters.levels_yaml import load_levels
from khien.adapters.observations_json import read_observations
from khien.domain.control import Control
from khien.domain.evaluate import evaluate
from khien.domain.finding import Verdict
from khien.domain.host import HostRole
from khien.domain.observation import ObservationSet
from tests.lab.disks import files_below
from tests.lab.errors import LabError
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.settings import CHECKOUT, read_settings

_LEVEL = 5
_FOLDERS = (
    "/etc",
    "/boot",
    "/root",
    "/home",
    "/opt",
    "/srv",
    "/usr/local",
    "/var/spool",
    "/var/lib/systemd/linger",
)
# Of files whose content moves by itself, owner and mode still belong to the host's state.
_MOVING_CONTENT = ("/var/log",)
_QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "packages": ("dpkg-query", "-W", "-f", "${binary:Package} ${Version} ${db:Status-Abbrev}\n"),
    "units": ("systemctl", "list-unit-files", "--no-legend", "--plain"),
    "rules": ("sh", "-c", "nft list ruleset 2>/dev/null || true"),
    "mounts": ("findmnt", "--raw", "--noheadings", "-o", "TARGET,OPTIONS"),
}
# Parts of answers that grow older while the proof runs.
_MOVING_PARTS = frozenset({"lists_age_seconds"})


def main() -> int:
    """Do what the command line says; a difference is told and ends with 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.proof", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("remember")
    verbs.add_parser("unchanged")
    verbs.add_parser("judge").add_argument("role")
    options = parser.parse_args()
    proof = Path(os.environ["KHIEN_PROOF_DIR"])
    hosts = Lab(read_settings()).hosts
    match options.verb:
        case "remember":
            _remember(hosts, proof)
            problems: list[str] = []
        case "unchanged":
            problems = list(_differences(hosts, proof))
        case _:
            problems = [*_unfixed(hosts, proof, options.role), *_surprises(proof)]
    for problem in problems:
        print(f"PROBLEM: {problem}")
    return 1 if problems else 0


def _remember(hosts: list[Host], proof: Path) -> None:
    proof.mkdir(parents=True, exist_ok=True)
    answers = _answers(proof / "before")
    for host in hosts:
        (proof / f"{host.name}.json").write_text(
            json.dumps(_state(host, answers[host.name])), encoding="utf-8"
        )


def _differences(hosts: list[Host], proof: Path) -> Iterator[str]:
    answers = _answers(proof / "after")
    for host in hosts:
        before = json.loads((proof / f"{host.name}.json").read_text(encoding="utf-8"))
        after = _state(host, answers[host.name])
        for topic in before:
            for key in sorted(before[topic].keys() | after[topic].keys()):
                was, now = before[topic].get(key), after[topic].get(key)
                # Logs grow and new ones begin: those that were there keep owner and mode.
                if was != now and not (topic == "log" and None in (was, now)):
                    yield f"{host.name}: {topic} {key}: was {was!s:.300} is {now!s:.300}"


def _state(host: Host, answers: ObservationSet) -> dict[str, dict[str, Any]]:
    """Return all of a host that a role could change, by topic and key."""
    where = {path: words.split()[:2] for path, words in files_below(host, *_MOVING_CONTENT).items()}
    seen = {key: [one.answer.value, _settled(one.value)] for key, one in answers.observations.items()}
    return {
        "file": {path: words for path, words in files_below(host, *_FOLDERS).items() if _counts(path)},
        "log": where,
        "observation": seen,
        **{
            name: dict.fromkeys(host.exec(list(argv)).stdout.splitlines(), "there")
            for name, argv in _QUESTIONS.items()
        },
    }


def _settled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _settled(part) for key, part in value.items() if key not in _MOVING_PARTS}
    return [_settled(part) for part in value] if isinstance(value, list) else value


def _counts(path: str) -> bool:
    # What every login by Ansible leaves.
    return "/.ansible" not in path


def _unfixed(hosts: list[Host], proof: Path, role: str) -> Iterator[str]:
    """Judge the controls of a role; tell those that the role fixes and that do not pass."""
    levels = load_levels(CHECKOUT / "compliance/levels.yml")
    answers = _answers(proof / "judged")
    for host in hosts:
        server = HostRole.SERVER
        controls = levels.baseline(
            YamlControls(CHECKOUT / "roles", levels.thresholds).controls(), _LEVEL, server
        )
        own = {control.id: control for control in controls if control.role == role}
        for finding in evaluate(own.values(), answers[host.name]):
            control = own[finding.control_id]
            fine = finding.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE)
            mark = "" if _is_fixed(control) else " (not for the role to fix)"
            print(f"{host.name} {control.id}: {finding.verdict} {finding.reason}{mark}")
            if not fine and _is_fixed(control):
                yield f"{host.name}: {control.id} is {finding.verdict}: {finding.reason} {finding.detail}"


def _is_fixed(control: Control) -> bool:
    return control.fix_variable is not None and not control.fix_opt_in


def _surprises(proof: Path) -> Iterator[str]:
    """Tell where what check mode predicted is not what was done, and what the tasks themselves complained of."""
    check, real = ({}, {})  # type: tuple[dict[Any, Any], dict[Any, Any]]
    for file in sorted((proof / "said").glob("*.jsonl")):
        found = check if file.stem.endswith("check") else real
        for line in file.read_text(encoding="utf-8").splitlines():
            said = json.loads(line)
            result = said["khien"]
            if result.get("schema") != "khien.harden/1":
                continue
            if result.get("problem"):
                yield f"{said['host']}: {result['area']}: {result['problem']}: {result['problem_detail']}"
            # The first of its kind counts: a second run has nothing to change.
            found.setdefault((said["host"], result["area"]), result["changes"])
    for key in sorted(check.keys() | real.keys()):
        if check.get(key) != real.get(key):
            yield f"{key}: predicted {check.get(key)}, done {real.get(key)}"


def _answers(folder: Path) -> dict[str, ObservationSet]:
    """Ask all hosts all questions, with plain ansible-playbook."""
    settings = read_settings()
    words = [Path(sys.executable).with_name("ansible-playbook"), "-i", settings.public / "inventory"]
    extra = json.dumps({"verify_save_to": str(folder)})
    kept = {name: word for name, word in os.environ.items() if not name.startswith("ANSIBLE_")}
    done = subprocess.run(
        [*words, "playbooks/verify.yml", "-e", extra],
        cwd=CHECKOUT,
        env=kept,
        check=False,
        capture_output=True,
        text=True,
        timeout=900,
    )
    if done.returncode:
        raise LabError(f"the hosts could not be asked: {done.stdout[-2000:]}{done.stderr[-500:]}")
    answers = {}
    for file in folder.glob("*.json"):
        seen = read_observations(file.stem, json.loads(file.read_text(encoding="utf-8")), datetime.now(UTC))
        assert seen is not None, file
        answers[file.stem] = seen
    return answers


if __name__ == "__main__":
    sys.exit(main())

"""Verifying real hosts with plain ansible-playbook: answers as the hosts' own tools give them, and no trace."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from khien.adapters.controls_yaml import YamlControls, compile_probes
from khien.adapters.levels_yaml import load_levels
from khien.adapters.observations_json import read_observations
from khien.domain.evaluate import evaluate
from khien.domain.finding import Finding, Verdict
from khien.domain.host import HostRole
from khien.domain.observation import Answer, ObservationSet
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.repository import Repository

pytestmark = pytest.mark.lab

_ROOT = Path(__file__).parents[2]
_LEVELS = load_levels(_ROOT / "compliance" / "levels.yml")
_CONTROLS = _LEVELS.with_values(YamlControls(_ROOT / "roles").controls(), 3, HostRole.SERVER)
_BIN = Path(sys.executable).parent
_UPDATES = 'security_updates {"max_age_days":7}'
# Where a look could leave something; what the login itself writes (journal, wtmp, /run) is not in it.
_LOOKED_AFTER = (
    "/etc",
    "/usr",
    "/boot",
    "/opt",
    "/srv",
    "/root",
    "/home",
    "/tmp",
    "/var/lib",
    "/var/cache",
    "/var/tmp",
)


def _play(lab: Lab, hosts: list[Host], folder: Path, **variables: object) -> dict[str, ObservationSet]:
    """Play playbooks/verify.yml and return what each host answered."""
    inventory = lab.inventory_of(hosts, folder / "inventory")
    words = [_BIN / "ansible-playbook", "-i", inventory, "playbooks/verify.yml"]
    extra = {"verify_save_to": str(folder / "answers"), **variables}
    done = subprocess.run(
        [*words, "-e", json.dumps(extra)], cwd=_ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{hosts[0].name} " in done.stdout
    assert re.findall(r"changed=(\d+)", done.stdout) == ["0"] * len(hosts)
    answers = {}
    for host in hosts:
        said = json.loads((folder / "answers" / f"{host.name}.json").read_text(encoding="utf-8"))
        seen = read_observations(host.name, said, datetime.now(UTC))
        assert seen is not None
        answers[host.name] = seen
    return answers


def _look(lab: Lab, host: Host, folder: Path, **variables: object) -> ObservationSet:
    return _play(lab, [host], folder, **variables)[host.name]


def _judge(seen: ObservationSet) -> dict[str, Finding]:
    return {finding.control_id: finding for finding in evaluate(_CONTROLS, seen)}


def _waiting(seen: ObservationSet) -> dict[str, str]:
    observation = seen.observations[_UPDATES]
    assert observation.answer is Answer.ANSWERED, observation.detail
    assert isinstance(observation.value, dict)
    return {row["name"]: row["to"] for row in observation.value["packages"]}


def _files(host: Host) -> set[str]:
    listing = host.exec(["find", *_LOOKED_AFTER, "-xdev", "-printf", "%p %s %m %T@ %C@\n"])
    return set(listing.stdout.splitlines())


def test_real_hosts_answer_everything_and_the_waiting_updates_are_those_of_apt(
    lab: Lab, fresh_hosts: Callable[..., list[Host]], tmp_path: Path
) -> None:
    hosts = fresh_hosts("bookworm", "trixie")
    for host in hosts:
        host.exec(["apt-get", "update"])

    answers = _play(lab, hosts, tmp_path)

    for host in hosts:
        seen = answers[host.name]
        # What belongs to a kernel of its own cannot be asked in a container, and is judged not applicable.
        open_ends = {o.answer for o in seen.observations.values()} - {Answer.ANSWERED}
        assert open_ends <= {Answer.UNSUPPORTED}, host.name
        assert len(seen.observations) == len(compile_probes(_CONTROLS))
        assert (seen.facts.os_family, seen.facts.virtualization, seen.facts.privileged) == (
            "debian",
            "container",
            True,
        )
        assert not [finding for finding in _judge(seen).values() if finding.verdict is Verdict.UNKNOWN]
        simulated = host.exec(
            ["apt-get", "-s", "-o", "APT::Get::Show-User-Simulation-Note=no", "dist-upgrade"]
        ).stdout
        rows = re.findall(r"^Inst (\S+) \[\S+\] \((\S+) (.*?)\[", simulated, re.MULTILINE)
        assert _waiting(seen) == {
            name: version for name, version, origin in rows if "Debian-Security" in origin
        }
    assert _waiting(answers[hosts[0].name]), "Debian 12 has updates waiting since its base was made"


def test_nothing_on_the_host_is_different_afterwards(
    lab: Lab, fresh_host: Callable[..., Host], tmp_path: Path
) -> None:
    host = fresh_host()
    host.exec(["apt-get", "update"])
    _look(lab, host, tmp_path / "first")  # the first login of all makes folders that every Ansible makes
    before = _files(host)

    _look(lab, host, tmp_path / "second")

    assert len(before) > 10_000
    changed = before ^ _files(host)
    # Ansible unpacks every module into a folder of its own below /tmp and removes it.
    assert {line for line in changed if not line.startswith("/tmp ")} == set()


def test_without_root_the_rest_is_still_known(
    lab: Lab, fresh_host: Callable[..., Host], tmp_path: Path
) -> None:
    host = fresh_host()

    as_root = _judge(_look(lab, host, tmp_path / "root"))
    seen = _look(lab, host, tmp_path / "user", verify_become=False)

    as_user = _judge(seen)
    assert not seen.facts.privileged
    assert as_user["sshd_root_login_off"].reason == "needs_root"
    assert as_user["account_root_locked"].reason == "needs_root"
    assert as_user["sudo_uses_terminal"].reason == "needs_root"
    for control, finding in as_user.items():
        assert finding.verdict in (as_root[control].verdict, Verdict.UNKNOWN), control
    assert sum(f.verdict is Verdict.UNKNOWN for f in as_user.values()) < len(as_user) / 3


def test_a_probe_that_hangs_is_told_and_the_others_answer(
    lab: Lab, fresh_host: Callable[..., Host], tmp_path: Path
) -> None:
    host = fresh_host("trixie")
    host.exec(["mkfifo", "/etc/apt/apt.conf.d/99hangs"])  # opening it waits for a writer that never comes
    probes = [{**probe, "timeout": 1.0} for probe in compile_probes(_CONTROLS)]
    (tmp_path / "probes.json").write_text(json.dumps(probes), encoding="utf-8")

    seen = _look(lab, host, tmp_path, verify_probes_file=str(tmp_path / "probes.json"))

    hung = {key for key, o in seen.observations.items() if o.answer is Answer.TIMED_OUT}
    assert {key.split(" ")[0] for key in hung} == {"automatic_updates", "package_sources", "apt_option"}
    assert all("99hangs" in seen.observations[key].detail for key in hung)
    others = [
        o
        for key, o in seen.observations.items()
        if key not in hung and not key.startswith("security_updates")
    ]
    assert {o.answer for o in others} <= {Answer.ANSWERED, Answer.UNSUPPORTED}
    findings = _judge(seen)
    assert (findings["patch_sources_signed"].verdict, findings["patch_sources_signed"].reason) == (
        Verdict.UNKNOWN,
        "timed_out",
    )
    assert findings["account_uid_zero_only_root"].verdict is Verdict.PASS


def test_updates_holds_and_their_end_are_seen_exactly(
    lab: Lab, fresh_host: Callable[..., Host], repository: Repository, tmp_path: Path
) -> None:
    host = fresh_host()
    never = _look(lab, host, tmp_path / "never")
    host.use_own_repository_only()
    for name in ("kd-one", "kd-two", "kd-three"):
        repository.publish(name, "1.0")
    host.exec(
        ["sh", "-c", "apt-get update && apt-get install -y kd-one kd-two kd-three && apt-mark hold kd-three"]
    )
    repository.publish("kd-one", "1.1", suite="main")
    for name in ("kd-two", "kd-three"):
        repository.publish(name, "1.0+sec1", suite="security")
    host.exec(["apt-get", "update"])

    pending = _look(lab, host, tmp_path / "pending")
    host.exec(["apt-get", "install", "-y", "kd-two=1.0+sec1"])
    done = _judge(_look(lab, host, tmp_path / "done"))

    assert never.observations[_UPDATES].detail == "the package lists were never fetched"
    assert _waiting(pending) == {"kd-two": "1.0+sec1"}
    assert _judge(pending)["patch_security_updates_none_pending"].verdict is Verdict.FAIL
    assert done["patch_security_updates_none_pending"].verdict is Verdict.PASS
    assert done["patch_security_updates_none_held"].verdict is Verdict.FAIL
    assert "kd-three" in done["patch_security_updates_none_held"].detail


def test_a_service_on_replaced_code_waits_for_a_restart(
    lab: Lab, fresh_host: Callable[..., Host], tmp_path: Path
) -> None:
    host = fresh_host()
    host.exec(["cp", "/usr/bin/sleep", "/usr/local/bin/kd-sleep"])
    host.exec(["systemd-run", "--unit=kd-old", "/usr/local/bin/kd-sleep", "600"])
    host.wait_until(
        lambda: "kd-sleep" in host.exec(["systemctl", "show", "-p", "ExecStart,SubState", "kd-old"]).stdout,
        "no unit",
    )
    host.exec(["rm", "/usr/local/bin/kd-sleep"])

    finding = _judge(_look(lab, host, tmp_path))["patch_no_restart_pending"]

    assert finding.verdict is Verdict.FAIL
    assert "kd-old.service" in finding.detail


def test_a_real_packet_filter_is_understood(
    lab: Lab, fresh_host: Callable[..., Host], tmp_path: Path
) -> None:
    host = fresh_host()
    host.exec(["sh", "-c", "apt-get update && apt-get install -y --no-install-recommends nftables"])
    unguarded = _judge(_look(lab, host, tmp_path / "open"))
    rules = "add table inet f; add chain inet f in { type filter hook input priority 0; policy drop; }"
    host.exec(
        [
            "nft",
            f"{rules}; add rule inet f in tcp dport 22 accept; add rule inet f in ct state established accept",
        ]
    )

    closed = _judge(_look(lab, host, tmp_path / "closed"))

    assert unguarded["firewall_on"].verdict is Verdict.FAIL
    assert closed["firewall_on"].verdict is Verdict.PASS
    assert closed["firewall_refuses_by_default"].verdict is Verdict.PASS

"""A made-up province: agencies, hosts in every state, findings, updates and runs, equal for equal seeds."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from khien.domain.control import Check, Control, Probe, Severity
from khien.domain.finding import Finding, Verdict, VerdictCounts
from khien.domain.fleet import HostDetail, HostStatus
from khien.domain.host import Host, HostRole
from khien.domain.observation import Answer, HostFacts, Observation
from khien.domain.packages import PackageChange
from khien.domain.run import HostState, Run, RunId, RunOptions, RunState, Verb
from khien.domain.text import Bilingual

NOW = datetime(2026, 11, 23, 1, 15, tzinfo=UTC)

HOSTILE = (
    "\x1b[31mred\x1b[0m\x1b]0;owned\x07 [bold red]markup[/bold red] [link=javascript:alert(1)]x[/link] "
    "<script>alert(1)</script><img src=x onerror=alert(1)> \u202egnp.exe {{ 7*7 }} \x9b5m\x00"
)
FORMULA = "=cmd|' /C calc'!A0"

_AGENCIES = (
    ("so_y_te", "Sở Y tế"),
    ("so_tai_chinh", "Sở Tài chính"),
    ("so_giao_duc", "Sở Giáo dục và Đào tạo"),
    ("huyen_an_binh", "UBND huyện An Bình"),
    ("thanh_pho_minh_tan", "UBND thành phố Minh Tân"),
    ("", ""),
)
_CONTROLS = (
    ("sshd_root_login_off", "Root does not log in over SSH", "root không đăng nhập qua SSH", "medium"),
    ("sshd_password_login_off", "SSH accepts keys only", "SSH chỉ chấp nhận khoá", "high"),
    ("aslr_full", "The kernel places memory at random", "Nhân bố trí bộ nhớ ngẫu nhiên", "medium"),
    (
        "shadow_readable_by_root_only",
        "Only root reads password hashes",
        "Chỉ root đọc được mã băm mật khẩu",
        "high",
    ),
    ("updates_none_pending", "No security update is pending", "Không còn bản vá an toàn chưa cài", "high"),
    ("audit_running", "The audit service is running", "Dịch vụ kiểm toán đang chạy", "medium"),
    ("time_synchronised", "The clock is kept in time", "Đồng hồ được đồng bộ", "low"),
    ("umask_strict", "New files are private at first", "Tệp mới mặc định riêng tư", "low"),
    ("core_dumps_off", "Programs leave no core dumps", "Chương trình không để lại tệp core", "low"),
    ("firewall_running", "A firewall is running", "Tường lửa đang chạy", "high"),
    ("cron_for_root_only", "Only root writes system jobs", "Chỉ root ghi được tác vụ hệ thống", "medium"),
    ("redirects_off", "ICMP redirects are ignored", "Bỏ qua gói ICMP redirect", "medium"),
)
_SYSTEMS = (
    ("debian", "debian", "13", "Debian GNU/Linux 13 (trixie)"),
    ("debian", "debian", "12", "Debian GNU/Linux 12 (bookworm)"),
    ("ubuntu", "debian", "24.04", "Ubuntu 24.04.3 LTS"),
)


@dataclass(frozen=True, slots=True)
class Province:
    """Everything that a report is made from."""

    fleet: tuple[HostStatus, ...]
    details: dict[str, HostDetail]
    controls: dict[str, Control]
    runs: tuple[Run, ...]


def make_control(control_id: str, en: str, vi: str, severity: str) -> Control:
    return Control(
        id=control_id,
        title=Bilingual(en, vi),
        rationale=Bilingual(
            "What an attacker finds first is what nobody looked after.",
            "Thứ kẻ tấn công tìm thấy trước tiên là thứ không ai trông nom.",
        ),
        severity=Severity(severity),
        area="system",
        checks=(Check(Probe("sysctl", {"key": control_id}), "equals", 2),),
        os_families=("debian",),
        role="baseline",
        fix_variable=f"baseline_{control_id}",
        side_effects=Bilingual("Old clients may be refused.", "Máy trạm cũ có thể bị từ chối."),
        way_back=Bilingual("Remove the drop-in file and reload.", "Xoá tệp cấu hình thêm và nạp lại."),
        references={"cis_debian12": ("1.5.1",)},
    )


def make_province(hosts: int = 42, *, seed: int = 7, hostile: bool = True) -> Province:
    """Make a province of so many hosts; a hostile one answers with everything that could do harm."""
    dice = random.Random(seed)
    controls = {row[0]: make_control(*row) for row in _CONTROLS}
    details: dict[str, HostDetail] = {}
    for number in range(hosts):
        agency, agency_name = _AGENCIES[number % 5 if number % 23 else 5]
        name = f"{agency.replace('_', '-') or 'may'}-{number:04d}.example.org"
        host = Host(
            name,
            agency=agency,
            agency_name=agency_name,
            role=HostRole.SERVER if number % 3 else HostRole.WORKSTATION,
            level=dice.choice((None, 1, 2, 3)),
        )
        details[name] = _detail(host, number, dice, controls)
    if hostile and details:
        victim = min(details)
        details[victim] = make_hostile(details[victim].status.host.name, controls)
    return Province(
        fleet=tuple(details[name].status for name in sorted(details)),
        details=details,
        controls=controls,
        runs=_runs(hosts),
    )


def make_hostile(name: str, controls: dict[str, Control]) -> HostDetail:
    """Make a host all of whose words try to do harm."""
    ids = sorted(controls)
    findings = (
        Finding(
            ids[0], Verdict.FAIL, "not_as_expected", HOSTILE, (Observation("p", Answer.ANSWERED, HOSTILE),)
        ),
        Finding(
            ids[1], Verdict.FAIL, "not_as_expected", FORMULA, (Observation("q", Answer.ANSWERED, [FORMULA]),)
        ),
        Finding(
            ids[2], Verdict.UNKNOWN, "no_answer", HOSTILE, (Observation("r", Answer.FAILED, None, HOSTILE),)
        ),
        Finding("left_the_catalogue", Verdict.FAIL, "not_as_expected", "x"),
        *(Finding(i, Verdict.PASS, "as_expected") for i in ids[3:]),
    )
    status = HostStatus(
        host=Host(name, agency="so_y_te", agency_name="Sở Y tế " + HOSTILE),
        facts=HostFacts("debian", "debian", "13", FORMULA, kernel=HOSTILE),
        counts=VerdictCounts.of(findings),
        verified_at=NOW - timedelta(hours=3),
        seen_at=NOW - timedelta(hours=3),
        pending_security=1,
        reboot_needed=True,
    )
    pending = (PackageChange(HOSTILE, "amd64", FORMULA, "<b>1</b>"),)
    return HostDetail(status, findings, pending, held=("[red]held[/red]",))


def _detail(host: Host, number: int, dice: random.Random, controls: dict[str, Control]) -> HostDetail:
    if number % 17 == 16:
        return HostDetail(
            HostStatus(
                host,
                last_run=RunId("20261122-183000-abcd"),
                last_verb=Verb.VERIFY,
                last_state=HostState.UNREACHABLE,
            )
        )
    clean = number % 4 == 1
    findings = tuple(_finding(control, dice, clean=clean) for control in controls.values())
    age = timedelta(days=6, hours=2) if number % 11 == 10 else timedelta(hours=3, minutes=number % 50)
    verified_at = NOW - age
    pending = () if clean else tuple(_package(dice, n) for n in range(dice.choice((0, 0, 2, 7))))
    known = number % 9 != 8
    status = HostStatus(
        host=host,
        facts=HostFacts(*_SYSTEMS[number % 3], kernel="6.12.48", architecture="x86_64", privileged=True),
        counts=VerdictCounts.of(findings),
        verified_at=verified_at,
        seen_at=verified_at,
        pending_security=len(pending) if known else None,
        reboot_needed=(dice.random() < 0.15) if known else None,
        last_run=RunId("20261122-183000-abcd"),
        last_verb=Verb.VERIFY,
        last_state=HostState.OK,
    )
    return HostDetail(status, findings, pending if known else (), ("nginx",) if number % 13 == 5 else ())


def _finding(control: Control, dice: random.Random, *, clean: bool) -> Finding:
    probe = control.checks[0].probe
    roll = 0.0 if clean else dice.random()
    if roll < 0.7:
        seen = Observation(probe.id, Answer.ANSWERED, 2)
        return Finding(control.id, Verdict.PASS, "as_expected", f"{control.id} = 2 (= 2)", (seen,))
    if roll < 0.9:
        seen = Observation(probe.id, Answer.ANSWERED, dice.choice((0, 1, None, "yes")))
        detail = f"{control.id} = {seen.value} (= 2)"
        return Finding(control.id, Verdict.FAIL, "not_as_expected", detail, (seen,))
    if roll < 0.95:
        silent = Observation(probe.id, Answer.NEEDS_ROOT, None, "permission denied")
        detail = f"{control.id} = ? [permission denied]"
        return Finding(control.id, Verdict.UNKNOWN, "needs_root", detail, (silent,))
    if roll < 0.97:
        return Finding(control.id, Verdict.WAIVED, "not_as_expected", f"{control.id} = 1 (= 2)")
    return Finding(control.id, Verdict.NOT_APPLICABLE, "in_container")


def _package(dice: random.Random, number: int) -> PackageChange:
    name = ("openssl", "libssl3t64", "sudo", "linux-image-amd64", "curl", "libc6", "python3.13")[number % 7]
    minor = dice.randint(1, 9)
    return PackageChange(name, "amd64", f"3.{minor}.1-1", f"3.{minor}.1-1+deb13u{minor}", "Debian-Security")


def _runs(hosts: int) -> tuple[Run, ...]:
    at = NOW - timedelta(hours=3)
    ok = hosts - hosts // 17
    return (
        Run(
            RunId("20261122-221500-k3mp"), Verb.VERIFY, RunState.FINISHED, RunOptions(), "an", at, "0" * 64,
            started_at=at, ended_at=at + timedelta(minutes=4),
            counts={HostState.OK: ok, HostState.UNREACHABLE: hosts - ok},
        ),
        Run(
            RunId("20261121-183000-abcd"), Verb.PATCH, RunState.CANCELLED, RunOptions(check=True), "bình",
            at - timedelta(days=1), "1" * 64, started_at=at - timedelta(days=1),
            counts={HostState.OK: 3, HostState.CHANGED: 2, HostState.NOT_STARTED: 5},
        ),
    )  # fmt: skip

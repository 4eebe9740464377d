"""khien_state below a folder of its own: the kinds that work on files, the checkpoint, and what undo makes of it."""

from __future__ import annotations

import json
import os
import string
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from ansible.module_utils.khien_state import checkpoint as checkpoints
from ansible.module_utils.khien_state.bring import Task
from ansible.module_utils.khien_state.resource import BadWordsError
from ansible.module_utils.khien_state.restore import restore
from ansible.module_utils.khien_state.system import ApplyError, System
from ansible.module_utils.khien_state.undo import undo
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Words = Mapping[str, Any]
OWNER = {"owner": str(os.getuid()), "group": str(os.getgid())}


class Recorded(System):
    """A host below a folder, whose commands are remembered; only `true` and `false` do something."""

    def __init__(self, root: Path) -> None:
        super().__init__(str(root))
        self.ran: list[list[str]] = []

    def run(
        self, argv: Sequence[str], limit: float = 120.0, env: dict[str, str] | None = None
    ) -> tuple[int, str]:
        self.ran.append(list(argv))
        return (1, "no") if argv[0] == "false" else (0, "")


@pytest.fixture
def system(tmp_path: Path) -> Recorded:
    return host_below(tmp_path)


def host_below(root: Path) -> Recorded:
    for folder in ("etc", "run", "var/lib", "proc/sys/net/ipv4"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "etc/os-release").write_text('ID=debian\nVERSION_ID="12"\n')
    (root / "proc/sys/net/ipv4/ip_forward").write_text("1\n")
    return Recorded(root)


def task(system: System, *resources: Words, actions: Mapping[str, Words] | None = None, **more: Any) -> Task:
    words = {"run": "run-1", "area": "test", **more}
    return Task(system, resources=resources, actions=actions or {}, **words)


def a_file(**more: Any) -> Words:
    return {"kind": "file", "path": "/etc/x.conf", "control": "c_one", "content": "one\n", **OWNER, **more}


class TestSystem:
    @pytest.mark.parametrize(
        ("release", "names"),
        [
            ('ID=debian\nVERSION_ID="13"', {"debian", "debian13"}),
            ('ID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"', {"debian", "ubuntu", "ubuntu2404"}),
            (
                'ID="almalinux"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"',
                {"redhat", "almalinux", "almalinux94", "rhel9"},
            ),
        ],
    )
    def test_a_system_answers_to_its_family_its_id_and_its_version(
        self, tmp_path: Path, release: str, names: set[str]
    ) -> None:
        (tmp_path / "etc").mkdir()
        (tmp_path / "etc/os-release").write_text(release)

        assert System(str(tmp_path)).names == names


class TestFile:
    def test_what_is_predicted_is_what_is_done_and_then_nothing_is_left(self, system: Recorded) -> None:
        words = {
            "kind": "file",
            "path": "/etc/deep/er/x.conf",
            "fragments": [{"control": "c_one", "text": "one"}, {"control": "c_two", "text": "two\n"}],
            **OWNER,
        }

        predicted = task(system, words).predict()
        untouched = not Path(system.path("/etc/deep")).exists()
        done = task(system, words).execute()

        assert untouched
        assert [change["control"] for change in predicted["changes"]] == ["c_one", "c_two"]
        assert done["changes"] == predicted["changes"]
        assert (system.text("/etc/deep/er/x.conf") or "").splitlines()[1:] == ["one", "two"]
        assert task(system, words).predict()["changes"] == []

    def test_only_the_control_whose_text_is_missing_is_named(self, system: Recorded) -> None:
        first = {"control": "c_one", "text": "one"}
        words = {"kind": "file", "path": "/etc/x.conf", "fragments": [first], **OWNER}
        task(system, words).execute()

        more = {**words, "fragments": [first, {"control": "c_two", "text": "two"}]}

        assert [change["control"] for change in task(system, more).predict()["changes"]] == ["c_two"]

    def test_without_a_demanded_fragment_the_file_stays(self, system: Recorded) -> None:
        other = {"control": "c_one", "text": "one", "only_on": ["redhat"]}
        closed = {"control": "c_two", "text": "two", "opted_in": "no"}

        result = task(
            system, {"kind": "file", "path": "/etc/x.conf", "fragments": [other, closed], **OWNER}
        ).execute()

        assert not system.exists("/etc/x.conf")
        assert [(skip["control"], skip["why"]) for skip in result["skipped"]] == [("c_two", "not_opted_in")]

    def test_a_text_that_its_checker_refuses_never_gets_its_place(self, system: Recorded) -> None:
        result = task(system, a_file(validate="false %s")).execute()

        assert result["problem"] == "apply_failed"
        assert result["changes"] == []
        assert not system.exists("/etc/x.conf")
        assert checkpoints.of_run(system, "run-1") == []

    def test_a_wrong_mode_alone_is_a_change(self, system: Recorded) -> None:
        task(system, a_file()).execute()
        Path(system.path("/etc/x.conf")).chmod(0o666)

        (change,) = task(system, a_file()).predict()["changes"]

        assert (change["kind"], change["before"].split()[0], change["after"].split()[0]) == (
            "permissions",
            "0666",
            "0644",
        )


class TestSetting:
    def a_setting(self, **more: Any) -> Words:
        entries = [{"control": "c_one", "key": "UMASK", "value": "027"}]
        return {"kind": "setting", "path": "/etc/login.defs", "separator": "\t", "entries": entries, **more}

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("A 1\nUMASK 022\nB 2\n", "A 1\nUMASK\t027\nB 2\n"),
            ("UMASK 022\nX 1\nUMASK 077\n", "UMASK\t027\nX 1\n"),
            ("#UMASK 022\nB 2\n", "#UMASK 022\nUMASK\t027\nB 2\n"),
            ("A 1", "A 1\nUMASK\t027\n"),
            ("UMASKED 1\n", "UMASKED 1\nUMASK\t027\n"),
        ],
    )
    def test_only_its_own_line_changes(self, system: Recorded, before: str, after: str) -> None:
        Path(system.path("/etc/login.defs")).write_text(before)

        result = task(system, self.a_setting()).execute()

        assert result["problem"] == ""
        assert system.text("/etc/login.defs") == after

    @pytest.mark.parametrize(
        ("more", "before", "stays"),
        [
            ({"or_less": True}, "45", True),
            ({"or_less": True}, "90", False),
            ({"or_less": True}, "0", False),
            ({"or_less": True}, "-1", False),
            ({"or_more": True}, "90", True),
            ({"or_more": True}, "7", False),
            ({"or_more": True}, "never", False),
            ({"or_more": True, "also_fine": ["never", 0]}, "0", True),
            ({"also_fine": ["077"]}, "077", True),
        ],
    )
    def test_what_is_as_good_or_stricter_stays(
        self, system: Recorded, more: Words, before: str, stays: bool
    ) -> None:
        Path(system.path("/etc/login.defs")).write_text(f"DAYS {before}\n")
        entry = {"control": "c_one", "key": "DAYS", "value": "60", **more}

        result = task(system, self.a_setting(entries=[entry])).execute()

        assert result["problem"] == ""
        assert system.text("/etc/login.defs") == (f"DAYS {before}\n" if stays else "DAYS\t60\n")

    def test_a_file_that_is_not_there_is_made_only_when_told(self, system: Recorded) -> None:
        (skip,) = task(system, self.a_setting()).execute()["skipped"]
        task(system, self.a_setting(create=True, mode="0600")).execute()

        assert skip["why"] == "absent"
        assert system.text("/etc/login.defs") == "UMASK\t027\n"
        assert Path(system.path("/etc/login.defs")).stat().st_mode & 0o777 == 0o600

    def test_owner_and_mode_of_the_file_stay(self, system: Recorded) -> None:
        place = Path(system.path("/etc/login.defs"))
        place.write_text("UMASK 022\n")
        place.chmod(0o604)

        task(system, self.a_setting()).execute()

        assert place.stat().st_mode & 0o777 == 0o604


class TestSysctl:
    WORDS: ClassVar[Words] = {
        "kind": "sysctl",
        "path": "/etc/sysctl.d/60-khien.conf",
        "entries": [
            {"control": "c_one", "key": "net.ipv4.ip_forward", "value": 0},
            {"control": "c_two", "key": "net.ipv4.not_there", "value": 1},
        ],
    }

    def test_the_running_value_and_the_next_boots_are_both_set(self, system: Recorded) -> None:
        system._container = False

        result = task(system, self.WORDS).execute()

        assert [(change["thing"], change["before"], change["after"]) for change in result["changes"]] == [
            ("net.ipv4.ip_forward", "1", "0")
        ]
        assert [(skip["thing"], skip["why"]) for skip in result["skipped"]] == [
            ("net.ipv4.not_there", "absent")
        ]
        assert (system.text("/proc/sys/net/ipv4/ip_forward") or "").strip() == "0"
        assert "net.ipv4.ip_forward = 0\n" in (system.text("/etc/sysctl.d/60-khien.conf") or "")

    def test_a_value_that_is_as_good_stays_and_is_persisted(self, system: Recorded) -> None:
        system._container = False
        Path(system.path("/proc/sys/net/ipv4/ip_forward")).write_text("2\n")
        entry = {"control": "c_one", "key": "net.ipv4.ip_forward", "value": 1, "keep": [2, 3]}

        task(system, {**self.WORDS, "entries": [entry]}).execute()

        assert (system.text("/proc/sys/net/ipv4/ip_forward") or "").strip() == "2"
        assert "net.ipv4.ip_forward = 2\n" in (system.text("/etc/sysctl.d/60-khien.conf") or "")

    def test_a_star_stands_for_every_interface_but_all_and_default(self, system: Recorded) -> None:
        system._container = False
        base = Path(system.path("/proc/sys/net/ipv4/conf"))
        for name in ("all", "default", "eth0.7", "lo"):
            (base / name).mkdir(parents=True)
            (base / name / "x").write_text("1\n")
        words = {**self.WORDS, "entries": [{"control": "c_one", "key": "net.ipv4.conf.*.x", "value": 0}]}

        changes = task(system, words).execute()["changes"]

        assert [change["thing"] for change in changes] == [
            "net/ipv4/conf/eth0.7/x",
            "net/ipv4/conf/lo/x",
        ]
        assert (base / "all" / "x").read_text() == "1\n"
        assert "net.ipv4.conf.*.x = 0\n" in (system.text("/etc/sysctl.d/60-khien.conf") or "")
        assert task(system, words).predict()["changes"] == []

    def test_a_right_value_that_no_boot_would_set_is_persisted(self, system: Recorded) -> None:
        system._container = False
        Path(system.path("/proc/sys/net/ipv4/ip_forward")).write_text("0\n")

        (change,) = task(system, self.WORDS).execute()["changes"]

        assert change["before"] == "0 (∅)"
        assert task(system, self.WORDS).predict()["changes"] == []


class TestPermissions:
    def test_bits_are_taken_away_and_never_granted(self, system: Recorded) -> None:
        for name, mode in (("open", 0o666), ("closed", 0o400)):
            Path(system.path(f"/etc/{name}")).write_text("")
            Path(system.path(f"/etc/{name}")).chmod(mode)

        result = task(
            system,
            {"kind": "permissions", "paths": ["/etc/open", "/etc/closed"], "mode": "0640", "control": "c"},
        ).execute()

        assert [change["thing"] for change in result["changes"]] == ["/etc/open"]
        assert Path(system.path("/etc/open")).stat().st_mode & 0o777 == 0o640
        assert Path(system.path("/etc/closed")).stat().st_mode & 0o777 == 0o400

    def test_a_link_never_leads_to_what_it_points_at(self, system: Recorded) -> None:
        for name in ("target", "other"):
            Path(system.path(f"/etc/{name}")).write_text("")
            Path(system.path(f"/etc/{name}")).chmod(0o666)
        Path(system.path("/etc/link")).symlink_to(system.path("/etc/target"))
        Path(system.path("/etc/masked")).symlink_to("/dev/null")
        words = {
            "kind": "permissions",
            "paths": ["/etc/link", "/etc/masked", "/etc/oth*"],
            "mode": "0640",
            "control": "c",
        }

        result = task(system, words).execute()

        assert [change["thing"] for change in result["changes"]] == ["/etc/other"]
        assert Path(system.path("/etc/target")).stat().st_mode & 0o777 == 0o666


class TestActions:
    def test_an_action_follows_only_a_change_and_once(self, system: Recorded) -> None:
        words = [a_file(actions=["tell"]), a_file(path="/etc/y.conf", actions=["tell"])]
        actions = {"tell": {"command": ["tell-it"]}}

        task(system, *words, actions=actions).execute()
        first = list(system.ran)
        task(system, *words, actions=actions).execute()

        assert first.count(["tell-it"]) == 1
        assert system.ran.count(["tell-it"]) == 1

    def test_when_an_action_fails_everything_is_put_back(self, system: Recorded) -> None:
        Path(system.path("/etc/x.conf")).write_text("before\n")

        result = task(system, a_file(actions=["no"]), actions={"no": {"command": ["false"]}}).execute()

        assert result["problem"] == "action_failed"
        assert system.text("/etc/x.conf") == "before\n"

    def test_a_role_that_names_an_unknown_action_is_refused_before_anything_changes(
        self, system: Recorded
    ) -> None:
        with pytest.raises(ApplyError, match="no such action: nobody"):
            task(system, a_file(actions=["nobody"]))


class TestWords:
    @pytest.mark.parametrize(
        ("words", "complaint"),
        [
            ({"kind": "magic"}, "magic"),
            ({"kind": "file", "path": "/x", "control": "c"}, "either fragments or content"),
            ({"kind": "unit", "name": "x"}, "control is missing"),
            ({"kind": "absent", "path": "/x", "control": "c", "enabled": True}, "enabled is not known"),
        ],
    )
    def test_data_that_is_not_as_it_must_be_is_refused(
        self, system: Recorded, words: Words, complaint: str
    ) -> None:
        with pytest.raises(BadWordsError, match=complaint):
            task(system, words)

    def test_a_run_whose_name_is_a_path_is_refused(self, system: Recorded) -> None:
        result = task(system, a_file(), run="../../etc").execute()

        assert result["problem"] == "checkpoint_failed"
        assert not system.exists("/etc/x.conf")


class TestCheckpoint:
    def test_the_oldest_runs_are_forgotten_and_the_present_one_never(self, system: Recorded) -> None:
        for number in range(5):
            task(system, a_file(content=f"{number}\n"), run=f"run-{number}", keep_runs=3).execute()
            os.utime(system.path(f"{checkpoints.FOLDER}/run-{number}"), (number, number))

        kept = sorted(place.name for place in Path(system.path(checkpoints.FOLDER)).iterdir())

        assert kept == ["run-2", "run-3", "run-4"]

    def test_a_run_that_needs_more_room_than_there_is_changes_nothing(self, system: Recorded) -> None:
        Path(system.path("/etc/x.conf")).write_text("a long text\n" * 100)

        result = task(system, a_file(), largest_bytes=500).execute()

        assert result["problem"] == "checkpoint_failed"
        assert (system.text("/etc/x.conf") or "").startswith("a long text")
        assert checkpoints.of_run(system, "run-1") == []

    def test_a_damaged_content_is_not_put_back(self, system: Recorded) -> None:
        Path(system.path("/etc/x.conf")).write_text("before\n")
        task(system, a_file()).execute()
        (blob,) = Path(system.path(f"{checkpoints.FOLDER}/run-1/blobs")).iterdir()
        blob.write_text("other\n")

        (refused,) = restore(system, checkpoints.of_run(system, "run-1")[0], force=False).refused

        assert refused["why"] == "cannot_restore"
        assert "damaged" in refused["detail"]
        assert system.text("/etc/x.conf") == "one\n"

    def test_what_lay_there_before_a_package_came_is_there_after_it_went(self, tmp_path: Path) -> None:
        class WithPackages(Recorded):
            """Its one package owns /etc/x.conf and takes it along."""

            installed = False

            def run(
                self, argv: Sequence[str], limit: float = 120.0, env: dict[str, str] | None = None
            ) -> tuple[int, str]:
                if argv[0] == "dpkg-query":
                    return (0, "ii \t1.0\n") if self.installed else (1, "")
                if argv[0] == "apt-get":
                    self.installed = "-s" not in argv or self.installed
                    return 0, "Inst tool (1.0 Debian [all])\n"
                if argv[:2] == ["dpkg", "--purge"]:
                    self.installed = False
                    Path(self.path("/etc/x.conf")).unlink()
                return super().run(argv, limit, env)

        host_below(tmp_path)
        system = WithPackages(tmp_path)
        Path(system.path("/etc/x.conf")).write_text("before\n")
        task(system, {"kind": "package", "name": "tool", "control": "c_tool"}, a_file()).execute()
        assert (system.installed, system.text("/etc/x.conf")) == (True, "one\n")

        done = undo(system, of="run-1", run="undo-1", force=False, dry=False)

        assert done["refused"] == []
        assert (system.installed, system.text("/etc/x.conf")) == (False, "before\n")

    def test_a_host_that_died_in_the_middle_can_be_put_back(self, system: Recorded) -> None:
        Path(system.path("/etc/x.conf")).write_text("before\n")
        task(system, a_file()).execute()
        manifest = Path(checkpoints.of_run(system, "run-1")[0].folder) / "manifest.json"
        words = json.loads(manifest.read_text())
        manifest.write_text(
            json.dumps(
                {**words, "closed": False, "entries": [{**e, "after": None} for e in words["entries"]]}
            )
        )

        done = restore(system, checkpoints.of_run(system, "run-1")[0], force=False)

        assert done.refused == []
        assert system.text("/etc/x.conf") == "before\n"


NAMES = st.sampled_from(["/etc/a.conf", "/etc/b.conf", "/etc/new/c.conf"])
TEXTS = st.text(string.ascii_letters + "\n #=", max_size=40)
EDITS = st.lists(
    st.one_of(
        st.builds(lambda path, text: a_file(path=path, content=text), NAMES, TEXTS),
        st.builds(lambda path: {"kind": "absent", "path": path, "control": "c_absent"}, NAMES),
        st.builds(
            lambda path, value: {
                "kind": "setting",
                "path": path,
                "create": True,
                "separator": " = ",
                "entries": [{"control": "c_key", "key": "key", "value": value}],
            },
            NAMES,
            st.text(string.ascii_letters, min_size=1, max_size=5),
        ),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda words: words["path"],
)


def files_of(root: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path): (path.stat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in sorted((root / "etc").rglob("*"))
    }


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.dictionaries(NAMES, TEXTS, max_size=3), first=EDITS, second=EDITS)
def test_whatever_two_runs_do_undoing_them_backwards_gives_every_byte_back(
    tmp_path_factory: pytest.TempPathFactory, before: dict[str, str], first: list[Words], second: list[Words]
) -> None:
    root = tmp_path_factory.mktemp("host")
    system = host_below(root)
    for path, text in before.items():
        Path(system.path(path)).parent.mkdir(exist_ok=True)
        Path(system.path(path)).write_text(text)
    untouched = files_of(root)

    predicted = task(system, *first, run="run-1").predict()
    done = task(system, *first, run="run-1").execute()
    middle = files_of(root)
    again = task(system, *first, run="run-x").execute()
    task(system, *second, run="run-2").execute()
    one = undo(system, of="run-2", run="undo-2", force=False, dry=False)
    after_one = files_of(root)
    two = undo(system, of="run-1", run="undo-1", force=False, dry=False)

    assert done["problem"] == ""
    assert done["changes"] == predicted["changes"]
    assert again["changes"] == []
    assert one["refused"] == two["refused"] == []
    assert after_one == middle
    assert files_of(root) == untouched

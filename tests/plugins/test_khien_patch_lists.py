"""Refreshed package lists are trusted only when the security sources really were fetched."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from ansible.module_utils.khien_patch.command import Output, PatchError
from ansible.module_utils.khien_patch.lists import (
    find_empty_sources,
    parse_update,
    private_workplace,
    refresh,
    require_fresh,
)
from ansible.module_utils.khien_patch.plan import Sources, Workplace
from ansible.module_utils.khien_patch.policy import PackageFile

SECURITY = PackageFile(500, "http://198.18.0.1/security trixie-security/main amd64 Packages")
STABLE = PackageFile(500, "http://198.18.0.1/debian trixie/main amd64 Packages")
ORIGINS = ["l=Debian-Security"]
FRESH = """\
Hit:1 http://198.18.0.1/debian trixie InRelease
Get:2 http://198.18.0.1/security trixie-security InRelease [43.4 kB]
Get:3 http://198.18.0.1/security trixie-security/main amd64 Packages [308 kB]
Fetched 351 kB in 2s (10.3 MB/s)
Reading package lists...
"""


def _judge(text: str, *security: PackageFile, err: str = "", code: int = 0) -> None:
    require_fresh(Output(code, text, err), Sources((STABLE, *security), security), ORIGINS)


def test_fetched_security_lists_are_fresh() -> None:
    _judge(FRESH, SECURITY)


def test_a_source_without_inrelease_is_fresh_by_its_release_file() -> None:
    _judge(
        "Ign:1 http://198.18.0.1/security trixie-security InRelease\n"
        "Get:2 http://198.18.0.1/security trixie-security Release [1 kB]\n"
        "Ign:3 http://198.18.0.1/security trixie-security Release.gpg\n",
        SECURITY,
    )


def test_a_security_source_that_failed_is_named_with_apts_reason() -> None:
    text = FRESH.replace("Get:2", "Err:2")

    with pytest.raises(
        PatchError, match=r"trixie-security was not fetched\. W: Failed to fetch it"
    ) as caught:
        _judge(text, SECURITY, err="W: Failed to fetch it\nW: Some index files failed to download.\n")

    assert caught.value.code == "lists_failed"


def test_a_failed_part_of_a_security_source_counts() -> None:
    with pytest.raises(PatchError):
        _judge(FRESH.replace("Get:3", "Err:3"), SECURITY)


def test_a_security_source_of_which_nothing_was_heard_is_not_fresh() -> None:
    with pytest.raises(PatchError):
        _judge("Hit:1 http://198.18.0.1/debian trixie InRelease\n", SECURITY, code=100)


def test_a_known_source_without_security_updates_may_fail() -> None:
    _judge(FRESH.replace("Hit:1", "Err:1"), SECURITY, code=100)


def test_an_unknown_source_that_fails_may_be_the_security_one() -> None:
    with pytest.raises(PatchError, match="other"):
        _judge(FRESH + "Err:4 http://198.18.0.1/other x-security InRelease\n", SECURITY)


def test_a_host_without_any_security_source_is_not_up_to_date() -> None:
    with pytest.raises(PatchError, match=r"security origin \(l=Debian-Security\)"):
        _judge("Hit:1 http://198.18.0.1/debian trixie InRelease\n")


def test_a_mirror_list_is_known_by_its_suite() -> None:
    mirrored = PackageFile(500, "mirror+file:/etc/apt/mirrors.list trixie-security/main amd64 Packages")

    _judge(FRESH, mirrored)


def test_a_security_source_without_packages_is_found_by_its_release_file(tmp_path: Path) -> None:
    text = (
        "Hit:1 http://198.18.0.1:80/my_debs trixie/updates InRelease\nGet:2 http://198.18.0.1/o x InRelease\n"
    )
    name = "198.18.0.1:80_my%5fdebs_dists_trixie_updates_InRelease"
    (tmp_path / name).write_text("Hash: SHA512\n\nOrigin: Debian\nLabel: Debian-Security\nDate: now\n")
    workplace = Workplace(str(tmp_path), (), str(tmp_path))

    empty = find_empty_sources(Output(0, text), workplace, ORIGINS)

    assert [(source.address, source.suite) for source in empty] == [
        ("http://198.18.0.1:80/my_debs", "trixie/updates")
    ]
    _judge(text, *empty)


def test_an_update_that_hangs_is_a_problem_of_the_lists(tmp_path: Path) -> None:
    def hanging(argv: Sequence[str], timeout: float = 300) -> Output:
        return Output(-9, "", "", timed_out=True)

    with pytest.raises(PatchError, match="after 5 seconds") as caught:
        refresh(hanging, Workplace(str(tmp_path)), 5)

    assert caught.value.code == "lists_failed"


def test_results_of_an_update_are_read() -> None:
    assert [(f.result, f.suite, f.file) for f in parse_update(FRESH)] == [
        ("Hit", "trixie", "InRelease"),
        ("Get", "trixie-security", "InRelease"),
        ("Get", "trixie-security/main", "amd64"),
    ]


def test_a_private_workplace_copies_the_lists_and_touches_none(tmp_path: Path) -> None:
    lists = tmp_path / "host"
    (lists / "partial").mkdir(parents=True)
    (lists / "lock").touch()
    (lists / "x_InRelease").write_text("signed")

    workplace = private_workplace(str(tmp_path), str(lists))

    copied = sorted(path.name for path in (tmp_path / "lists").iterdir())
    assert copied == ["partial", "x_InRelease"]
    assert (tmp_path / "lists/x_InRelease").stat().st_mtime == (lists / "x_InRelease").stat().st_mtime
    assert f"Dir::State::Lists={tmp_path}/lists/" in workplace.options
    assert "#clear APT::Update::Post-Invoke;" in (tmp_path / "config").read_text()


def test_a_host_that_never_fetched_lists_has_a_workplace_too(tmp_path: Path) -> None:
    private_workplace(str(tmp_path), str(tmp_path / "nothing"))

    assert (tmp_path / "lists/partial").is_dir()

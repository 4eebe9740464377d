"""Reading and writing known_hosts files."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import paramiko
import pytest

from khien.adapters.known_hosts import KnownHosts
from khien.application.trust_hosts import HostKey, KeyState, ShownKey
from khien.errors import UsageError
from tests.fakes.ssh_service import make_key


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ssh" / "known_hosts"


@pytest.fixture
def keys(tmp_path: Path) -> tuple[HostKey, HostKey]:
    return _key(make_key(tmp_path / "one")), _key(make_key(tmp_path / "two"))


def _key(path: Path) -> HostKey:
    key = paramiko.PKey.from_path(path)
    return HostKey(key.get_name(), key.asbytes())


def _line(names: str, key: HostKey) -> str:
    return f"{names} {key.key_type} {base64.b64encode(key.blob).decode()}"


def _shown(file: Path, key: HostKey, name: str = "web1") -> ShownKey:
    return ShownKey("web1", name, name, file, KeyState.NEW, key)


def _write(file: Path, *lines: str) -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_text("\n".join(lines) + "\n")
    return file


def test_a_fingerprint_is_written_as_ssh_keygen_writes_it(tmp_path: Path) -> None:
    path = make_key(tmp_path / "key")
    said = subprocess.run(["ssh-keygen", "-lf", str(path)], capture_output=True, text=True, check=True).stdout

    assert _key(path).fingerprint in said


def test_a_new_key_is_known_to_us_and_to_ssh_afterwards(file: Path, keys: tuple[HostKey, HostKey]) -> None:
    KnownHosts().record([_shown(file, keys[0], "[web1.example.org]:2222")], replace=False)

    assert KnownHosts().recorded("[web1.example.org]:2222", [file]).state_of(keys[0]) is KeyState.KNOWN
    found = subprocess.run(
        ["ssh-keygen", "-F", "[web1.example.org]:2222", "-f", str(file)], capture_output=True, check=False
    )
    assert found.returncode == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert list(file.parent.iterdir()) == [file]


def test_recording_twice_writes_once(file: Path, keys: tuple[HostKey, HostKey]) -> None:
    KnownHosts().record([_shown(file, keys[0]), _shown(file, keys[0])], replace=False)
    KnownHosts().record([_shown(file, keys[0])], replace=False)

    assert len(file.read_text().splitlines()) == 1


def test_another_key_is_a_changed_host(file: Path, keys: tuple[HostKey, HostKey]) -> None:
    _write(file, _line("web1", keys[0]))

    assert KnownHosts().recorded("web1", [file]).state_of(keys[1]) is KeyState.CHANGED
    assert KnownHosts().recorded("web2", [file]).state_of(keys[1]) is KeyState.NEW


def test_replacing_takes_out_the_old_key_and_nothing_else(file: Path, keys: tuple[HostKey, HostKey]) -> None:
    old, new = keys
    _write(
        file,
        "# by hand, 2024",
        _line("web1,198.18.0.1", old) + " a comment",
        _line("WEB1", old),
        _line("web10", old),
        _line("*.example.org", old),
        "garbage of long ago",
        "@cert-authority *.example.org ssh-ed25519 AAAA",
    )
    file.chmod(0o644)

    KnownHosts().record([_shown(file, new)], replace=True)

    lines = file.read_text().splitlines()
    assert lines[0] == "# by hand, 2024"
    assert lines[1] == _line("198.18.0.1", old) + " a comment"
    assert lines[2:4] == [_line("web10", old), _line("*.example.org", old)]
    assert lines[4:6] == ["garbage of long ago", "@cert-authority *.example.org ssh-ed25519 AAAA"]
    assert lines[6] == _line("web1", new)
    assert file.stat().st_mode & 0o777 == 0o644
    assert KnownHosts().recorded("web1", [file]).keys == (new,)


def test_hashed_names_are_understood_and_replaced(file: Path, keys: tuple[HostKey, HostKey]) -> None:
    _write(file, _line("web1", keys[0]), _line("web2", keys[0]))
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(file)], check=True, capture_output=True)
    assert "web1" not in file.read_text()

    assert KnownHosts().recorded("web1", [file]).state_of(keys[0]) is KeyState.KNOWN

    KnownHosts().record([_shown(file, keys[1])], replace=True)
    assert KnownHosts().recorded("web1", [file]).keys == (keys[1],)
    assert KnownHosts().recorded("web2", [file]).keys == (keys[0],)


def test_patterns_negations_and_case_are_those_of_ssh(file: Path, keys: tuple[HostKey, HostKey]) -> None:
    _write(file, _line("*.example.org,!bad.example.org,DB?", keys[0]))
    book = KnownHosts()

    assert book.recorded("web.example.org", [file]).keys == (keys[0],)
    assert book.recorded("db1", [file]).keys == (keys[0],)
    assert book.recorded("bad.example.org", [file]).keys == ()
    assert book.recorded("db10", [file]).keys == ()


def test_a_revoked_key_is_never_known_and_never_recorded(file: Path, keys: tuple[HostKey, HostKey]) -> None:
    _write(file, _line("web1", keys[0]), "@revoked " + _line("*", keys[0]))

    assert KnownHosts().recorded("web1", [file]).state_of(keys[0]) is KeyState.REVOKED
    before = file.read_text()
    KnownHosts().record([_shown(file, keys[0], "web9")], replace=False)
    assert file.read_text() == before


def test_an_authority_is_noticed(file: Path, keys: tuple[HostKey, HostKey]) -> None:
    _write(file, "@cert-authority " + _line("*.example.org", keys[0]))

    assert KnownHosts().recorded("a.example.org", [file]).has_authority
    assert not KnownHosts().recorded("a.example.net", [file]).has_authority


def test_a_symbolic_link_stays_one(file: Path, keys: tuple[HostKey, HostKey], tmp_path: Path) -> None:
    target = _write(tmp_path / "elsewhere" / "hosts", "# here")
    file.parent.mkdir()
    file.symlink_to(target)

    KnownHosts().record([_shown(file, keys[0])], replace=False)

    assert file.is_symlink()
    assert target.read_text().startswith("# here\nweb1 ")


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, keys: tuple[HostKey, HostKey]) -> None:
    (tmp_path / "plain").write_text("")

    with pytest.raises(UsageError, match="plain"):
        KnownHosts().record([_shown(tmp_path / "plain" / "known_hosts", keys[0])], replace=False)

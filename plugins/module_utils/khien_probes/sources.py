"""Probes about where packages come from, and whether security updates come by themselves."""

from __future__ import annotations

import re
from typing import Any, Optional

from .facts import os_family
from .machine import Machine, UnsupportedError

_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|[{};]|[^\s{};"]+')
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*|^\s*#(?!clear)[^\n]*", re.S | re.M)
_UNSAFE_OPTIONS = (
    "apt::get::allowunauthenticated",
    "acquire::allowinsecurerepositories",
    "acquire::allowdowngradetoinsecurerepositories",
    "acquire::allowweakrepositories",
)
_YES = ("1", "true", "yes", "on", "enable", "with")


def package_sources(machine: Machine) -> list[str]:
    """Return the places that let packages in without a valid signature."""
    family = os_family(machine)
    if family == "debian":
        return _unsigned_apt(machine)
    if family in ("redhat", "suse"):
        return _unsigned_rpm(machine)
    raise UnsupportedError("neither apt nor dnf nor zypper keeps the packages of this system")


def apt_option(machine: Machine, name: str) -> Optional[str]:
    """Return an option of apt in lower case, or nothing when no file sets it."""
    if os_family(machine) != "debian":
        raise UnsupportedError("apt does not keep the packages of this system")
    value = apt_options(machine).get(name.lower())
    return None if value is None else value.lower()


def dnf_option(machine: Machine, name: str) -> Optional[str]:
    """Return a main option of dnf in lower case, or nothing when it is not set."""
    if os_family(machine) != "redhat":
        raise UnsupportedError("dnf does not keep the packages of this system")
    value = _ini(machine, "/etc/dnf/dnf.conf").get("main", {}).get(name.lower())
    return None if value is None else value.lower()


def keyless_sources(machine: Machine) -> list[str]:
    """Return the files with package sources of apt that any of the trusted keys may sign."""
    if os_family(machine) != "debian":
        raise UnsupportedError("apt does not keep the packages of this system")
    found = []
    for file in ["/etc/apt/sources.list", *machine.matching("/etc/apt/sources.list.d/*.list")]:
        lines = [line for line in machine.lines(file) if line.startswith("deb")]
        if any("signed-by=" not in line.lower() for line in lines):
            found.append(file)
    for file in machine.matching("/etc/apt/sources.list.d/*.sources"):
        for paragraph in re.split(r"\n\s*\n", "\n".join(_paragraph_lines(machine, file))):
            words = paragraph.lower()
            in_use = "types:" in words and not re.search(r"^enabled:\s*no\b", words, re.MULTILINE)
            if in_use and not re.search(r"^signed-by:", words, re.MULTILINE):
                found.append(file)
    return sorted(set(found))


def _paragraph_lines(machine: Machine, file: str) -> list[str]:
    text = machine.text(file) or ""
    return [line for line in text.split("\n") if not line.startswith("#")]


def automatic_updates(machine: Machine) -> dict[str, Any]:
    """Return what installs security updates without a person, or "none"."""
    family = os_family(machine)
    if family == "debian" and _has_unattended_upgrades(machine):
        return {"method": "unattended-upgrades"}
    if family == "redhat" and _has_dnf_automatic(machine):
        return {"method": "dnf-automatic"}
    return {"method": "none"}


def apt_options(machine: Machine) -> dict[str, str]:
    """Return apt's configuration, keys in lower case."""
    options: dict[str, str] = {}
    for file in [*machine.matching("/etc/apt/apt.conf.d/*"), "/etc/apt/apt.conf"]:
        name = file.rsplit("/", 1)[-1]
        if "." not in name or name.endswith(".conf"):
            _read_options(machine.text(file) or "", options)
    return options


def _read_options(text: str, options: dict[str, str]) -> None:
    """Read `A::B "x";` and `A { B "x"; };` alike."""
    scopes: list[str] = []
    words: list[str] = []
    for piece in _PIECE.findall(_COMMENT.sub("", text)):
        if piece == "{":
            scopes.append(words[0] if words else "")
            words = []
        elif piece in "};":
            if len(words) > 1:
                options["::".join([*scopes, words[0]]).lower()] = words[-1].strip('"')
            words = []
            if piece == "}" and scopes:
                scopes.pop()
        else:
            words.append(piece)


def _unsigned_apt(machine: Machine) -> list[str]:
    options = apt_options(machine)
    found = ["apt.conf: %s" % key for key in _UNSAFE_OPTIONS if options.get(key, "").lower() in _YES]
    for file in ["/etc/apt/sources.list", *machine.matching("/etc/apt/sources.list.d/*.list")]:
        for line in machine.lines(file):
            bracket = re.match(r"deb(?:-src)?\s+\[([^\]]*)\]", line)
            if bracket and _is_trusted_anyway(bracket.group(1).split()):
                found.append(file)
    for file in machine.matching("/etc/apt/sources.list.d/*.sources"):
        for paragraph in re.split(r"\n\s*\n", machine.text(file) or ""):
            words = [re.sub(r":\s*", "=", line, count=1).replace(" ", "") for line in paragraph.split("\n")]
            if _is_trusted_anyway(words) and "enabled=no" not in [word.lower() for word in words]:
                found.append(file)
    return sorted(set(found))


def _is_trusted_anyway(words: list[str]) -> bool:
    for word in words:
        key, _equals, value = word.lower().partition("=")
        if key in ("trusted", "allow-insecure", "allow-weak") and value in _YES:
            return True
    return False


def _unsigned_rpm(machine: Machine) -> list[str]:
    """Return the repositories in use whose packages are not checked."""
    main = _ini(machine, "/etc/dnf/dnf.conf") or _ini(machine, "/etc/zypp/zypp.conf")
    default = main.get("main", {}).get("gpgcheck", "1")
    found = ["dnf.conf"] if default.lower() not in _YES else []
    for pattern in ("/etc/yum.repos.d/*.repo", "/etc/zypp/repos.d/*.repo"):
        for file in machine.matching(pattern):
            for name, settings in _ini(machine, file).items():
                in_use = settings.get("enabled", "1").lower() in _YES
                if in_use and settings.get("gpgcheck", default).lower() not in _YES:
                    found.append("%s [%s]" % (file, name))
    return found


def _ini(machine: Machine, file: str) -> dict[str, dict[str, str]]:
    sections: dict[str, dict[str, str]] = {}
    current: dict[str, str] = {}
    for line in machine.lines(file):
        if line.startswith("[") and line.endswith("]"):
            current = sections.setdefault(line[1:-1], {})
        elif "=" in line:
            key, _equals, value = line.partition("=")
            current[key.strip().lower()] = value.strip()
    return sections


def _has_unattended_upgrades(machine: Machine) -> bool:
    options = apt_options(machine)
    wanted = options.get("apt::periodic::unattended-upgrade", "0") not in ("", "0", "false", "no")
    enabled = options.get("apt::periodic::enable", "1") not in ("0", "false", "no")
    masked = machine.text("/etc/systemd/system/apt-daily-upgrade.timer") == ""
    present = machine.program("unattended-upgrade", "unattended-upgrades") is not None
    return wanted and enabled and present and not masked


def _has_dnf_automatic(machine: Machine) -> bool:
    wants = machine.names("/etc/systemd/system/timers.target.wants")
    if "dnf-automatic-install.timer" in wants:
        return True
    for file in ("/etc/dnf/automatic.conf", "/etc/dnf/dnf5-plugins/automatic.conf"):
        if _ini(machine, file).get("commands", {}).get("apply_updates", "no").lower() in _YES:
            return any(name in wants for name in ("dnf-automatic.timer", "dnf5-automatic.timer"))
    return False

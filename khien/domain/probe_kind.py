"""The kinds of probes that collectors answer, and the parameters each takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(_is_text(entry) for entry in value)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


ParameterCheck = Callable[[object], bool]

PARAMETER_WORDS: Mapping[ParameterCheck, str] = {
    _is_text: "a text",
    _is_texts: "a list of texts",
    _is_count: "a whole number above zero",
}

# Every parameter is required. The collector for Linux answers exactly these: a contract test says so.
PROBE_KINDS: Mapping[str, Mapping[str, ParameterCheck]] = {
    "accounts": {"which": _is_text},
    "automatic_updates": {},
    "banner": {"path": _is_text},
    "boot_password": {},
    "core_limit": {},
    "core_storage": {},
    "cron_files": {},
    "file_tree": {"find": _is_text},
    "files": {"paths": _is_texts},
    "firewall": {},
    "journal_storage": {},
    "kernel_module": {"name": _is_text},
    "listeners": {},
    "login_defs": {"key": _is_text},
    "login_failures": {},
    "mandatory_access": {},
    "mandatory_access_boot": {},
    "mount": {"path": _is_text},
    "os_release": {},
    "package_sources": {},
    "packages": {"names": _is_texts},
    "pam_nullok": {},
    "password_history": {},
    "password_quality": {},
    "remote_mounts": {},
    "restart_needed": {},
    "security_updates": {"max_age_days": _is_count},
    "shell_timeout": {},
    "snmp_communities": {},
    "sshd_access": {},
    "sshd_limits": {},
    "sshd_option": {"option": _is_text},
    "sudo_rules": {},
    "sysctl": {"key": _is_text},
    "sysctl_persisted": {"key": _is_text},
    "systemd_setting": {"file": _is_text, "key": _is_text},
    "time_servers": {},
    "unconfined_services": {},
    "units": {"names": _is_texts},
}

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
    "apt_option": {"name": _is_text},
    "audit_log_room": {},
    "audit_rules": {"rules": _is_texts},
    "audit_status": {},
    "auditd_option": {"key": _is_text},
    "automatic_updates": {},
    "banner": {"path": _is_text},
    "boot_argument": {"name": _is_text},
    "boot_password": {},
    "chrony": {},
    "clock": {},
    "core_limit": {},
    "core_storage": {},
    "dnf_option": {"name": _is_text},
    "file_tree": {"find": _is_text},
    "files": {"paths": _is_texts},
    "firewall": {},
    "groups": {"which": _is_text},
    "home_files": {"which": _is_text},
    "homes": {},
    "integrity_check": {},
    "journal_storage": {},
    "kernel_module": {"name": _is_text},
    "keyless_sources": {},
    "listeners": {},
    "log_files": {},
    "log_retention": {},
    "login_defs": {"key": _is_text},
    "login_delay": {},
    "login_failures": {},
    "malware_scan": {},
    "malware_signatures": {},
    "mandatory_access": {},
    "mandatory_access_boot": {},
    "mount": {"path": _is_text},
    "os_release": {},
    "package_sources": {},
    "packages": {"names": _is_texts},
    "pam_nullok": {},
    "pam_stack": {"service": _is_text, "stack": _is_text},
    "password_hash": {},
    "password_history": {},
    "password_quality": {},
    "remote_mounts": {},
    "restart_needed": {},
    "root_path": {},
    "rsyslog": {},
    "security_updates": {"max_age_days": _is_count},
    "shell_timeout": {},
    "shell_umask": {"whose": _is_text},
    "shells": {},
    "snmp_communities": {},
    "sshd_access": {},
    "sshd_limits": {},
    "sshd_option": {"option": _is_text},
    "su_rule": {},
    "sudo_rules": {},
    "sysctl": {"key": _is_text},
    "sysctl_interfaces": {"key": _is_text},
    "sysctl_persisted": {"key": _is_text},
    "systemd_setting": {"file": _is_text, "key": _is_text},
    "time_servers": {},
    "timed_job_service": {},
    "timed_job_users": {"service": _is_text},
    "umask_in_force": {},
    "unconfined_services": {},
    "units": {"names": _is_texts},
    "user_limit": {"item": _is_text},
    "useradd_default": {"key": _is_text},
}

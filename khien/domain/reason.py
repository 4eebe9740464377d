"""Codes that say why; the words for them are in khien.application.wording, in every language."""

from __future__ import annotations

from enum import StrEnum


class ReasonCode(StrEnum):
    """Every reason that a host, a run or a finding can carry."""

    # Reaching a host
    NAME_UNRESOLVED = "name_unresolved"
    TCP_REFUSED = "tcp_refused"
    TCP_TIMEOUT = "tcp_timeout"
    NO_ROUTE = "no_route"
    NO_BANNER = "no_banner"
    """TCP opens and the service never speaks: a hung sshd."""
    HOST_KEY_UNKNOWN = "host_key_unknown"
    HOST_KEY_CHANGED = "host_key_changed"
    LOGIN_REFUSED = "login_refused"
    SUDO_NEEDS_PASSWORD = "sudo_needs_password"  # noqa: S105 - a code, not a password
    SUDO_REFUSED = "sudo_refused"
    PYTHON_MISSING = "python_missing"
    PYTHON_TOO_OLD = "python_too_old"
    DISK_FULL = "disk_full"
    CLOCK_SKEW = "clock_skew"
    PACKAGE_LOCK_HELD = "package_lock_held"
    PACKAGES_BROKEN = "packages_broken"
    TRANSPORT_UNSUPPORTED = "transport_unsupported"
    PREFLIGHT_TIMEOUT = "preflight_timeout"
    NOT_CHECKED_DIRECTLY = "not_checked_directly"
    """A jump host or a template that only Ansible understands; argument `variable`."""
    CONNECTION_LOST = "connection_lost"
    """Ansible could not reach it, or lost it on the way; argument `message`."""
    # In a run
    TASK_FAILED = "task_failed"
    """Arguments `task` and `message`."""
    TRANSACTION_CONTINUES = "transaction_continues"
    """The host goes on with its package transaction by itself."""
    RUN_CANCELLED = "run_cancelled"
    RUN_INTERRUPTED = "run_interrupted"
    ENGINE_BROKE = "engine_broke"
    """Argument `message`."""
    LOCKED_BY_RUN = "locked_by_run"
    """Argument `run`: another run is changing the host."""
    NOTHING_TO_DO = "nothing_to_do"
    HOST_SKIPPED = "host_skipped"
    # Patching
    LISTS_FAILED = "lists_failed"
    TRANSACTION_FAILED = "transaction_failed"
    UNSUPPORTED_SYSTEM = "unsupported_system"
    SERVICE_DOWN_AFTER = "service_down_after"
    REBOOT_FAILED = "reboot_failed"
    # Judging
    AS_EXPECTED = "as_expected"
    NOT_AS_EXPECTED = "not_as_expected"
    ABSENT = "absent"
    OTHER_SYSTEM = "other_system"
    IN_CONTAINER = "in_container"
    NO_ANSWER = "no_answer"
    NEEDS_ROOT = "needs_root"
    TIMED_OUT = "timed_out"

"""The register of probe kinds: the name that a controls.yml uses, and the function that answers."""

from __future__ import annotations

from typing import Any, Callable, Mapping

from . import accounts, files, kernel, network, packages, passwords, services, sources, sshd, sudo

KINDS: Mapping[str, Callable[..., Any]] = {
    "accounts": accounts.accounts,
    "automatic_updates": sources.automatic_updates,
    "core_limit": files.core_limit,
    "cron_files": files.cron_files,
    "files": files.files,
    "firewall": network.firewall,
    "journal_storage": services.journal_storage,
    "kernel_module": kernel.kernel_module,
    "listeners": network.listeners,
    "login_defs": accounts.login_defs,
    "login_failures": passwords.login_failures,
    "mandatory_access": kernel.mandatory_access,
    "mount": files.mount,
    "os_release": packages.os_release,
    "package_sources": sources.package_sources,
    "packages": packages.packages,
    "pam_nullok": passwords.pam_nullok,
    "password_history": passwords.password_history,
    "password_quality": passwords.password_quality,
    "restart_needed": services.restart_needed,
    "security_updates": packages.security_updates,
    "shell_timeout": accounts.shell_timeout,
    "sshd_option": sshd.sshd_option,
    "sudo_rules": sudo.sudo_rules,
    "sysctl": kernel.sysctl,
    "time_servers": services.time_servers,
    "units": services.units,
}

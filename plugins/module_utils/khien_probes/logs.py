"""Probes about logs: rsyslog's configuration, how long logs are kept, who may read them."""

from __future__ import annotations

import os
import re
import stat
from typing import Any, Optional

from .machine import Machine, NoAnswerError
from .services import read_systemd_setting

_FOREVER_DAYS = 36500
_MOST_FILES = 20000
_LOG_FOLDER = "/var/log"
# They hold names, commands, addresses, sometimes a password typed where a name belongs.
_CONFIDENTIAL = re.compile(
    r"(auth\.log|secure|syslog|messages|kern\.log|daemon\.log|user\.log|mail\.|maillog|cron|sudo\.log|debug)"
)
_SYSTEM_LOGS = ("/var/log/syslog", "/var/log/messages", "/var/log/auth.log", "/var/log/secure")
_PERIOD_DAYS = {"hourly": 0, "daily": 1, "weekly": 7, "monthly": 30, "yearly": 365}
_SPAN = re.compile(r"([0-9]+)\s*([a-zA-Z]*)")
_SPAN_SECONDS = {
    **dict.fromkeys(("s", "sec", "second", "seconds", ""), 1),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hr", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86400),
    **dict.fromkeys(("w", "week", "weeks"), 604800),
    **dict.fromkeys(("M", "month", "months"), 2629800),
    **dict.fromkeys(("y", "year", "years"), 31557600),
}
_FILE_MODE = re.compile(r"\bFileCreateMode\s*=?\s*\"?([0-7]{3,5})", re.IGNORECASE)
_INPUT = re.compile(
    r"^\s*(\$(?:InputTCPServerRun|UDPServerRun|InputRELPServerRun)\b|input\s*\(.*?type\s*=\s*\"im(?:tcp|ptcp|udp|relp)\")",
    re.IGNORECASE | re.MULTILINE,
)
_OLD_TARGET = re.compile(r"^[^\s$#]\S*\s+@{1,2}(?:\([^)]*\))?(\[[^\]]+\]|[A-Za-z0-9_.-]+)", re.MULTILINE)
_ACTION = re.compile(r"action\s*\((.*?)\)", re.IGNORECASE | re.DOTALL)
_TARGET = re.compile(r"\btarget\s*=\s*\"([^\"]+)\"", re.IGNORECASE)
_ENCRYPTED = re.compile(r"\b(StreamDriverMode\s*=\s*\"1\"|tls\s*=\s*\"on\")", re.IGNORECASE)
_OLD_ENCRYPTED = re.compile(r"^\s*\$ActionSendStreamDriverMode\s+1\b", re.IGNORECASE | re.MULTILINE)


def rsyslog(machine: Machine) -> Optional[dict[str, Any]]:
    """Return what rsyslog is told about files, senders and receivers, or nothing when there is no rsyslog."""
    if machine.program("rsyslogd") is None:
        return None
    files = ["/etc/rsyslog.conf", *machine.matching("/etc/rsyslog.d/*.conf")]
    text = "\n".join(line for file in files for line in machine.lines(file))
    old = _OLD_TARGET.findall(text)
    actions = [action for action in _ACTION.findall(text) if _TARGET.search(action)]
    new = [(_TARGET.findall(action)[0], _ENCRYPTED.search(action) is not None) for action in actions]
    plain = [] if _OLD_ENCRYPTED.search(text) else old
    return {
        "file_modes": _FILE_MODE.findall(text) or ["0644"],
        "receives": sorted(" ".join(found.split()) for found in _INPUT.findall(text)),
        "sends_to": sorted({*old, *(target for target, _encrypted in new)}),
        "sends_unencrypted_to": sorted({*plain, *(target for target, encrypted in new if not encrypted)}),
    }


def log_retention(machine: Machine) -> dict[str, Optional[int]]:
    """Return for how many days settings keep journal and system logs; a full disk may end it sooner."""
    span = read_systemd_setting(machine, "journald.conf", "MaxRetentionSec") or "0"
    return {"journal_days": _days(span), "files_days": _rotation_days(machine)}


def log_files(machine: Machine) -> dict[str, list[str]]:
    """Return the log files that everybody may change, and the confidential ones that everybody may read."""
    changeable, readable = [], []
    for path, mode, confidential in _walk(machine):
        if mode & 0o002:
            changeable.append(path)
        if confidential and mode & 0o004:
            readable.append(path)
    return {"changeable": sorted(changeable), "readable": sorted(readable)}


def _walk(machine: Machine) -> list[tuple[str, int, bool]]:
    found: list[tuple[str, int, bool]] = []
    for folder, folders, files in os.walk(machine.path(_LOG_FOLDER)):
        folders.sort()
        own = folder[len(machine.path("")) :]
        for name in files:
            try:
                status = os.lstat(os.path.join(folder, name))
            except FileNotFoundError:
                continue  # rotated away while we looked
            if not stat.S_ISREG(status.st_mode):
                continue
            if len(found) >= _MOST_FILES:
                raise NoAnswerError("there are more than %d files below %s" % (_MOST_FILES, _LOG_FOLDER))
            secret = own.startswith(_LOG_FOLDER + "/journal") or (
                own == _LOG_FOLDER and _CONFIDENTIAL.match(name) is not None
            )
            found.append((own + "/" + name, stat.S_IMODE(status.st_mode), secret))
    return found


def _days(span: str) -> int:
    """Return the whole days of a time span of systemd; 0 and infinity mean without an end."""
    if span in ("0", "infinity"):
        return _FOREVER_DAYS
    seconds = 0
    for number, unit in _SPAN.findall(span):
        if unit not in _SPAN_SECONDS:
            raise NoAnswerError("MaxRetentionSec=%s" % span)
        seconds += int(number) * _SPAN_SECONDS[unit]
    return seconds // 86400 or (_FOREVER_DAYS if seconds == 0 else 0)


def _rotation_days(machine: Machine) -> Optional[int]:
    """Return how long logrotate keeps the system's log files, or nothing when it rotates none of them."""
    settings = {"rotate": "0", "period": "weekly"}
    shortest = None
    for file in ["/etc/logrotate.conf", *machine.matching("/etc/logrotate.d/*")]:
        for names, own in _stanzas(machine, file, settings):
            if any(name in _SYSTEM_LOGS for name in names):
                days = _kept_days(own)
                shortest = days if shortest is None else min(shortest, days)
    return shortest


def _stanzas(machine: Machine, file: str, settings: dict[str, str]) -> list[tuple[list[str], dict[str, str]]]:
    """Return the log files of each block with its settings; the main file sets what holds for all."""
    found: list[tuple[list[str], dict[str, str]]] = []
    names: list[str] = []
    inside: Optional[dict[str, str]] = None
    script = False
    for line in machine.lines(file):
        words = line.split()
        if script:
            script = words[0] != "endscript"
        elif words[0] in ("postrotate", "prerotate", "firstaction", "lastaction", "preremove"):
            script = True
        elif inside is None and (line.startswith("/") or line.endswith("{") or line == "{"):
            names += [word.strip('"') for word in words if word != "{"]
            if line.endswith("{"):
                inside = dict(settings)
        elif line == "}" and inside is not None:
            found.append((names, inside))
            names, inside = [], None
        elif inside is not None or file == "/etc/logrotate.conf":
            _take(words, settings if inside is None else inside)
    return found


def _take(words: list[str], settings: dict[str, str]) -> None:
    if words[0] in _PERIOD_DAYS:
        settings["period"] = words[0]
    elif words[0] in ("rotate", "maxage", "size", "maxsize") and len(words) > 1:
        settings[words[0]] = words[1]


def _kept_days(settings: dict[str, str]) -> int:
    if "size" in settings or "maxsize" in settings:
        return 0  # a flood of messages, or somebody who makes one, ends it at once
    rotate = int(settings["rotate"]) if settings["rotate"].lstrip("-").isdigit() else 0
    days = _FOREVER_DAYS if rotate < 0 else rotate * _PERIOD_DAYS[settings["period"]]
    age = settings.get("maxage", "")
    return min(days, int(age)) if age.isdigit() and int(age) else days

"""Puts reason codes into words: what is the matter, and what to do about it."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass

from khien.domain.reason import ReasonCode as Code
from khien.domain.run import Reason
from khien.domain.text import safe_text
from khien.i18n import _


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for "translate later"
    """Mark a message for the catalogues; it is translated when it is shown."""
    return message


@dataclass(frozen=True, slots=True)
class Wording:
    """The words for one code."""

    sentences: tuple[str, ...]
    """What is the matter, the most telling first; the first whose placeholders are all known is said.

    The last one needs none.
    """
    advice: str = ""
    """What to do about it; empty when there is nothing to do."""


def _say(*sentences: str, advice: str = "") -> Wording:
    return Wording(sentences, advice)


REASONS: Mapping[str, Wording] = {
    # Reaching a host
    Code.NAME_UNRESOLVED: _say(
        N_("The name {address} has no address."),
        N_("The name of the host has no address."),
        advice=N_("Correct the name or ansible_host in the inventory, or the name service of this machine."),
    ),
    Code.TCP_REFUSED: _say(
        N_("{address} refuses connections on port {port}."),
        N_("The host refuses connections."),
        advice=N_("Start the SSH service on the host, or correct ansible_port in the inventory."),
    ),
    Code.TCP_TIMEOUT: _say(
        N_("{address} does not answer on port {port}."),
        N_("The host does not answer."),
        advice=N_("See whether the host is switched on, and whether a firewall stands between."),
    ),
    Code.NO_ROUTE: _say(
        N_("There is no way to {address}: {message}."),
        N_("There is no way to the host."),
        advice=N_("See to the network between this machine and the host, then try again."),
    ),
    Code.NO_BANNER: _say(
        N_("{address} accepts connections on port {port} but does not speak SSH."),
        N_("The host accepts connections but does not speak SSH."),
        advice=N_(
            "Its SSH service hangs, is overloaded, or another service has the port: look at it at the "
            "console, or correct ansible_port in the inventory."
        ),
    ),
    Code.HOST_KEY_UNKNOWN: _say(
        N_("The host key of {address} is not known here; it shows {key_type} {fingerprint}."),
        N_("The host key is not known here."),
        advice=N_(
            "Compare the fingerprint with the one at the host's console, then record it with "
            "`khien inventory trust`."
        ),
    ),
    Code.HOST_KEY_CHANGED: _say(
        N_("The host key of {address} has changed: recorded is {recorded}, shown is {fingerprint}."),
        N_("The host key has changed."),
        advice=N_(
            "Find out at the host's console whether it was installed anew or somebody stands between. "
            "Only then run `khien inventory trust --replace` with the name of the host."
        ),
    ),
    Code.LOGIN_REFUSED: _say(
        N_("The host refuses the login as {user}: {message}"),
        N_("The host refuses the login as {user} with {tried}."),
        N_("The host refuses the login as {user}."),
        N_("The host refuses the login."),
        advice=N_(
            "Put the public key into the account's authorized_keys, or correct ansible_user or "
            "ansible_ssh_private_key_file in the inventory."
        ),
    ),
    Code.SUDO_NEEDS_PASSWORD: _say(
        N_("sudo asks {user} for a password."),
        N_("sudo asks for a password."),
        advice=N_("Allow the account NOPASSWD in /etc/sudoers.d, or give the password with -K."),
    ),
    Code.SUDO_REFUSED: _say(
        N_("{user} may not become root: {message}"),
        N_("The login account may not become root."),
        advice=N_("Give the account a rule in /etc/sudoers.d, and install sudo where it is missing."),
    ),
    Code.PYTHON_MISSING: _say(
        N_("There is no Python 3 at {path}."),
        N_("There is no Python 3 on the host."),
        advice=N_("Install python3 on the host, or correct ansible_python_interpreter in the inventory."),
    ),
    Code.PYTHON_TOO_OLD: _say(
        N_("{path} is Python {version}; needed is {needed} or newer."),
        N_("Python on the host is too old."),
        advice=N_("Install a newer python3 beside the old one and name it in ansible_python_interpreter."),
    ),
    Code.DISK_FULL: _say(
        N_("{path} has {free_mb} MB free; needed are {needed_mb} MB."),
        N_("A disk of the host is nearly full."),
        advice=N_("Free space there: package caches, old kernels and logs are the usual places."),
    ),
    Code.CLOCK_SKEW: _say(
        N_("The clock of the host is {seconds} seconds away from this machine's."),
        N_("The clock of the host is wrong."),
        advice=N_("Let the host keep time with chrony or systemd-timesyncd."),
    ),
    Code.PACKAGE_LOCK_HELD: _say(
        N_("The package lock {path} is held by {holder}, process {pid}."),
        N_("The package lock is held: {detail}"),
        N_("The package lock is held by another process."),
        advice=N_("Wait until that process ends; if it hangs, end it on the host."),
    ),
    Code.PACKAGES_BROKEN: _say(
        N_("The package database is not whole: {detail}"),
        N_("The package database is not whole."),
        advice=N_("An installation was interrupted: finish it on the host with `dpkg --configure -a`."),
    ),
    Code.TRANSPORT_UNSUPPORTED: _say(
        N_("Hosts reached by {transport} cannot be checked yet."),
        N_("Hosts reached in this way cannot be checked yet."),
        advice=N_("Leave the host out with the limit, or correct ansible_connection in the inventory."),
    ),
    Code.PREFLIGHT_TIMEOUT: _say(
        N_("The host did not finish answering within {seconds} seconds."),
        N_("The host did not finish answering in time."),
        advice=N_("Look at its load and at the line to it, then try again."),
    ),
    Code.NOT_CHECKED_DIRECTLY: _say(
        N_("The host was not looked at beforehand: {variable} is more than this check understands."),
        N_("The host was not looked at beforehand."),
        advice=N_("Nothing needs doing: Ansible itself understands it and says whether it reaches the host."),
    ),
    Code.CONNECTION_LOST: _say(
        N_("The host could not be reached: {message}"),
        N_("The host could not be reached."),
        advice=N_("Run `khien preflight` for the host to see what stands in the way."),
    ),
    # In a run
    Code.TASK_FAILED: _say(
        N_("The task “{task}” failed: {message}"),
        N_("The task “{task}” failed."),
        N_("A task failed."),
        advice=N_("Read the host's log of the run, put the cause right, then retry the run."),
    ),
    Code.TRANSACTION_CONTINUES: _say(
        N_("The host goes on with its package transaction by itself."),
        advice=N_("Retry the run: it waits for the transaction to end and records what it did."),
    ),
    Code.RUN_CANCELLED: _say(
        N_("The run was cancelled."),
        advice=N_("Retry the run for the hosts that it did not finish."),
    ),
    Code.RUN_INTERRUPTED: _say(
        N_("The process of the run ended before the run did."),
        advice=N_("Retry the run for the hosts that it did not finish."),
    ),
    Code.ENGINE_BROKE: _say(
        N_("Ansible itself broke: {message}"),
        N_("Ansible itself broke."),
        advice=N_("Run `khien doctor`, put right what it names, then retry the run."),
    ),
    Code.LOCKED_BY_RUN: _say(
        N_("Run {run} is changing the host."),
        N_("Another run is changing the host."),
        advice=N_("Wait for that run to end or cancel it, then retry this one."),
    ),
    Code.NOTHING_TO_DO: _say(N_("There is nothing to do.")),
    Code.HOST_SKIPPED: _say(
        N_("The playbook did nothing on the host."),
        advice=N_("Read the log of the run to see which condition left the host out."),
    ),
    # Patching
    Code.LISTS_FAILED: _say(
        N_("The package lists could not be refreshed: {detail}"),
        N_("The package lists could not be refreshed."),
        advice=N_("See whether the host reaches its package sources, then retry."),
    ),
    Code.TRANSACTION_FAILED: _say(
        N_("The package transaction failed: {detail}"),
        N_("The package transaction failed."),
        advice=N_("Read the host's log of the run, put the packages right on the host, then retry."),
    ),
    Code.UNSUPPORTED_SYSTEM: _say(
        N_("This system cannot be patched yet: {detail}"),
        N_("This system cannot be patched yet."),
        advice=N_("Patch the host by hand, and leave it out of the run with the limit."),
    ),
    Code.SERVICE_DOWN_AFTER: _say(
        N_("A service that ran before is down now: {detail}"),
        N_("A service that ran before is down now."),
        advice=N_("Look at the service's journal on the host and start it again."),
    ),
    Code.REBOOT_FAILED: _say(
        N_("The host did not come back from its restart: {detail}"),
        N_("The host did not come back from its restart."),
        advice=N_("Look at the host's console."),
    ),
    # Hardening and undo
    Code.NOTHING_SELECTED: _say(
        N_("No control that a role can fix is demanded of the host."),
        advice=N_("Nothing needs doing; its level is khien_level in the inventory."),
    ),
    Code.NOT_PREDICTED: _say(
        N_("Plan {run} could not predict the host, so nothing was approved for it."),
        N_("What would change on the host was not predicted, so nothing was approved for it."),
        advice=N_("Put right what stood in the way, then make a new plan for the host."),
    ),
    Code.NOT_APPROVED: _say(
        N_("What the run would do is not what was approved in plan {run}."),
        N_("Nobody approved what the run would do."),
        advice=N_("Make a plan with `khien harden --plan`, look at it and approve it."),
    ),
    Code.DRIFTED_SINCE_PLAN: _say(
        N_(
            "The host is not what it was when the plan was made. Differences: {number}. "
            "{thing}: approved was {expected}, now it would be {seen}."
        ),
        N_(
            "The host is not what it was when the plan was made. Differences: {number}. "
            "{thing}: approved was {expected}, now nothing would change."
        ),
        N_(
            "The host is not what it was when the plan was made. Differences: {number}. "
            "{thing}: nothing was approved, now it would be {seen}."
        ),
        N_("The host is not what it was when the plan was made."),
        advice=N_("Make a new plan for the host and look at it."),
    ),
    Code.GUARD_REVERTED: _say(
        N_("After the change of {area} nobody could log in afresh, so the host took it back: {things}"),
        N_("After the change of {area} nobody could log in afresh, so the host took it back."),
        N_("After a change nobody could log in afresh, so the host took it back."),
        advice=N_("Find out which of these changes breaks the login of our account, and waive its control."),
    ),
    Code.GUARD_LOST: _say(
        N_("After the change of {area} the host was not seen again: {things}"),
        N_("After the change of {area} the host was not seen again."),
        N_("After a change the host was not seen again."),
        advice=N_("It takes the change back by itself; run `khien preflight` for it later, then verify it."),
    ),
    Code.GUARD_FAILED: _say(
        N_("{area}: the way back could not be armed, so nothing was changed: {detail}"),
        N_("The way back could not be armed, so nothing was changed."),
        advice=N_("The guard is a timer of systemd: see whether systemd works on the host."),
    ),
    Code.VALIDATE_FAILED: _say(
        N_("{area}: the new file did not pass its check, so nothing was changed: {detail}"),
        N_("A new file did not pass its check, so nothing was changed."),
        advice=N_("Read the message: something on the host does not go with what the role writes."),
    ),
    Code.ACTION_FAILED: _say(
        N_("{area}: a service did not take the change, so everything was put back: {detail}"),
        N_("A service did not take the change, so everything was put back."),
        advice=N_("Look at the service's journal on the host."),
    ),
    Code.STILL_DIFFERS: _say(
        N_("{area}: the change did not hold, so everything was put back: {detail}"),
        N_("The change did not hold, so everything was put back."),
        advice=N_("Something else on the host sets it: find out what, or waive the control."),
    ),
    Code.CHECKPOINT_FAILED: _say(
        N_("{area}: what the host is now could not be kept, so nothing was changed: {detail}"),
        N_("What the host is now could not be kept, so nothing was changed."),
        advice=N_("See to room and rights of /var/lib/khien on the host."),
    ),
    Code.APPLY_FAILED: _say(
        N_("{area}: the change failed, so everything was put back: {detail}"),
        N_("The change failed, so everything was put back."),
        advice=N_("Read the message, put the cause right on the host, then make a new plan."),
    ),
    Code.RESULT_UNUSABLE: _say(
        N_("{area}: what the host reported is unusable: {detail}"),
        N_("What the host reported is unusable."),
        advice=N_("Read the host's log of the run; verify the host to see what it is now."),
    ),
    Code.NOT_AS_PREDICTED: _say(
        N_("Not exactly what was predicted was changed: {things}"),
        N_("Not exactly what was predicted was changed."),
        advice=N_("Compare both in the run's summary; undo the run if it should not stay."),
    ),
    Code.REPORT_ONLY: _say(N_("The control is report only: no role changes it.")),
    Code.NOT_OPTED_IN: _say(
        N_("The change can break something, so it is only made where the inventory asks for it."),
        advice=N_("Read the control's side effects; its variable in the inventory asks for the change."),
    ),
    Code.NOT_SELECTED: _say(N_("This run was not meant to change it.")),
    Code.NO_CHECKPOINT: _say(
        N_("There is nothing to put back: {detail}"),
        N_("The host keeps no checkpoint of the run."),
        advice=N_("A later run may have pushed it out, or the run changed nothing there."),
    ),
    Code.UNDO_REFUSED: _say(
        N_("Not everything was put back; left as it is: {things}"),
        N_("Something was not put back."),
        advice=N_("Look at what was changed there since; `khien undo --force` puts it back all the same."),
    ),
    Code.CHANGED_SINCE: _say(N_("Somebody changed it since.")),
    Code.CANNOT_RESTORE: _say(N_("It could not be put back.")),
    # Judging
    Code.AS_EXPECTED: _say(N_("It is as expected.")),
    Code.NOT_AS_EXPECTED: _say(N_("It is not as expected.")),
    Code.ABSENT: _say(N_("What the control asks about does not exist on the host.")),
    Code.OTHER_SYSTEM: _say(N_("The control is not meant for this system.")),
    Code.IN_CONTAINER: _say(N_("The control has no meaning in a container.")),
    Code.NO_ANSWER: _say(
        N_("The host gave no answer: {message}"),
        N_("The host gave no answer."),
        advice=N_("Verify the host again; if it stays so, look at the question on the host by hand."),
    ),
    Code.WAIVED: _say(
        N_("It is not as expected and waived by {waiver} until {expires}: {reason}"),
        N_("It is not as expected and waived."),
    ),
    Code.WAIVER_EXPIRED: _say(
        N_("It is not as expected; the waiver {waiver} ended on {expires}."),
        N_("It is not as expected; its waiver has expired."),
        advice=N_("Put it right, or have the waiver approved again with `khien waiver add`."),
    ),
    Code.NEEDS_ROOT: _say(
        N_("Only root can see it."),
        advice=N_("Verify with ansible_become, or with an account that may use sudo."),
    ),
    Code.TIMED_OUT: _say(
        N_("The host did not answer the question in time."),
        advice=N_("Look at the load and the disks of the host, then verify it again."),
    ),
}


def describe(reason: Reason) -> str:
    """Say in one sentence what is the matter; empty when the reason is."""
    wording = REASONS.get(reason.code)
    if wording is None:
        return safe_text(reason.code)
    said = {name: safe_text(value, 500) for name, value in reason.arguments.items() if str(value).strip()}
    for sentence in wording.sentences:
        if placeholders(sentence) <= said.keys():
            return _(sentence).format(**said)
    return _(wording.sentences[-1])


def advise(reason: Reason) -> str:
    """Say what to do about it; empty when there is nothing to do."""
    wording = REASONS.get(reason.code)
    return _(wording.advice) if wording and wording.advice else ""


def placeholders(sentence: str) -> frozenset[str]:
    """Return the names a sentence wants filled in."""
    return frozenset(name for _text, name, _spec, _conversion in string.Formatter().parse(sentence) if name)

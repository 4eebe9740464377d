"""The only place that chooses adapters; each is made at its first use, so a command pays for no more."""

from __future__ import annotations

import ctypes
import getpass
import json
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from khien.adapters.config_toml import load_settings
from khien.adapters.content import content_root, default_inventory, playbook
from khien.application.settings import LoadedSettings, Settings
from khien.domain.run import RunId, Verb

if TYPE_CHECKING:
    from khien.adapters.ansible_inventory import AnsibleInventory
    from khien.adapters.controls_yaml import YamlControls
    from khien.adapters.foreign import ForeignResults
    from khien.adapters.inventory_files import InventoryFiles
    from khien.adapters.processes import LinuxProcesses
    from khien.adapters.run_launcher import DetachedLauncher
    from khien.adapters.ssh_key_scan import SshKeyScan
    from khien.adapters.ssh_preflight import SshPreflight
    from khien.adapters.store import (
        Database,
        SqlFleetStore,
        SqlHardeningStore,
        SqlImportStore,
        SqlJudgementStore,
        SqlRunStore,
    )
    from khien.application.execute_run import RunTools
    from khien.application.live_console import LiveConsole
    from khien.application.overview import Overview
    from khien.domain.baseline import Levels
    from khien.domain.control import Control
    from khien.domain.host import Host
    from khien.domain.judge import Judge
    from khien.domain.mapping import LegalMapping
    from khien.domain.plan import Plan
    from khien.domain.selection import Demands


_PR_SET_CHILD_SUBREAPER = 36


class SystemClock:
    """The Clock port over the system's clock."""

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        return datetime.now(UTC)


class Services:
    """All adapters of one installation, wired by its settings."""

    def __init__(self, loaded: LoadedSettings) -> None:
        self.loaded = loaded
        self.clock = SystemClock()
        self._rules: tuple[object, Judge] | None = None

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.loaded.settings

    @property
    def default_inventory(self) -> tuple[str, ...]:
        """The inventory that is used when none is named."""
        return self.settings.inventory or (str(default_inventory()),)

    @cached_property
    def state_dir(self) -> Path:
        """The folder of everything that lasts, readable by its owner only from its first moment on."""
        # Where it cannot be made, whoever writes there says what is wrong; reading needs no folder.
        with suppress(OSError):
            self.settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self.settings.state_dir

    @cached_property
    def database(self) -> Database:
        """The open store."""
        from khien.adapters.store import open_database

        return open_database(self.settings.database_url)

    @cached_property
    def runs(self) -> SqlRunStore:
        """The runs in the store."""
        from khien.adapters.store import SqlRunStore

        return SqlRunStore(self.database)

    @cached_property
    def fleet(self) -> SqlFleetStore:
        """What the store knows of hosts."""
        from khien.adapters.store import SqlFleetStore

        return SqlFleetStore(self.database)

    @cached_property
    def hardening(self) -> SqlHardeningStore:
        """What the store knows of hardening."""
        from khien.adapters.store import SqlHardeningStore

        return SqlHardeningStore(self.database)

    @cached_property
    def imports(self) -> SqlImportStore:
        """What other tools said of hosts."""
        from khien.adapters.store import SqlImportStore

        return SqlImportStore(self.database)

    @cached_property
    def foreign_results(self) -> ForeignResults:
        """The reader of other tools' files."""
        from khien.adapters.foreign import ForeignResults

        return ForeignResults()

    @cached_property
    def inventory(self) -> AnsibleInventory:
        """Ansible's inventory."""
        from khien.adapters.ansible_inventory import AnsibleInventory

        return AnsibleInventory(
            default=self.default_inventory,
            config=content_root() / "ansible.cfg",
            cache=self.state_dir / "cache" / "inventory",
        )

    @cached_property
    def catalogue(self) -> YamlControls:
        """All controls of the roles."""
        from khien.adapters.controls_yaml import YamlControls

        return YamlControls(content_root() / "roles", self.levels.thresholds)

    @cached_property
    def levels(self) -> Levels:
        """What each security level demands."""
        from khien.adapters.levels_yaml import load_levels

        return load_levels(content_root() / "compliance" / "levels.yml")

    @cached_property
    def mappings(self) -> tuple[LegalMapping, ...]:
        """The laws and standards that controls give evidence for."""
        from khien.adapters.mappings_yaml import load_mappings

        return load_mappings(content_root() / "compliance" / "mappings")

    def rules(self) -> Judge:
        """Return the rules that hosts are judged by; waivers are read again when their files changed.

        Raises:
            InputError: controls, levels or waivers are unusable; file and line are named.
        """
        from khien.adapters.waivers_yaml import load_waivers, waiver_files
        from khien.domain.judge import Judge

        files = [(file, file.stat()) for file in waiver_files(self.settings.waivers)]
        stamp = tuple((str(file), found.st_mtime_ns, found.st_size, found.st_ino) for file, found in files)
        if self._rules is None or self._rules[0] != stamp:
            controls = self.catalogue.controls()
            waivers = load_waivers(self.settings.waivers, [control.id for control in controls])
            self._rules = (stamp, Judge(controls, self.levels, waivers))
        return self._rules[1]

    def today(self) -> date:
        """Return the day it is here: waivers end with it."""
        return self.clock.now().astimezone().date()

    @cached_property
    def judgements(self) -> SqlJudgementStore:
        """The answers in the store with their judgement."""
        from khien.adapters.store import SqlJudgementStore

        return SqlJudgementStore(self.database)

    @cached_property
    def inventory_files(self) -> InventoryFiles:
        """The files of the inventory, word by word."""
        from khien.adapters.inventory_files import InventoryFiles

        return InventoryFiles(self.default_inventory)

    @cached_property
    def key_scan(self) -> SshKeyScan:
        """The look at the keys that hosts show."""
        from khien.adapters.ssh_key_scan import SshKeyScan

        return SshKeyScan(known_hosts=self.settings.known_hosts)

    @cached_property
    def preflight(self) -> SshPreflight:
        """The look at hosts' doors."""
        from khien.adapters.ssh_preflight import SshPreflight

        return SshPreflight(known_hosts=self.settings.known_hosts)

    @cached_property
    def processes(self) -> LinuxProcesses:
        """This machine's processes."""
        from khien.adapters.processes import LinuxProcesses

        return LinuxProcesses()

    @cached_property
    def overview(self) -> Overview:
        """The fleet against the baseline, from the store."""
        from khien.adapters.store.standing import SqlStandingStore
        from khien.application.overview import Overview

        return Overview(
            store=SqlStandingStore(self.database),
            inventory=self.inventory,
            catalogue=self.catalogue,
            clock=self.clock,
            sources=self.default_inventory,
            stale_after_hours=self.settings.stale_after_hours,
        )

    @cached_property
    def launcher(self) -> DetachedLauncher:
        """The starter of run processes."""
        from khien.adapters.run_launcher import DetachedLauncher

        return DetachedLauncher(
            self.settings,
            # New services: what this process has open belongs to whoever asked for the run.
            execute=lambda run_id, secrets: execute(Services(self.loaded), run_id, secrets),
            before_fork=self.close_store,
        )

    def close_store(self) -> None:
        """Close the store's connections; the next use opens new ones."""
        if "database" in self.__dict__:
            self.database.close()

    @cached_property
    def console(self) -> LiveConsole:
        """The face that the command line and the terminal UI share."""
        from khien.application.live_console import LiveConsole

        return LiveConsole(
            runs_store=self.runs,
            fleet_store=self.fleet,
            hardening_store=self.hardening,
            inventory=self.inventory,
            catalogue=self.catalogue,
            preflight_port=self.preflight,
            processes=self.processes,
            launcher=self.launcher,
            clock=self.clock,
            rules=self.rules,
            settings=replace(self.settings, inventory=self.default_inventory),
            person=getpass.getuser(),
            demands=self.demands,
        )

    def demands(self) -> Demands:
        """Return what hardening is demanded to do, by the rules of this moment."""
        from khien.adapters.content import hardening_roles

        roles, levels, rules, today = hardening_roles(), self.levels, self.rules(), self.today()
        waived: dict[str, frozenset[str]] = {}

        def demands(host: Host, control: Control) -> bool:
            if control.role not in roles:
                return False  # another verb's work, such as patching
            if not levels.demands(control.id, levels.level_of(host), host.role):
                return False
            if host.name not in waived:
                waived[host.name] = rules.waived_controls(host, today)
            return control.id not in waived[host.name]

        return demands

    def run_tools(self) -> RunTools:
        """Return what a run process executes its run with."""
        from khien.adapters.ansible_engine import AnsibleEngine
        from khien.adapters.module_results import ModuleResults
        from khien.application.execute_run import RunTools

        settings, rules = self.settings, self.rules()
        return RunTools(
            runs=self.runs,
            fleet=self.fleet,
            hardening=self.hardening,
            inventory=self.inventory,
            preflight=self.preflight,
            engine=AnsibleEngine(
                runtime_dir=settings.runtime_dir,
                forks=settings.forks,
                cancel_grace_seconds=settings.cancel_grace_seconds,
                known_hosts=None if self.loaded.origins["known_hosts"] == "default" else settings.known_hosts,
            ),
            processes=self.processes,
            clock=self.clock,
            reader=ModuleResults(),
            judge=lambda host, observations: rules.judge(host, observations, self.today()),
            playbook=playbook,
            extra_vars=self._extra_vars,
            documents=_documents,
            preflight_deadline_seconds=settings.preflight_deadline_seconds,
            batch_seconds=settings.event_batch_milliseconds / 1000,
        )

    def _extra_vars(self, run_id: RunId, plan: Plan) -> Mapping[str, object]:
        settings = self.settings
        match plan.verb:
            case Verb.VERIFY:
                return {"verify_probes_file": str(self._probes_file())}
            case Verb.PATCH:
                return {
                    "patch_transaction_id": run_id,
                    "patch_lock_wait_seconds": int(settings.package_lock_wait_seconds),
                    "patch_reboot": "if_needed" if plan.options.reboot else "never",
                }
            case Verb.HARDEN | Verb.UNDO:
                guard = int(settings.harden_guard_seconds)
                given: dict[str, object] = {"harden_run_id": run_id, "harden_guard_seconds": guard}
                if plan.verb is Verb.UNDO:
                    given |= {"undo_run": plan.undoes or "", "undo_force": plan.options.force}
                elif plan.options.level is not None:
                    given["khien_level"] = plan.options.level
                return given

    def _probes_file(self) -> Path:
        """Compile the probes once, so that Ansible does not parse all controls anew for every host."""
        from hashlib import sha256

        from khien.adapters.controls_yaml import compile_probes

        text = json.dumps(compile_probes(self.catalogue.controls()))
        folder = self.state_dir / "cache"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f"probes-{sha256(text.encode()).hexdigest()[:16]}.json"
        if not path.exists():
            fresh = path.with_suffix(f".{os.getpid()}")
            fresh.write_text(text)
            fresh.replace(path)
        return path


def _documents(plan: Plan) -> Mapping[str, object]:
    """Return the selection of controls as the hardening playbook reads it."""
    if plan.verb is not Verb.HARDEN:
        return {}
    hosts = {
        host: {"controls": list(one.controls), "level": one.level}
        for one in plan.selection
        for host in one.hosts
    }
    return {"harden_selection_file": {"hosts": hosts}}


def services(environ: Mapping[str, str] | None = None) -> Services:
    """Return the services of this installation.

    Raises:
        InputError: a configuration file is unusable.
    """
    return Services(load_settings(os.environ if environ is None else environ))


def execute(services: Services, run_id: RunId, secrets: Mapping[str, str]) -> None:
    """Be the run process of a run until it is over."""
    from khien.application.execute_run import execute_run

    os.chdir("/")
    # A terminal that closes, or Ctrl-C in it, ends the one who watches and not the run.
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: services.runs.request_cancel(run_id, services.clock.now()))
    # Ansible's workers leave their session; as a subreaper we are still the parent of their orphans.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    execute_run(run_id, secrets, services.run_tools())

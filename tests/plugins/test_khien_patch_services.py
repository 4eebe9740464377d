"""Services that ran before must run after."""

from collections.abc import Sequence

from ansible.module_utils.khien_patch.command import Output
from ansible.module_utils.khien_patch.services import failed_units, running_services, services_down


class Systemctl:
    """Answers as systemctl does."""

    def __init__(self, *states: dict[str, str], enabled: Sequence[str] = ()) -> None:
        self.states = list(states)
        self.enabled = enabled

    def __call__(self, argv: Sequence[str], timeout: float = 300) -> Output:
        units = self.states[0]
        if argv[1] == "list-units":
            wanted = "failed" if "--state=failed" in argv else "active"
            found = [unit for unit, state in units.items() if state == wanted]
            return Output(0, "".join(f"{unit} loaded {wanted} x Some words\n" for unit in found))
        units = self.states.pop(0) if len(self.states) > 1 else units
        asked = argv[argv.index("--") + 1 :]
        if "--property=UnitFileState" in argv:
            rows = [(u, "UnitFileState", "enabled" if u in self.enabled else "static") for u in asked]
        else:
            rows = [(u, "ActiveState", units.get(u, "inactive")) for u in asked]
        return Output(0, "\n\n".join(f"Id={u}\n{key}={value}" for u, key, value in rows) + "\n")


def test_only_services_that_are_meant_to_run_are_remembered() -> None:
    states = {"ssh.service": "active", "hostnamed.service": "active", "x.service": "failed"}
    systemctl = Systemctl(states, enabled=["ssh.service"])

    assert running_services(systemctl) == ("ssh.service",)
    assert failed_units(systemctl) == ("x.service",)


def test_a_service_that_comes_up_again_in_time_is_not_down() -> None:
    systemctl = Systemctl({"a.service": "inactive"}, {"a.service": "activating"})

    assert services_down(systemctl, ("a.service",), 10, clock=lambda: 0.0, pause=lambda _: None) == ()


def test_a_service_that_stays_down_is_named() -> None:
    systemctl = Systemctl({"a.service": "failed", "b.service": "active"})
    moments = iter([0.0, 5.0, 10.0])

    down = services_down(
        systemctl, ("a.service", "b.service"), 10, clock=lambda: next(moments), pause=lambda _: None
    )

    assert down == ("a.service",)


def test_no_services_means_no_questions() -> None:
    def never(argv: Sequence[str], timeout: float = 300) -> Output:
        raise AssertionError(argv)

    assert services_down(never, (), 10) == ()

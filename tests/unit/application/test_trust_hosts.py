"""Which host keys may be recorded."""

from __future__ import annotations

from khien.application.trust_hosts import HostKey, KeyState, ShownKey, plan_trust

OLD, NEW = HostKey("ssh-ed25519", b"old"), HostKey("ssh-ed25519", b"new")


def shown(host: str, state: KeyState, key: HostKey | None = NEW) -> ShownKey:
    return ShownKey(host, host, host, state=state, key=key, recorded=(OLD,))


def names(entries: tuple[ShownKey, ...]) -> list[str]:
    return [entry.host for entry in entries]


def test_only_new_keys_are_recorded_of_themselves() -> None:
    plan = plan_trust(
        [
            shown("new", KeyState.NEW),
            shown("known", KeyState.KNOWN),
            shown("changed", KeyState.CHANGED),
            shown("revoked", KeyState.REVOKED),
            shown("silent", KeyState.UNSEEN, None),
        ]
    )

    assert names(plan.new) == ["new"]
    assert names(plan.refused) == ["changed", "revoked"]
    assert (names(plan.known), names(plan.unseen), plan.replaced) == (["known"], ["silent"], ())


def test_a_changed_key_is_replaced_only_for_the_host_that_was_named() -> None:
    plan = plan_trust([shown("a", KeyState.CHANGED), shown("b", KeyState.CHANGED)], replace=["a"])

    assert names(plan.replaced) == ["a"]
    assert names(plan.refused) == ["b"]


def test_a_revoked_key_is_refused_even_by_name() -> None:
    assert names(plan_trust([shown("a", KeyState.REVOKED)], replace=["a"]).refused) == ["a"]


def test_a_key_that_is_not_on_the_list_of_fingerprints_is_refused() -> None:
    other = ShownKey("b", "b", "b", state=KeyState.NEW, key=OLD)

    plan = plan_trust([shown("a", KeyState.NEW), other], expected={NEW.fingerprint})

    assert (names(plan.new), names(plan.refused)) == (["a"], ["b"])


def test_the_list_of_fingerprints_binds_a_replacement_too() -> None:
    plan = plan_trust([shown("a", KeyState.CHANGED)], replace=["a"], expected={OLD.fingerprint})

    assert names(plan.refused) == ["a"]

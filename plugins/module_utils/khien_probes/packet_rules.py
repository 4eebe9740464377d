"""What `nft --json list ruleset` says, as rules that packets meet, through the chains they jump to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Iterator, Optional

_REFUSING = ("drop", "reject")
_DEEPEST_JUMP = 16

Expression = dict[str, Any]
Entries = list[dict[str, Any]]


@dataclass
class Rule:
    """One rule, with what the jumps that lead to it demand of a packet."""

    expressions: list[Expression]
    inherited: list[Expression] = field(default_factory=list)
    """The matches of the jumps on the way here."""

    @property
    def matches(self) -> list[Expression]:
        """All that a packet must be to be meant by this rule."""
        own = [e["match"] for e in self.expressions if isinstance(e.get("match"), dict)]
        return [*self.inherited, *own]

    @property
    def words(self) -> set[str]:
        """The kinds of expressions: match, accept, drop, jump, log …"""
        return {kind for expression in self.expressions for kind in expression}

    @property
    def is_opaque(self) -> bool:
        """Whether it holds something of iptables that nft shows by name only."""
        return "xt" in self.words

    @property
    def jumps_to(self) -> str:
        """The chain it leads to, or nothing."""
        for expression in self.expressions:
            for word in ("jump", "goto"):
                if isinstance(expression.get(word), dict):
                    return str(expression[word].get("target", ""))
        return ""

    @property
    def logs(self) -> bool:
        """Whether packets that reach it are written down."""
        return "log" in self.words or "LOG" in self._of_iptables()

    @property
    def accepts_established(self) -> bool:
        """Whether answers to what the host began may come in."""
        if "accept" not in self.words:
            return False
        states = [m.get("right") for m in self.matches if _left(m, "ct", "key") == "state"]
        return any("established" in _members(state) for state in states) or "conntrack" in self._of_iptables()

    @property
    def accepts_loopback(self) -> bool:
        """Whether what the host sends to itself may come in."""
        names = [m for m in self.matches if _left(m, "meta", "key") in ("iifname", "iif")]
        return "accept" in self.words and any(m.get("op") == "==" and m.get("right") == "lo" for m in names)

    @property
    def is_limited_by_source(self) -> bool:
        """Whether it is about packets of some senders only."""
        return any(_left(m, "payload", "field") == "saddr" and m.get("op") == "==" for m in self.matches)

    def _of_iptables(self) -> set[str]:
        found = set()
        for expression in self.expressions:
            if isinstance(expression.get("xt"), dict):
                found.add(str(expression["xt"].get("name", "")))
        return found


@dataclass
class Walk:
    """A base chain and all rules that its packets may meet."""

    chain: dict[str, Any]
    rules: list[Rule]
    reached: list[Rule]

    @property
    def refuses(self) -> bool:
        """Whether what no rule accepts is refused, by the policy or by the last rule."""
        return self.chain.get("policy") == "drop" or bool(self.rules and refuses_all(self.rules[-1]))


def chains_of(entries: Entries, hook: str) -> list[Walk]:
    """Return the base chains of a hook."""
    found = [e["chain"] for e in entries if "chain" in e and e["chain"].get("hook") == hook]
    rules: dict[tuple[str, str, str], list[list[Expression]]] = {}
    for entry in entries:
        if "rule" in entry:
            rule = entry["rule"]
            place = (rule["family"], rule["table"], rule["chain"])
            rules.setdefault(place, []).append(rule["expr"])
    return [
        Walk(
            chain,
            [Rule(own) for own in rules.get((chain["family"], chain["table"], chain["name"]), [])],
            list(_reach(rules, chain["family"], chain["table"], chain["name"], [], 0)),
        )
        for chain in found
    ]


def _reach(
    rules: dict[tuple[str, str, str], list[list[Expression]]],
    family: str,
    table: str,
    name: str,
    inherited: list[Expression],
    depth: int,
) -> Iterator[Rule]:
    for expressions in rules.get((family, table, name), []):
        rule = Rule(expressions, inherited)
        yield rule
        if rule.jumps_to and depth < _DEEPEST_JUMP:
            yield from _reach(rules, family, table, rule.jumps_to, rule.matches, depth + 1)


def refuses_all(rule: Rule) -> bool:
    """Whether a rule refuses whatever reaches it: it holds a refusal and nothing that picks packets."""
    return bool(rule.words & set(_REFUSING)) and rule.words <= {*_REFUSING, "counter", "log"}


def is_refused_loopback(rule: Rule) -> bool:
    """Whether a rule refuses packets that say they come from 127.0.0.0/8."""
    senders = [m.get("right") for m in rule.matches if _left(m, "payload", "field") == "saddr"]
    return bool(rule.words & set(_REFUSING)) and any(
        _first_address(member).startswith("127.") for sender in senders for member in _members(sender)
    )


def named_ports(rule: Rule, ports: set[int]) -> bool:
    """Whether a rule accepts new connections to one of these TCP ports."""
    if "accept" not in rule.words or (rule.is_opaque and not _has_port(rule)):
        return False
    for match in rule.matches:
        left = match.get("left", {})
        if not isinstance(left, dict):
            return False
        if _left(match, "payload", "field") == "dport":
            if _left(match, "payload", "protocol") not in ("tcp", "th") or not _is_among(match, ports):
                return False
        elif _left(match, "payload", "field") in ("saddr", "daddr") or _is_about_tcp(match):
            continue
        elif _left(match, "meta", "key") in ("iifname", "iif") and match.get("right") != "lo":
            continue  # whoever is in the network behind a card is still anybody
        elif _left(match, "ct", "key") == "state" and "new" in _members(match.get("right")):
            continue
        else:
            return False  # it picks packets by something else: answers, loopback, ICMP …
    return True


def _has_port(rule: Rule) -> bool:
    return any(_left(match, "payload", "field") == "dport" for match in rule.matches)


def _is_about_tcp(match: Expression) -> bool:
    if _left(match, "meta", "key") == "nfproto":
        return True
    return _left(match, "meta", "key") in ("l4proto", "protocol") and "tcp" in _members(match.get("right"))


def _is_among(match: Expression, ports: set[int]) -> bool:
    for member in _members(match.get("right")):
        if isinstance(member, dict) and "range" in member:
            low, high = member["range"]
            if any(low <= port <= high for port in ports):
                return match.get("op") == "=="
        elif member in ports:
            return match.get("op") == "=="
    return match.get("op") == "!="


def _left(match: Expression, kind: str, word: str) -> Optional[str]:
    left = match.get("left")
    inner = left.get(kind) if isinstance(left, dict) else None
    return inner.get(word) if isinstance(inner, dict) else None


def _members(value: Any) -> list[Any]:
    if isinstance(value, dict) and "set" in value:
        return list(value["set"])
    return value if isinstance(value, list) else [value]


def _first_address(value: Any) -> str:
    if isinstance(value, dict):
        if "prefix" in value:
            return str(value["prefix"].get("addr", ""))
        if "range" in value:
            return str(value["range"][0])
    return str(value)

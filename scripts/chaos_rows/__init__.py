"""The rows of the fault matrix: each breaks something under load, and says what is expected.

A row is a function of a `Run`; what it names here is what docs/reliability.md says of it.
"""
import dataclasses
import json
import time

ROWS = {}
# What is broken before the load begins.
BEFORE = {}


@dataclasses.dataclass
class Row:
    key: str
    fault: str
    expected: str
    work: object
    # Seconds after the fault within which nothing fails any more.
    bound: float | None
    stores: tuple
    # What the fleet is made of, and what the load is, beside what is usual.
    fleet: dict
    load: dict
    # In the subset that `make test` runs.
    short: bool


def row(key, fault, expected, bound=None, stores=("postgres",), short=False, load=None, **fleet):
    def keep(work):
        ROWS[key] = Row(key, fault, expected, work, bound, stores, fleet, load or {}, short)
        return work
    return keep


class Run:
    """One row on one fleet."""

    def __init__(self, fleet, load, quick=False):
        self.fleet, self.load, self.quick = fleet, load, quick
        self.expect, self.seen, self.scan = {}, [], True

    @property
    def proxy(self):
        return self.fleet.proxy

    def node(self, name):
        return self.fleet.nodes[name]

    def rest(self, seconds):
        """Lets the load go on; a short run waits for less of what is only statistics."""
        time.sleep(seconds / 2 if self.quick else seconds)

    def baseline(self, seconds=8):
        # The first requests open connections and fill caches.
        time.sleep(2)
        self.load.phase("baseline")
        self.rest(seconds)

    def fault(self):
        return self.load.phase("fault")

    def healed(self, bound, more=6):
        """The fault is over: from `bound` seconds on nothing fails."""
        self.load.phase("after")
        self.expect["bound_s"] = min(bound, 4) if self.quick else bound
        time.sleep(min(bound, 4) if self.quick else bound)
        self.rest(more)

    def see(self, text):
        """A figure for the table."""
        self.seen.append(text)

    @property
    def classes(self):
        return sorted({tenant["class"] for tenant in self.fleet.tenants})

    def events(self):
        """The history until now."""
        time.sleep(0.5)
        with open(self.load.history, encoding="utf-8") as lines:
            # The last line may be on its way.
            return [json.loads(line) for line in lines if line.endswith("\n")]

    def during(self, since=0, **like):
        """The requests since a moment that are like this."""
        return [event for event in self.events() if event["at"] >= since and all(event.get(key) == value for key, value in like.items())]

    def outsider(self, home="us"):
        """A tenant that is not in the load, to be asked for by hand."""
        made = self.fleet.add_tenant(home, home, 99)
        time.sleep(1.5)
        return made

    def must(self, holds, what):
        if not holds:
            self.load.find(what)


from . import clocks, moves, network, nodes, redis, registry, stores, upgrades # noqa: E402,F401

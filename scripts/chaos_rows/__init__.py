"""The rows of the fault matrix: each breaks something under load, and says what is expected.

A row is a function of a `Run`; what it names here is what docs/reliability.md says of it.
"""
import dataclasses
import time

ROWS = {}


@dataclasses.dataclass
class Row:
    key: str
    fault: str
    expected: str
    work: object
    # Seconds after the fault within which nothing fails any more.
    bound: float | None
    stores: tuple
    # What the fleet is made of, beside what is usual.
    fleet: dict
    # In the subset that `make test` runs.
    short: bool


def row(key, fault, expected, bound=None, stores=("postgres",), short=False, **fleet):
    def keep(work):
        ROWS[key] = Row(key, fault, expected, work, bound, stores, fleet, short)
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
        self.load.phase("fault")

    def healed(self, bound, more=6):
        """The fault is over: from `bound` seconds on nothing fails."""
        self.load.phase("after")
        self.expect["bound_s"] = bound
        time.sleep(bound)
        self.rest(more)

    def see(self, text):
        """A figure for the table."""
        self.seen.append(text)

    def must(self, holds, what):
        if not holds:
            self.load.find(what)


from . import nodes, stores # noqa: E402,F401

"""Clocks that are wrong."""
import glob
import time

from gateway import Trouble

from . import row


def library():
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1") + glob.glob("/usr/lib/faketime/libfaketimeMT.so.1")
    if not found:
        raise Trouble("libfaketime is not here; scripts/setup chaos gets it")
    return found[0]


@row("F22", "the clock of `us1` is 10 min ahead, then 10 min behind, then jumps back 1 h while it serves",
     "none fails; the order is that of the numbers, not of the clock; a token that has ended is refused", bound=0)
def skewed(run):
    ended = run.outsider()
    run.baseline()
    run.fault()
    run.expect["spared"] = run.classes
    node = run.node("us1")
    told = node.folder / "clock"

    def turn(offset):
        # Replaced in one step: it is read for every look at the clock.
        (node.folder / "clock.new").write_text(offset + "\n")
        (node.folder / "clock.new").rename(told)
    turn("+10m")
    node.env |= {"LD_PRELOAD": library(), "FAKETIME_TIMESTAMP_FILE": str(told), "FAKETIME_NO_CACHE": "1", "DONT_FAKE_MONOTONIC": "1"}
    node.terminate()
    node.start()
    dates = [node.ask_host("GET", ended["host"], "/scim/v2/Users", ended["token"])[1].get("date")]
    time.sleep(6)
    turn("-10m")
    time.sleep(6)
    turn("-70m")
    time.sleep(2)
    dates.append(node.ask_host("GET", ended["host"], "/scim/v2/Users", ended["token"])[1].get("date"))
    time.sleep(4)
    run.fleet.cli("token", "revoke", ended["key_id"])
    time.sleep(2)
    status = node.ask_host("GET", ended["host"], "/scim/v2/Users", ended["token"])[0]
    run.must(status == 401, f"a revoked token was answered {status} by the node whose clock is behind")
    run.must(dates[0] != dates[1] and dates[0] is not None, f"the clock was not turned: {dates}")
    run.see(f"its own `Date` said {dates[0]}, then {dates[1]}")
    for name in ("LD_PRELOAD", "FAKETIME_TIMESTAMP_FILE", "FAKETIME_NO_CACHE", "DONT_FAKE_MONOTONIC"):
        del node.env[name]
    node.terminate()
    node.start()
    time.sleep(1)
    run.healed(0)

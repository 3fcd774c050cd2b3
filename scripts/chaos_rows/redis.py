"""Redis gone, empty, slow."""
import time

from fleet import until

from . import row


@row("F12", "the Redis of `us` is killed; its nodes go on, and are started again without it",
     "ready and serving without it; none fails", bound=0)
def away(run):
    run.baseline()
    run.fault()
    run.expect["spared"] = run.classes
    server = run.fleet.redis["us"]
    server.kill()
    time.sleep(4)
    for node in run.fleet.of("us"):
        node.terminate()
        run.see(f"{node.name} ready {node.start():.1f} s after a start without Redis")
        time.sleep(1)
    stranger = run.node("us1").ask_host("GET", "app.localhost", "/scim/v2/Users", "mst_us_pf_AAAAAAAAAAAAAAAA_unknown")[0]
    run.must(stranger == 401, f"an unknown token got {stranger}")
    time.sleep(3)
    server.start()
    run.healed(0)


@row("F13", "FLUSHALL in every Redis, every half second for 10 s; a token was revoked before",
     "only misses; what was revoked stays revoked", bound=0)
def flushed(run):
    gone = run.outsider()
    run.baseline()
    run.fault()
    run.expect["spared"] = run.classes
    node = run.node("us1")
    run.fleet.cli("token", "revoke", gone["key_id"])
    refused = lambda: all(one.ask_host("GET", gone["host"], "/scim/v2/Users", gone["token"])[0] == 401 for one in run.fleet.of("us"))
    until("the revoked token is refused", refused, 10)
    good = 0
    for _ in range(20):
        for server in run.fleet.redis.values():
            server.command("FLUSHALL")
        good += not refused()
        time.sleep(0.5)
    run.see(f"20 times; the revoked token was good {good} times")
    run.must(good == 0, f"the revoked token was good {good} times")
    run.must(node.is_ready(), "a node is not ready")
    run.healed(0)


@row("F14", "every Redis answers nothing for 1.5 s, again and again for 12 s (CLIENT PAUSE)",
     "it is waited for 20 ms at most, then not at all; p99 at most 25 ms more, none fails", bound=0)
def slow(run):
    run.baseline(12)
    run.fault()
    for _ in range(7):
        for server in run.fleet.redis.values():
            server.command("CLIENT", "PAUSE", "1500", "ALL")
        time.sleep(1.7)
    run.expect |= {"unaffected": run.classes, "spared": run.classes}
    run.healed(0)

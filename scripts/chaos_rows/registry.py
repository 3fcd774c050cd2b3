"""The registry: gone, wrong, and what was revoked there."""
import time

from fleet import until
from gateway import Trouble

from . import BEFORE, row


def lose_control(fleet):
    fleet.postgres["registry"].kill()
    fleet.redis["us"].kill()
    time.sleep(2)


BEFORE["R1"] = lose_control


@row("R1", "the registry's database and the Redis of `us` are dead for the whole run",
     "every request of known tenants is answered as ever", bound=0)
def never_there(run):
    run.baseline()
    run.fault()
    run.expect["spared"] = run.classes
    time.sleep(20)
    states = {node.name: "degraded" in node.ask("/readyz")[1] for node in run.fleet.nodes.values()}
    run.see("`/readyz` is 200 and says degraded")
    run.must(all(states.values()), f"degraded: {states}")
    run.healed(0)


@row("F19", "the registry's database is killed, and every node is started again without it",
     "they start from their snapshots and serve; what is new comes when it is back", bound=0)
def restarted_without(run):
    run.baseline()
    run.fault()
    run.expect["spared"] = run.classes
    server, starts = run.fleet.postgres["registry"], []
    server.kill()
    for node in run.fleet.nodes.values():
        node.terminate()
        starts.append(node.start())
        time.sleep(1)
    run.must(all("degraded" in node.ask("/readyz")[1] for node in run.fleet.nodes.values()), "a node does not say that it is degraded")
    time.sleep(4)
    server.start()
    run.healed(0)
    took = until("all nodes hear of the registry", lambda: all('"ready"' in node.ask("/readyz")[1] for node in run.fleet.nodes.values()), 30)
    fresh = run.fleet.add_tenant("us", "us", 98)
    heard = lambda: all(node.ask_host("GET", fresh["host"], "/scim/v2/Users", fresh["token"])[0] == 200 for node in run.fleet.of("us"))
    news = until("a new tenant is served", heard, 10)
    run.see(f"ready {max(starts):.1f} s after a start at most; nothing degraded {took:.1f} s after it was back, a new tenant served {news:.1f} s after it was made")


@row("F20", "what the registry holds is made bad three times: an epoch goes back, a tenant comes to an unknown region, most tenants are gone",
     "it is not taken, `/readyz` says so, the last good one is served; taken again when it is good", bound=0)
def bad_news(run):
    tenant = run.fleet.tenants[0]
    run.baseline()
    run.fault()
    run.expect["spared"] = run.classes
    database, node = run.fleet.postgres["registry"], run.node("us1")
    refused = lambda: {reason: node.metric("registry_snapshot_refused_total", reason=reason) or 0 for reason in REASONS}

    def change(*statements):
        database.rows("BEGIN", "UPDATE registry_generation SET generation = generation + 1", *statements, "COMMIT")
    news = ", generation = (SELECT generation FROM registry_generation)"
    whom = f"WHERE id = '{tenant['id']}'"
    bad = {
        "epoch_back": (f"UPDATE registry_tenants SET epoch = 0{news} {whom}", f"UPDATE registry_tenants SET epoch = 1{news} {whom}"),
        "unknown_region": (f"UPDATE registry_tenants SET region = 'uz'{news} {whom}", f"UPDATE registry_tenants SET region = 'us'{news} {whom}"),
        # Rows that are gone are no news; a node that starts, with its snapshot of what was, compares.
        "tenants_missing": ("ALTER TABLE registry_tenants RENAME TO gone; CREATE TABLE registry_tenants AS SELECT * FROM gone WHERE false",
                            "DROP TABLE registry_tenants; ALTER TABLE gone RENAME TO registry_tenants"),
    }
    for reason, (spoil, mend) in bad.items():
        before = refused()
        change(spoil)
        if reason == "tenants_missing":
            node.terminate()
            node.start()
            before = {name: 0 for name in before}
        try:
            until(f"{reason} is refused", lambda: sum(refused().values()) > sum(before.values()), 10)
            until("/readyz tells", lambda: "not taken" in node.ask("/readyz")[1], 5)
        except Trouble as trouble: # the row says so, and goes on to mend it
            run.must(False, f"{reason}: {trouble}")
        time.sleep(2)
        change(mend)
        until("it is good again", lambda: '"ready"' in node.ask("/readyz")[1], 20)
        rose = [name for name, count in refused().items() if count > before[name]]
        run.see(f"{reason}: refused as {', '.join(rose)}")
    run.healed(0)


REASONS = ("generation_back", "tenants_missing", "credentials_missing", "unknown_region", "epoch_back", "row_back", "other_pepper")


@row("F43", "tokens are revoked in traffic, with push and with Redis not to be reached",
     "refused on every node within 5 s by push, 60 s without", bound=0)
def revoked(run):
    doomed = [run.outsider() for _ in range(2)]
    run.baseline()
    run.fault()
    run.expect["spared"] = run.classes
    for tenant, most, what in zip(doomed, (5, 60), ("with push", "with Redis silent"), strict=True):
        if most == 60:
            run.proxy.black_hole(*(f"{node.name}-redis" for node in run.fleet.nodes.values()))
        refused = lambda tenant=tenant: all(node.ask_host("GET", tenant["host"], "/scim/v2/Users", tenant["token"])[0] == 401 for node in run.fleet.of("us"))
        run.must(not refused(), "the token was not good before")
        began = time.monotonic()
        run.fleet.cli("token", "revoke", tenant["key_id"])
        until(f"the token is refused {what}", refused, 90, 0.02)
        took = time.monotonic() - began
        run.see(f"{what}: {took:.1f} s, the command included")
        run.must(took <= most, f"{what}: {took:.1f} s")
    run.proxy.clear()
    run.healed(0)

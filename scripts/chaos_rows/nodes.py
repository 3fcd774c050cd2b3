"""Nodes that die, and nodes that end."""
import pathlib
import random
import shutil
import sqlite3
import tempfile
import time

from fleet import until

from . import row


@row("F1", "a node is killed with -9 in the middle of requests, 10 times, and started again",
     "the other node serves; clients lose what was on its way", bound=5, stores=("postgres", "sqlite"), short=True)
def killed(run):
    run.baseline()
    run.fault()
    names, dice = list(run.fleet.nodes), random.Random(1)
    rounds, starts = 3 if run.quick else 10, []
    for _ in range(rounds):
        node = run.node(dice.choice(names))
        node.kill()
        time.sleep(dice.uniform(0.2, 1.0))
        starts.append(node.start())
        time.sleep(dice.uniform(0.3, 1.5))
    run.see(f"{rounds} kills; ready again {max(starts):.1f} s after a start at most")
    run.healed(5)


@row("F1b", "a node is killed between commit and answer, 5 times: its database's answers are held back, then kill -9 (F1c is in it: "
            "what was committed has its row in the outbox)",
     "the create sent again is 409, and a filter finds the person at once", bound=5)
def killed_after_commit(run):
    run.baseline()
    since = run.fault()
    node = run.node("us1")
    for _ in range(5):
        run.proxy.set("us1-store", "down", **{"pass": "hold"})
        time.sleep(1.0)
        node.kill()
        run.proxy.clear("us1-store")
        node.start()
        time.sleep(1.5)
    run.healed(5)
    lost = {(event["tenant"], event["name"]) for event in run.during(since, op="create", outcome="unknown")}
    again = [event for event in run.during(since, op="create", status=409) if (event["tenant"], event["name"]) in lost]
    found = [event for event in run.during(since, op="find", total=1) if (event["tenant"], event["name"]) in lost]
    names = {(event["tenant"], event["name"]) for event in again}
    run.see(f"{len(lost)} creates lost their answer, {len(names)} of them were done, and 409 when sent again")
    run.must(names, "no create was caught between commit and answer")
    run.must(names <= {(event["tenant"], event["name"]) for event in found}, "one that was 409 was not found by its name")


@row("F2", "SIGTERM to every node, one after the other, and a start",
     "not ready first, requests in flight end, connections are closed by the answer: none fails", bound=0)
def terminated(run):
    run.baseline()
    run.fault()
    run.expect["spared"] = run.classes
    ends = []
    for node in run.fleet.nodes.values():
        ends.append(node.terminate())
        node.start()
        # The balancer has to see that it is back before the next one goes.
        time.sleep(1)
    run.see(f"gone {max(ends):.1f} s after SIGTERM at most")
    run.healed(0)


@row("F11", "the one node of `us` is killed with -9 100 times, also in checkpoints",
     "`integrity_check` of the file is ok after each", bound=5, stores=("sqlite",), load={"writes": 150, "reads": 30})
def torn(run):
    run.baseline()
    run.fault()
    node, dice, rounds, bad = run.node("us1"), random.Random(11), 10 if run.quick else 100, 0
    for _ in range(rounds):
        time.sleep(dice.uniform(0.05, 0.4))
        node.kill()
        bad += integrity(run.fleet.folder) != "ok"
        node.start()
    run.see(f"{rounds} kills, {rounds - bad} checks ok")
    run.must(not bad, f"{bad} of {rounds} integrity checks failed")
    run.healed(5)


def integrity(folder):
    """Of a copy: the file itself is left for the server to recover."""
    with tempfile.TemporaryDirectory(dir=folder) as aside:
        for end in ("", "-wal"):
            if (folder / f"us.sqlite{end}").exists():
                shutil.copy(folder / f"us.sqlite{end}", aside)
        database = sqlite3.connect(pathlib.Path(aside) / "us.sqlite")
        try:
            return database.execute("PRAGMA integrity_check").fetchone()[0]
        except sqlite3.DatabaseError as error:
            return str(error)
        finally:
            database.close()


@row("F46", "all nodes are killed with -9 and started at the same moment, with cold caches",
     "all ready within 30 s; connections to each database stay within its nodes' pools", bound=10)
def herd(run):
    run.baseline()
    run.fault()
    for node in run.fleet.nodes.values():
        node.kill()
    began, most = time.monotonic(), {"us": 0, "eu": 0}
    for node in run.fleet.nodes.values():
        node.launch()

    def all_ready():
        for region in most:
            rows = run.fleet.query(region, f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{region}' AND pid <> pg_backend_pid()")
            most[region] = max(most[region], int(rows[0][0]))
        return all(node.is_ready() for node in run.fleet.nodes.values())
    until("all nodes are ready", all_ready, 60)
    took = time.monotonic() - began
    run.see(f"all ready after {took:.1f} s, at most {max(most.values())} connections to a database of two nodes with 16 each")
    run.must(took <= 30, f"ready after {took:.1f} s")
    run.must(max(most.values()) <= 2 * 18, f"{most} connections")
    run.healed(10)

"""Tenants that move while everything around them is killed."""
import subprocess
import time

from . import BEFORE, row

STAGES = ("preparing", "frozen", "verifying", "cut_over", "moved")


def more_tenants(fleet):
    """One for each stage, and one for the other region."""
    before = len(fleet.tenants)
    fleet.tenants += [fleet.add_tenant("us", "us", 50 + number) for number in range(len(STAGES) + 1)]
    for tenant in fleet.tenants[before:]:
        tenant["class"] = "moved"
    time.sleep(1.5)


BEFORE["F39"] = more_tenants


def move(run, slug, *more):
    """(status, seconds, what it said) of one command."""
    began = time.monotonic()
    done = subprocess.run([run.fleet.binary, "tenant", "move", slug, *more], env=run.fleet.cli_env, cwd=run.fleet.folder, capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, timeout=240)
    return done.returncode, time.monotonic() - began, (done.stderr + done.stdout).strip()


def finish(run, slug, *more):
    """The same command until it is done: another may still hold the right to drive the move."""
    until = time.monotonic() + 150
    while True:
        status, _, said = move(run, slug, *more)
        if status == 0 or time.monotonic() > until:
            run.must(status == 0, f"{slug} did not arrive: {said[-300:]}")
            return
        time.sleep(2)


@row("F39", "six tenants move, five to another shard and one to another region; the mover is killed with -9 after each stage in turn, a node "
            "of the region with it, and the same command is given again",
     "nothing is lost or doubled, numbers and versions are unchanged; writes are 503 with Retry-After while it is frozen; others do not notice",
     bound=5, shards=("1",))
def moved(run):
    moving = [tenant for tenant in run.fleet.tenants if tenant["class"] == "moved"]
    run.scan = False # a tenant of one region is to be found in the other
    run.baseline()
    since = run.fault()
    for stage, tenant in zip(STAGES, moving, strict=False):
        way = (tenant["slug"], "--to-shard", "1")
        status, _, said = move(run, *way, "--stop-after", stage)
        run.must(status != 0, f"{stage}: the mover was not killed: {said[-200:]}")
        node = run.node("us1")
        node.kill()
        node.start()
        finish(run, *way, "--purge-now")
        there = int(run.fleet.query("us", f"SELECT count(*) FROM users WHERE tenant_id = '{tenant['id']}'", "1")[0][0])
        left = int(run.fleet.query("us", f"SELECT count(*) FROM users WHERE tenant_id = '{tenant['id']}'")[0][0])
        run.must(there and not left, f"{stage}: {there} people there, {left} left behind")
    tenant = moving[-1]
    finish(run, tenant["slug"], "--to-region", "eu", "--confirm", tenant["slug"], "--purge-now")
    there = int(run.fleet.query("eu", f"SELECT count(*) FROM users WHERE tenant_id = '{tenant['id']}'")[0][0])
    run.must(there, "nobody is in the other region")
    run.healed(5)
    gaps = []
    for tenant in moving:
        done = sorted(event["end"] for event in run.during(since, tenant=tenant["slug"], outcome="ok") if event["op"] not in ("get", "find", "list"))
        gaps.append(max((later - earlier for earlier, later in zip(done, done[1:])), default=0) / 1e6)
    told = run.during(since, reason="tenant_moving")
    run.see(f"{len(told)} writes were told to come again; the longest time in which one tenant was not written: {gaps[-1]:.1f} s to the other region "
            f"undisturbed, {max(gaps):.1f} s where the mover was killed")
    run.must(all(event["retry_after"] for event in told), "a 503 without Retry-After")

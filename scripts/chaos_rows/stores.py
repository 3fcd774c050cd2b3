"""Databases that die, hang, or are too few."""
import atexit
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from gateway import Trouble

from . import BEFORE, row


@row("F3", "the PostgreSQL of `us` is killed with -9 and started again 10 s later",
     "503 with Retry-After for its tenants, none of another; back by itself", bound=10, short=True)
def killed(run):
    run.baseline()
    run.fault()
    server = run.fleet.postgres["us"]
    server.kill()
    time.sleep(4 if run.quick else 10)
    server.start()
    run.expect["unaffected"] = ["eu"]
    run.healed(10)


@row("F4", "the PostgreSQL of `us` is stopped with SIGSTOP for 20 s",
     "503 by the deadline; the pool stays bounded; nothing piles up", bound=5)
def paused(run):
    run.baseline()
    run.fault()
    server = run.fleet.postgres["us"]
    server.pause()
    try:
        time.sleep(15)
        used = {node.name: node.metric("db_client_connection_count", pool="us") or 0 for node in run.fleet.of("us")}
        alive = [node.ask("/livez")[0] for node in run.fleet.of("us")]
        time.sleep(5)
    finally:
        server.go_on()
    run.see(f"at most {max(used.values()):.0f} connections of 16, `/livez` {alive[0]}")
    run.must(max(used.values()) <= 16, f"{used} connections")
    run.must(alive == [200, 200], f"/livez answered {alive}")
    run.expect["unaffected"] = ["eu"]
    run.healed(5)


@row("F31", "the pool is exhausted: 5 connections, a database that answers 300 ms late, and 200 filters at once for 10 s",
     "those who wait too long are told 503 with Retry-After; health answers", bound=5,
     settings={"DATABASE__POOL_MAX": 5, "DATABASE__ACQUIRE_TIMEOUT": "1s"}, load={"writes": 20, "reads": 20})
def exhausted(run):
    crowd = run.outsider()
    run.baseline()
    run.fault()
    nodes = run.fleet.of("us")
    for node in nodes:
        run.proxy.set(f"{node.name}-store", "down", latency="300ms")
    answers, slowest, until = [], 0, time.monotonic() + 10

    def ask(number):
        while time.monotonic() < until:
            status, headers, _ = nodes[number % 2].ask_host("GET", crowd["host"], "/scim/v2/Users?filter=title%20co%20%22x%22", crowd["token"])
            answers.append((status, headers.get("retry-after", headers.get("Retry-After"))))
    with concurrent.futures.ThreadPoolExecutor(200) as pool:
        for number in range(200):
            pool.submit(ask, number)
        while time.monotonic() < until:
            began = time.monotonic()
            run.must(nodes[0].ask("/livez")[0] == 200, "/livez did not answer 200")
            slowest = max(slowest, time.monotonic() - began)
            time.sleep(0.3)
    run.proxy.clear()
    counts = {status: sum(1 for one, _ in answers if one == status) for status, _ in answers}
    run.see(f"the crowd: {', '.join(f'{status}: {count}' for status, count in sorted(counts.items()))}; `/livez` within {slowest * 1000:.0f} ms")
    run.must(counts.get(503), "nobody was told 503")
    run.must(not set(counts) - {200, 400, 429, 503}, f"the crowd was told {counts}")
    run.must(all(after for status, after in answers if status == 503), "a 503 without Retry-After")
    run.must(slowest < 1, f"/livez took {slowest:.1f} s")
    run.expect["unaffected"] = ["eu"]
    run.healed(5)


def small_disk(fleet):
    """Puts the store of `us` on a disk of its own, which holds it and not much more."""
    if os.geteuid():
        raise Trouble("F9 mounts a small disk, which needs root")
    disk = pathlib.Path(tempfile.mkdtemp(prefix="muster-disk-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], check=True)
    atexit.register(lambda: (subprocess.run(["umount", "-l", disk]), disk.rmdir()))
    node = fleet.nodes["us1"]
    node.terminate()
    shutil.move(fleet.folder / "us.sqlite", disk)
    (fleet.folder / "us.sqlite").symlink_to(disk / "us.sqlite")
    node.start()


BEFORE["F9"] = small_disk


@row("F9", "the disk of the store of `us` is full for 10 s, three times",
     "writes are 503 with Retry-After, reads are answered; room again, and it is back by itself; what was answered is there", bound=5,
     stores=("sqlite",))
def full(run):
    run.baseline()
    since = run.fault()
    ballast = (run.fleet.folder / "us.sqlite").resolve().parent / "ballast"
    for _ in range(3):
        with open(ballast, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(65_536))
            except OSError:
                pass
        time.sleep(10)
        ballast.unlink()
        time.sleep(3)
    reads = [event for event in run.during(since) if event["op"] in ("get", "find", "list") and event["class"] == "us"]
    failed = [event for event in reads if event["status"] >= 500 or not event["status"]]
    refused = [event for event in run.during(since, status=503) if event["class"] == "us"]
    run.see(f"{len(refused)} writes of `us` refused, {len(failed)} of {len(reads)} reads")
    run.must(refused, "the disk was never full")
    run.must(not failed, f"{len(failed)} reads failed")
    run.expect["unaffected"] = ["eu"]
    run.healed(5)

"""Schemas that go forward while nodes serve."""
import subprocess
import time

from gateway import psql

from . import row

EXPAND = "m2099_01_01_000001_expand_something"
CONTRACT = "m2099_01_01_000002_contract_something"


def record(run, version):
    for region in ("us", "eu"):
        run.fleet.query(region, f"INSERT INTO directory_migrations (version, applied_at) VALUES ('{version}', extract(epoch FROM now())::bigint)")


@row("F36", "the schema is expanded by a newer version, and every node is started again on it, one after the other; then it is contracted",
     "none fails on the expanded one; on a contracted one a node does not start, and says why", bound=0)
def rolled(run):
    run.baseline()
    run.fault()
    run.expect["spared"] = run.classes
    for region in ("us", "eu"):
        run.fleet.query(region, "ALTER TABLE users ADD COLUMN something TEXT NOT NULL DEFAULT ''")
    record(run, EXPAND)
    time.sleep(2)
    for node in run.fleet.nodes.values():
        node.terminate()
        node.start()
        time.sleep(1)
    run.healed(0)
    record(run, CONTRACT)
    done = subprocess.run([run.fleet.binary, "migrate"], env=run.fleet.cli_env, cwd=run.fleet.folder, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=60)
    said = (done.stderr or done.stdout).strip().splitlines()
    run.must(done.returncode != 0, "a contracted schema was taken")
    run.must(CONTRACT in " ".join(said), "the refusal does not name the migration")
    run.see(f"contracted: “{said[-1] if said else ''}”")


@row("F37", "three nodes migrate new databases at once, and one of them is killed with -9 half way, 5 times",
     "one migrates, the others wait; what was begun is all there or not at all, and the next one goes on", bound=0)
def migrated(run):
    run.baseline()
    run.fault()
    run.expect["spared"] = run.classes
    fleet, whole = run.fleet, {}
    for name in ("us", "eu", "registry"):
        whole[name] = columns(fleet.postgres[name].url())
    for round_ in range(5):
        env = dict(fleet.cli_env)
        urls = {}
        for name, server in fleet.postgres.items():
            server.rows(f"CREATE DATABASE fresh{round_}")
            urls[name] = server.url(f"fresh{round_}")
            key = "MUSTER__REGISTRY__URL" if name == "registry" else f"MUSTER__REGIONS__{name.upper()}__STORE"
            env[key] = urls[name]
        start = lambda: subprocess.Popen([fleet.binary, "migrate"], env=env, cwd=fleet.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                         text=True, stdin=subprocess.DEVNULL)
        three = [start() for _ in range(3)]
        time.sleep(0.02 + 0.06 * round_)
        three[round_ % 3].kill()
        ends = []
        for number, process in enumerate(three):
            said = process.communicate(timeout=90)[0]
            if number != round_ % 3:
                ends.append(process.returncode)
                run.must(process.returncode == 0, f"muster migrate beside two others: {said.strip()[-300:]}")
        again = start()
        said = again.communicate(timeout=90)[0]
        run.must(again.returncode == 0, f"muster migrate after a kill: {said.strip()[-300:]}")
        for name, url in urls.items():
            run.must(columns(url) == whole[name], f"the schema of {name} is another one after a kill")
    run.see("5 rounds: the schema is that of an undisturbed one each time")
    run.healed(0)


def columns(url):
    return psql(url, "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2")

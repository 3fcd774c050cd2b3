"""A fleet under test: two regions of nodes, their databases and Redis, and a link that can fail between any two of them.

For scripts/fleet and scripts/chaos. Standard library only; the links, the load and the checker are the program `fleet`.
Everything listens on 127.0.0.1 alone, and what was started is ended by its process id.
"""
import concurrent.futures
import glob
import json
import os
import pathlib
import pwd
import random
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request

import gateway as product
from gateway import Trouble, psql

REGIONS = ("us", "eu")
HOSTS = {"us": "app.localhost", "eu": "eu-app.localhost"}


def now_us():
    return time.time_ns() // 1000


TAKEN = set()


def free_port():
    """One below those that the system gives to connections: a server that is away for a while finds it free."""
    while True:
        port = random.randrange(12000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in TAKEN:
            TAKEN.add(port)
            return port


def until(what, ready, seconds=30, step=0.05):
    """Waits for a condition; the seconds that it took."""
    began = time.monotonic()
    while time.monotonic() < began + seconds:
        if ready():
            return time.monotonic() - began
        time.sleep(step)
    raise Trouble(f"not within {seconds} s: {what}")


def stepping_down():
    """PostgreSQL refuses to run as root: who runs it, and what goes before its commands."""
    if os.getuid() != 0:
        return None, []
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return user, ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    raise Trouble("root cannot run PostgreSQL, and there is no user postgres or nobody to run it as")


def postgres_programs():
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin") + glob.glob("/usr/pgsql-*/bin"), reverse=True)
    found = shutil.which("initdb")
    for folder in ([os.path.dirname(os.path.realpath(found))] if found else []) + folders:
        if os.access(f"{folder}/initdb", os.X_OK) and os.access(f"{folder}/pg_ctl", os.X_OK):
            return folder
    raise Trouble("PostgreSQL's initdb and pg_ctl are not here; scripts/services --install gets them")


class Server:
    """A process and its children, as a group: killed and paused together."""

    process = None

    def spawn(self, command, log, env=None, cwd=None):
        self.process = subprocess.Popen(command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                        start_new_session=True)

    @property
    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        if self.is_running:
            os.killpg(self.process.pid, number)

    def kill(self):
        """As a lost machine: every process of it, without a word."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def pause(self):
        self.signal(signal.SIGSTOP)

    def go_on(self):
        self.signal(signal.SIGCONT)


class Postgres(Server):
    """One PostgreSQL server with its own data, durable as in production."""

    def __init__(self, folder, name):
        self.folder, self.name = pathlib.Path(folder) / f"pg-{name}", name
        self.port = free_port()
        self.user, self.step_down = stepping_down()
        self.programs = postgres_programs()
        self.folder.mkdir()
        if self.user:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        done = subprocess.run([*self.step_down, f"{self.programs}/initdb", "-D", str(self.folder / "data"), "-U", "postgres",
                               "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"],
                              cwd=self.folder, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise Trouble(f"initdb: {done.stderr}")
        self.log = open(self.folder / "log", "ab")
        self.start()
        psql(self.url("postgres"), f"CREATE DATABASE {name}")

    def start(self, seconds=60):
        self.spawn([*self.step_down, f"{self.programs}/postgres", "-D", str(self.folder / "data"), "-c", "listen_addresses=127.0.0.1",
                    "-c", f"port={self.port}", "-c", f"unix_socket_directories={self.folder}", "-c", "max_connections=200",
                    "-c", "shared_buffers=64MB", "-c", "log_min_messages=warning"], self.log, cwd=self.folder)
        until(f"PostgreSQL {self.name} takes connections", self.answers, seconds)

    def answers(self):
        return subprocess.run(["pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)], stdin=subprocess.DEVNULL).returncode == 0

    def pids(self):
        """The postmaster and its children, each of which leads a group of its own."""
        own = self.process.pid
        return [own] + [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and parent_of(pid) == own]

    def signal(self, number):
        if self.is_running:
            for pid in self.pids():
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    pass

    def kill(self):
        """kill -9 of all of it; the postmaster is held first, so that it starts no others."""
        if not self.is_running:
            return
        os.kill(self.process.pid, signal.SIGSTOP)
        pids = self.pids()
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        until(f"the backends of {self.name} are gone", lambda: not any(parent_of(pid) for pid in pids), 20)

    def url(self, database=None, port=None):
        return f"postgres://postgres@127.0.0.1:{port or self.port}/{database or self.name}"

    def rows(self, *statements):
        return psql(self.url(), *statements)


def parent_of(pid):
    """Nothing for a process that is not there, or only waited for."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            fields = stat.read().rpartition(b")")[2].split()
            return int(fields[1]) if fields[0] != b"Z" else None
    except (OSError, IndexError, ValueError):
        return None


class Redis(Server):
    def __init__(self, folder, name):
        self.folder, self.name, self.port = pathlib.Path(folder) / f"redis-{name}", name, free_port()
        self.folder.mkdir()
        self.log = open(self.folder / "log", "ab")
        self.start()

    def start(self):
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        if not program:
            raise Trouble("redis-server is not here; scripts/services --install gets it")
        # With a dump, so that its file is looked into too.
        self.spawn([program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--save", "1 1",
                    "--daemonize", "no"], self.log, cwd=self.folder)
        until(f"Redis {self.name} answers", lambda: b"PONG" in self.command("PING"))

    def command(self, *words):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as link:
                link.settimeout(3)
                link.sendall((" ".join(words) + "\r\n").encode())
                return link.recv(1 << 16)
        except OSError:
            return b""

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/"


class Proxy(Server):
    """The links. Orders are those of `fleet proxy`."""

    def __init__(self, tool, folder):
        log = open(folder / "proxy.log", "ab")
        self.process = subprocess.Popen([str(tool), "proxy"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                                        text=True, start_new_session=True)
        first = self.process.stdout.readline().split()
        if len(first) != 2:
            raise Trouble("fleet proxy did not start")
        self.control = first[1]
        host, port = self.control.rsplit(":", 1)
        self.link = socket.create_connection((host, int(port)), 5)
        self.lines = self.link.makefile("rw")
        self.names = {}

    def order(self, text):
        self.lines.write(text + "\n")
        self.lines.flush()
        answer = self.lines.readline().strip()
        if not answer.startswith("ok"):
            raise Trouble(f"{text}: {answer}")
        return answer[3:]

    def add(self, name, *ports):
        """A link to 127.0.0.1 at the first of the ports that takes it; its own port."""
        to = ",".join(f"127.0.0.1:{port}" for port in ports)
        port = free_port()
        self.order(f"link {name} 127.0.0.1:{port} {to}")
        self.names[name] = port
        return port

    def set(self, name, side, **settings):
        self.order(f"set {name} {side} " + " ".join(f"{key}={value}" for key, value in settings.items()))

    def clear(self, *names):
        for name in names or self.names:
            self.order(f"clear {name}")

    def black_hole(self, *names):
        """Silence: what is open hangs, and what is new gets not even a refusal."""
        for name in names:
            self.set(name, "both", **{"pass": "hold"})
            self.order(f"doors {name} silent")


class Node(Server):
    """One `muster serve`."""

    def __init__(self, fleet, name, region):
        self.fleet, self.name, self.region = fleet, name, region
        self.port, self.ops = free_port(), free_port()
        self.folder = fleet.folder / name
        self.folder.mkdir()
        self.env, self.before = {}, []
        self.log = open(self.folder / "serve.log", "ab")
        self.binary = fleet.binary

    def configure(self, **more):
        self.env |= {f"MUSTER__{key}": str(value) for key, value in more.items()}

    @property
    def full_env(self):
        return self.fleet.clean_env | {"MUSTER__DATA_DIR": str(self.folder / "data"), "RUST_BACKTRACE": "0",
                                       "MUSTER__SERVER__LISTEN": f"127.0.0.1:{self.port}", "MUSTER__OPS__LISTEN": f"127.0.0.1:{self.ops}",
                                       "MUSTER__LOG__FORMAT": "json", "MUSTER__LOG__LEVEL": "info"} | self.env

    def launch(self):
        self.spawn([*self.before, self.binary, "serve"], self.log, env=self.full_env, cwd=self.folder)

    def start(self, seconds=60):
        """Starts it; the seconds until it was ready."""
        self.launch()

        def ready():
            if not self.is_running:
                raise Trouble(f"{self.name} ended with {self.process.returncode}:\n{self.tail()}")
            return self.is_ready()
        return until(f"{self.name} is ready:\n{self.tail()}", ready, seconds, 0.02)

    def is_ready(self):
        return self.ask("/readyz")[0] == 200

    def ask(self, path, timeout=3):
        """(status, text) of the ops port; 0 without an answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ops}{path}", timeout=timeout) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def metric(self, name, **labels):
        """The sum over the series of a metric that have these labels; None where there is none."""
        found = None
        for line in self.ask("/metrics")[1].splitlines():
            if line.partition("{")[0].partition(" ")[0] == name and all(f'{key}="{value}"' in line for key, value in labels.items()):
                found = (found or 0) + float(line.rsplit(" ", 1)[1])
        return found

    def ask_host(self, method, host, path, token, body=None, timeout=30, headers=()):
        """(status, headers, text) of a request; 0 without an answer."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method,
                                         data=None if body is None else json.dumps(body).encode())
        request.add_header("Host", host)
        request.add_header("Authorization", f"Bearer {token}")
        for name, value in headers:
            request.add_header(name, value)
        if body is not None:
            request.add_header("Content-Type", "application/scim+json")
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, dict(answer.headers), answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read().decode()
        except OSError as error:
            return 0, {}, str(error)

    def terminate(self, seconds=40):
        """SIGTERM; the seconds until it was gone."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Trouble(f"{self.name} did not end within {seconds} s of SIGTERM") from None
        if status:
            raise Trouble(f"{self.name} left with {status} after SIGTERM:\n{self.tail()}")
        return time.monotonic() - began

    def cli(self, *arguments):
        return self.fleet.command(arguments, self.full_env, self.folder)

    def tail(self, lines=15):
        text = (self.folder / "serve.log").read_text("utf-8", "replace").splitlines()
        return "\n".join(text[-lines:])

    def resources(self):
        pid = self.process.pid
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        value = lambda name: int(next(line.split()[1] for line in status.splitlines() if line.startswith(name)))
        return {"rss_kib": value("VmRSS:"), "threads": value("Threads:"), "fds": len(os.listdir(f"/proc/{pid}/fd"))}


class Fleet:
    """Two regions. On PostgreSQL with `nodes` nodes each; on SQLite, whose file belongs to one machine, with one."""

    def __init__(self, binary, tool, folder, store="postgres", nodes=2, redis=True, settings=None, shards=()):
        self.binary, self.tool = str(pathlib.Path(binary).resolve()), str(pathlib.Path(tool).resolve())
        self.folder, self.store = pathlib.Path(folder), store
        # Settings of whoever runs this must not reach the servers.
        self.clean_env = {k: v for k, v in os.environ.items() if not k.startswith(("MUSTER__", "OTEL_"))}
        self.postgres, self.redis, self.nodes, self.tenants = {}, {}, {}, []
        # Further databases of each region, on the same server.
        self.shards, self.proxy = shards, None
        try:
            self.build(1 if store == "sqlite" else nodes, redis, settings or {})
        except BaseException:
            self.end()
            raise

    def build(self, count, redis, settings):
        os.chmod(self.folder, 0o755)
        self.proxy = Proxy(self.tool, self.folder)
        if self.store == "postgres":
            with concurrent.futures.ThreadPoolExecutor(3) as pool:
                made = {name: pool.submit(Postgres, self.folder, name) for name in (*REGIONS, "registry")}
                for name, server in made.items():
                    self.postgres[name] = server.result()
            for region in REGIONS:
                for shard in self.shards:
                    self.postgres[region].rows(f"CREATE DATABASE {region}_{shard}")
        if redis:
            self.redis = {region: Redis(self.folder, region) for region in REGIONS}
        for region in REGIONS:
            for number in range(1, count + 1):
                self.nodes[f"{region}{number}"] = Node(self, f"{region}{number}", region)
        for node in self.nodes.values():
            self.connect(node)
            node.configure(**settings)
        first = next(iter(self.nodes.values()))
        # The first migrates; which one is first is a row of its own.
        self.cli("migrate")
        keys = [key for node in self.nodes.values() for key in node.cli("node", "key", "jwks")["keys"]]
        (self.folder / "peers.json").write_text(json.dumps({"keys": keys}))
        for node in self.nodes.values():
            node.configure(NODE__PEER_JWKS=self.folder / "peers.json")
        first.start()
        for node in self.nodes.values():
            if node is not first:
                node.start()

    def store_url(self, region, port=None):
        if self.store == "sqlite":
            return f"sqlite:{self.folder / region}.sqlite"
        return self.postgres[region].url(port=port)

    def shard_urls(self, region, port=None):
        return {f"REGIONS__{region.upper()}__SHARDS__{shard}": self.postgres[region].url(f"{region}_{shard}", port) for shard in self.shards}

    def registry_url(self, port=None):
        if self.store == "sqlite":
            return f"sqlite:{self.folder / 'registry'}.sqlite"
        return self.postgres["registry"].url(port=port)

    def connect(self, node):
        """Each node reaches everything by a link of its own."""
        other = next(region for region in REGIONS if region != node.region)
        link = {}
        if self.store == "postgres":
            link["store"] = self.proxy.add(f"{node.name}-store", self.postgres[node.region].port)
            link["registry"] = self.proxy.add(f"{node.name}-registry", self.postgres["registry"].port)
        if self.redis:
            port = self.proxy.add(f"{node.name}-redis", self.redis[node.region].port)
            node.configure(REDIS__URL=f"redis://127.0.0.1:{port}/")
        node.configure(**self.shard_urls(node.region, link.get("store")))
        peers = [peer.port for peer in self.nodes.values() if peer.region == other]
        node.configure(**{
            "HOSTING__PUBLIC_PORT": 8080,
            "REGISTRY__URL": self.registry_url(link.get("registry")),
            f"REGIONS__{node.region.upper()}__STORE": self.store_url(node.region, link.get("store")),
            f"REGIONS__{other.upper()}__GATEWAY": f"http://127.0.0.1:{self.proxy.add(f'{node.name}-{other}', *peers)}",
        })

    def of(self, region):
        return [node for node in self.nodes.values() if node.region == region]

    @property
    def cli_env(self):
        """An operator's machine: it reaches everything, and by no link."""
        stores = {f"MUSTER__REGIONS__{region.upper()}__STORE": self.store_url(region) for region in REGIONS}
        for region in REGIONS:
            stores |= {f"MUSTER__{key}": url for key, url in self.shard_urls(region).items()}
        return self.clean_env | stores | {"MUSTER__REGISTRY__URL": self.registry_url(), "RUST_BACKTRACE": "0",
                                          "MUSTER__DATA_DIR": str(self.folder / "operator"), "MUSTER__HOSTING__PUBLIC_PORT": "8080"}

    def command(self, arguments, env, cwd):
        done = subprocess.run([self.binary, *arguments, "-o", "json"], env=env, cwd=cwd, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=120)
        if done.returncode:
            raise Trouble(f"muster {' '.join(arguments)}: {(done.stderr or done.stdout).strip()}")
        return json.loads(done.stdout)

    def cli(self, *arguments):
        return self.command(arguments, self.cli_env, self.folder)

    def add_tenant(self, home, at, number):
        """A tenant whose home is one region, and whose requests reach the nodes of another or the same."""
        tag = secrets.token_hex(5)
        slug = f"{home}-{at}-{number}-{tag[:4]}"
        made = self.cli("tenant", "create", slug, "--name", slug, "--region", home, "--population", "platform",
                        "--profile", "open", "--groups", "on")
        token = self.cli("token", "create", slug, "--name", "load")
        return {"class": home if home == at else f"{home} by {at}", "slug": slug, "id": made["id"], "home": home, "host": HOSTS[home],
                "token": token["token"], "key_id": token["key_id"], "canary": f"cnry{home}{tag}",
                "via": [node.name for node in self.of(at)]}

    def add_tenants(self, own=4, forwarded=2):
        kinds = [(home, at) for home in REGIONS for at in REGIONS for _ in range(own if home == at else forwarded)]
        with concurrent.futures.ThreadPoolExecutor(1 if self.store == "sqlite" else 4) as pool:
            made = pool.map(lambda item: self.add_tenant(*item[1], item[0]), enumerate(kinds))
            self.tenants += list(made)
        time.sleep(1.5) # every node asks the registry twice a second
        return self.tenants

    def plan(self):
        nodes = {node.name: {"address": f"127.0.0.1:{node.port}", "ops": f"127.0.0.1:{node.ops}"} for node in self.nodes.values()}
        return {"nodes": nodes, "tenants": self.tenants}

    def query(self, region, statement, shard="0"):
        if self.store == "postgres":
            return psql(self.postgres[region].url(region if shard == "0" else f"{region}_{shard}"), statement)
        with sqlite3.connect(f"file:{self.folder / region}.sqlite?mode=ro", uri=True) as database:
            return [tuple("" if value is None else str(value) for value in row) for row in database.execute(statement)]

    def export(self, file):
        """What the stores hold of the tenants, a line for each row, for the checker."""
        slugs = {tenant["id"]: tenant["slug"] for tenant in self.tenants}
        with open(file, "w", encoding="utf-8") as out:
            for region in REGIONS:
                for shard in ("0", *self.shards):
                    for row in store_rows(self, region, shard, slugs):
                        out.write(json.dumps(row) + "\n")

    def end(self):
        for server in (*self.nodes.values(), self.proxy, *self.redis.values(), *self.postgres.values()):
            if server is not None:
                server.kill()


# What must not be, each as a query that counts it.
FAULTS = {
    "people without e-mail": """SELECT count(*) FROM users u WHERE NOT EXISTS (SELECT 1 FROM user_emails e
        WHERE e.tenant_id = u.tenant_id AND e.user_id = u.id)""",
    "e-mails without person": """SELECT count(*) FROM user_emails e WHERE NOT EXISTS (SELECT 1 FROM users u
        WHERE u.tenant_id = e.tenant_id AND u.id = e.user_id)""",
    "people without decision": """SELECT count(*) FROM users u WHERE NOT EXISTS (SELECT 1 FROM decisions d
        WHERE d.tenant_id = u.tenant_id AND d.resource_id = u.id AND d.operation = 'user.create' AND d.outcome = 'done')""",
    "changes of nobody who is or was": """SELECT count(*) FROM changes c WHERE c.resource_type = 'User'
        AND NOT EXISTS (SELECT 1 FROM users u WHERE u.tenant_id = c.tenant_id AND u.id = c.resource_id)
        AND NOT EXISTS (SELECT 1 FROM tombstones t WHERE t.tenant_id = c.tenant_id AND t.resource_type = 'User' AND t.id = c.resource_id)""",
    "people against tally": "SELECT (SELECT count(*) FROM users) - (SELECT coalesce(sum(users), 0) FROM tallies)",
    "seats against tally": "SELECT (SELECT coalesce(sum(active), 0) FROM users) - (SELECT coalesce(sum(seats), 0) FROM tallies)",
    "groups against tally": "SELECT (SELECT count(*) FROM groups) - (SELECT coalesce(sum(groups), 0) FROM tallies)",
}


def store_rows(fleet, region, shard, slugs):
    query = lambda statement: fleet.query(region, statement, shard)
    title = "doc::json->>'title'" if fleet.store == "postgres" else "json_extract(doc, '$.title')"
    for tenant, id_, name, version, stamp in query(f"SELECT tenant_id, id, user_name_key, version, coalesce({title}, '') FROM users"):
        yield {"table": "user", "tenant": slugs.get(tenant, tenant), "id": id_, "name": name, "version": int(version), "title": stamp}
    for tenant, id_, name in query("SELECT tenant_id, id, display_key FROM groups"):
        yield {"table": "group", "tenant": slugs.get(tenant, tenant), "id": id_, "name": name}
    for tenant, group, member in query("SELECT tenant_id, group_id, member_id FROM members"):
        yield {"table": "member", "tenant": slugs.get(tenant, tenant), "group": group, "member": member}
    for of in ("changes", "outbox"):
        statement = f"SELECT tenant_id, resource_id, min(seq), max(seq), count(DISTINCT seq) FROM {of} GROUP BY tenant_id, resource_id"
        for tenant, id_, first, last, count in query(statement):
            yield {"table": "numbers", "of": of, "tenant": slugs.get(tenant, tenant), "id": id_, "first": int(first), "last": int(last),
                   "count": int(count)}
    for what, statement in FAULTS.items():
        yield {"table": "fault", "what": f"{region} {shard}: {what}", "count": int(query(statement)[0][0])}


class Load:
    """`fleet load` beside a fault, and when which phase was."""

    def __init__(self, fleet, writes, reads, seed=1, patience=30):
        self.fleet, self.patience = fleet, patience
        self.plan, self.history = fleet.folder / "plan.json", fleet.folder / "history.jsonl"
        self.plan.write_text(json.dumps(fleet.plan()))
        self.phases, self.found, self.log = [], [], open(fleet.folder / "load.log", "ab")
        self.before = None
        self.process = subprocess.Popen([fleet.tool, "load", "--plan", str(self.plan), "--history", str(self.history), "--writes", str(writes),
                                         "--reads", str(reads), "--seed", str(seed), "--patience", str(patience)],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)

    def phase(self, name):
        """What comes from now on."""
        at = now_us()
        if self.phases:
            self.phases[-1]["to"] = at
        self.phases.append({"name": name, "from": at, "to": at})
        if name == "baseline":
            self.before = {node.name: (node.process.pid, node.resources()) for node in self.fleet.nodes.values()}
        return at

    def find(self, what):
        """Something that is wrong, and that only the row itself can see."""
        self.found.append(what)

    def resources(self):
        """Before and after, of the nodes that are the same processes."""
        both = []
        for node in self.fleet.nodes.values():
            pid, before = (self.before or {}).get(node.name, (None, None))
            if node.is_running and node.process.pid == pid:
                both.append({"name": node.name, "before": before, "after": node.resources()})
        return both

    def settled(self, seconds=110):
        """Resources, after connections that nobody uses had their time to end."""
        began = time.monotonic()
        while True:
            both = self.resources()
            grown = [one for one in both if one["after"]["fds"] > one["before"]["fds"] * 1.1 + 8]
            if not grown or time.monotonic() > began + seconds:
                return both
            time.sleep(1)

    def stop(self):
        self.phases[-1]["to"] = now_us()
        if self.process.poll() is not None:
            raise Trouble(f"fleet load ended early: {self.tail()}")
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(self.patience + 20)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Trouble("fleet load did not end") from None
        if status:
            raise Trouble(f"fleet load: {self.tail()}")

    def tail(self):
        return (self.fleet.folder / "load.log").read_text("utf-8", "replace")[-600:]

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def judge(fleet, load, expect, scan=True, resources=True):
    """The checker's findings of a run: what it says, and as JSON."""
    stores, run, found = fleet.folder / "stores.jsonl", fleet.folder / "run.json", fleet.folder / "found.json"
    fleet.export(stores)
    sides = [side(fleet, region) for region in REGIONS] if scan else []
    run.write_text(json.dumps({"phases": load.phases, "expect": expect, "processes": load.settled() if resources else [], "found": load.found, "sides": sides,
                               "logs": [str(node.folder / "serve.log") for node in fleet.nodes.values()]}))
    done = subprocess.run([fleet.tool, "check", "--history", str(load.history), "--stores", str(stores), "--run", str(run), "--json", str(found)],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if not found.exists():
        raise Trouble(f"fleet check: {done.stdout}{done.stderr}")
    return done.stdout, json.loads(found.read_text())


def side(fleet, region):
    """All files of one region: nothing of the other is in them."""
    other = next(name for name in REGIONS if name != region)
    paths = [node.folder for node in fleet.of(region)]
    if fleet.store == "postgres":
        paths.append(fleet.postgres[region].folder)
    else:
        # It may be on a disk of its own, and the journal is where the file is.
        store = (fleet.folder / f"{region}.sqlite").resolve()
        paths += [store, store.with_name(f"{store.name}-wal")]
    if fleet.redis:
        fleet.redis[region].command("SAVE")
        paths.append(fleet.redis[region].folder)
    # Both regions ask one registry, and it knows tenants and nobody else.
    if fleet.store == "postgres":
        paths.append(fleet.postgres["registry"].folder)
    return {"name": region, "paths": [str(path) for path in paths], "never": [f"cnry{other}"], "always": [f"cnry{region}"]}


def programs(given):
    """The product and the tool: those that are named, or built now, in one selection."""
    if given:
        folder = pathlib.Path(given).resolve().parent
        return given, os.environ.get("MUSTER_FLEET") or folder / "fleet"
    folder = product.built(["gateway", "bench", "fleet"])
    return folder / "muster", folder / "fleet"


def run(main, name):
    product.run(main, name)


if __name__ == "__main__":
    sys.exit("this is a module; scripts/fleet and scripts/chaos use it")

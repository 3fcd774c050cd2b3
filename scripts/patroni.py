"""Three etcd, three PostgreSQL under Patroni and haproxy on loopback, made from the files in deploy/patroni.

For scripts/drill-ha. Standard library only. Ends what it started and nothing else.
"""
import json
import os
import pathlib
import pwd
import random
import secrets
import shutil
import signal
import socket
import string
import subprocess
import time
import urllib.error
import urllib.request

import gateway as product

NODES = ("n1", "n2", "n3")
SCOPE = "drill"
HOST = "127.0.0.1"


def ports(count):
    """Free ports outside the range from which the system serves outgoing connections."""
    found, probes = [], []
    try:
        while len(found) < count:
            probe, port = socket.socket(), random.SystemRandom().randrange(20000, 32000)
            probes.append(probe)
            try:
                probe.bind((HOST, port))
                found.append(port)
            except OSError:
                pass
    finally:
        for probe in probes:
            probe.close()
    return found


def postgres_bin():
    """The newest PostgreSQL's folder of server programs."""
    folders = [pathlib.Path(p).parent for p in [os.path.realpath(shutil.which("initdb") or "/")]]
    folders += sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: float(p.parent.name), reverse=True)
    for folder in folders:
        if all((folder / program).is_file() for program in ("initdb", "postgres", "pg_ctl", "pg_rewind", "pg_basebackup")):
            return folder
    raise product.Trouble("PostgreSQL's server programs are not to be found; scripts/setup ha installs them")


def owner():
    """Who runs the servers, and the words before their commands: PostgreSQL refuses to be root."""
    if os.getuid() != 0:
        return pwd.getpwuid(os.getuid()), []
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry, ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"]
    raise product.Trouble("root cannot run PostgreSQL, and there is no user postgres or nobody")


class Cluster:
    """The servers of one region."""

    def __init__(self, folder, synchronous=True):
        self.folder, self.synchronous = pathlib.Path(folder), synchronous
        self.owner, self.step_down = owner()
        self.bin = postgres_bin()
        self.running = {}
        self.password, self.rest_password = secrets.token_hex(12), secrets.token_hex(12)
        numbers = ports(14)
        self.etcd, self.peer, self.rest, self.pg = ({n: numbers.pop() for n in NODES} for _ in range(4))
        self.port, self.replica_port = numbers.pop(), numbers.pop()
        self.python, self.library = self.install()
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C", "PYTHONPATH": str(self.library),
                    "PYTHONDONTWRITEBYTECODE": "1"}
        os.chown(self.folder, self.owner.pw_uid, self.owner.pw_gid)
        for node in NODES:
            self.make(f"{node}/")
            self.write(f"{node}/etcd.yml", "etcd.yml", self.values(node))
            self.write(f"{node}/patroni.yml", "patroni.yml", self.values(node))
        self.write("haproxy.cfg", "haproxy.cfg", self.values("n1"))

    # ---- files -----------------------------------------------------------------------------

    def install(self):
        """The Python and the folder of its packages that the servers' user can read."""
        place = pathlib.Path(subprocess.run([str(product.ROOT / "scripts/setup"), "--path", "ha"], check=True,
                                            capture_output=True, text=True).stdout.strip())
        found = sorted(place.glob("lib/python3*/site-packages"))
        if not (place / "complete").exists() or not found:
            raise product.Trouble("Patroni is not installed: scripts/setup ha")
        python = os.path.realpath(place / "bin/python3")
        if not self.step_down:
            return python, found[0]
        # The cache is in a home that others may not enter.
        copy = self.folder / "packages"
        shutil.copytree(found[0], copy, ignore=shutil.ignore_patterns("__pycache__", "pip", "setuptools"))
        return python, copy

    def values(self, node):
        number = {f"{key}{i}": value for i, n in enumerate(NODES, 1)
                  for key, value in (("HOST", HOST), ("PG_PORT", self.pg[n]), ("REST_PORT", self.rest[n]))}
        return number | {
            "NODE": node, "SCOPE": SCOPE, "HOST": HOST, "NETWORK": f"{HOST}/32", "FOLDER": self.folder / node, "PG_BIN": self.bin,
            "ETCD_PORT": self.etcd[node], "ETCD_PEER_PORT": self.peer[node], "REST_PORT": self.rest[node], "PG_PORT": self.pg[node],
            "ETCD_PEERS": ",".join(f"{n}=http://{HOST}:{self.peer[n]}" for n in NODES),
            "ETCD_HOSTS": ",".join(f"{HOST}:{self.etcd[n]}" for n in NODES),
            "PG_PASSWORD": self.password, "REST_PASSWORD": self.rest_password, "LISTEN": f"{HOST}:{self.port}",
            "REPLICA_LISTEN": f"{HOST}:{self.replica_port}"}

    def make(self, name):
        (self.folder / name).mkdir(mode=0o700)
        os.chown(self.folder / name, self.owner.pw_uid, self.owner.pw_gid)

    def write(self, name, template, values):
        text = string.Template((product.ROOT / "deploy/patroni" / template).read_text("utf-8"))
        lines = "\n".join(line for line in text.template.splitlines() if not line.lstrip().startswith("#"))
        if not self.synchronous:
            lines = lines.replace("synchronous_mode: true", "synchronous_mode: false")
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(string.Template(lines).substitute(values) + "\n", "utf-8")
        os.chown(path, self.owner.pw_uid, self.owner.pw_gid)

    # ---- processes -------------------------------------------------------------------------

    def spawn(self, name, *command):
        with open(self.folder / f"{name}.log", "ab") as log:
            self.running[name] = subprocess.Popen([*self.step_down, *map(str, command)], env=self.env, cwd=self.folder, stdin=subprocess.DEVNULL,
                                                  stdout=log, stderr=log, start_new_session=True)

    def start(self):
        for node in NODES:
            self.spawn(f"etcd-{node}", "etcd", "--config-file", self.folder / node / "etcd.yml")
        for node in NODES:
            self.start_node(node)
        haproxy = shutil.which("haproxy") or "/usr/sbin/haproxy"
        self.spawn("haproxy", haproxy, "-db", "-f", self.folder / "haproxy.cfg")
        self.wait_whole(180)
        self.wait_proxy(30)

    def start_node(self, node):
        self.spawn(f"patroni-{node}", self.python, "-m", "patroni", self.folder / node / "patroni.yml")

    def postmaster(self, node):
        """The process id of the node's PostgreSQL, if one runs."""
        try:
            pid = int((self.folder / node / "pg/postmaster.pid").read_text().split("\n", 1)[0])
            command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        return pid if str(self.folder / node).encode() in command else None

    def kill_node(self, node):
        """PostgreSQL and its Patroni go without a word, as a machine does."""
        pid, patroni = self.postmaster(node), self.running[f"patroni-{node}"]
        if pid is None:
            raise product.Trouble(f"{node} has no PostgreSQL to kill")
        os.kill(patroni.pid, signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)
        patroni.wait()

    def processes(self, node, title=b""):
        """PostgreSQL's processes of a node, those whose title holds the text."""
        postmaster, found = self.postmaster(node), []
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                pid, parent = int(folder.name), int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                if postmaster in (pid, parent) and title in (folder / "cmdline").read_bytes():
                    found.append(pid)
            except (OSError, ValueError):
                continue # it ended meanwhile
        return found

    def signal_node(self, node, number):
        """Stops or continues PostgreSQL and its Patroni: a machine that hangs, and comes back with what it believed."""
        for pid in [*self.processes(node), self.running[f"patroni-{node}"].pid]:
            os.kill(pid, number)

    def signal_receivers(self, nodes, number):
        """Stops or continues what brings the leader's log to these standbys."""
        for pid in [pid for node in nodes for pid in self.processes(node, b"walreceiver")]:
            os.kill(pid, number)

    def signal_etcd(self, nodes, number):
        for node in nodes:
            os.kill(self.running[f"etcd-{node}"].pid, number)

    def stop(self):
        for name, process in self.running.items():
            if name.startswith("patroni"): # first, so that nobody starts PostgreSQL again
                end(process)
        for node in NODES:
            for pid in self.processes(node):
                os.kill(pid, signal.SIGCONT)
            pid = self.postmaster(node)
            if pid is not None:
                os.kill(pid, signal.SIGQUIT)
        for process in self.running.values():
            end(process)
        deadline = time.monotonic() + 10
        for node in NODES:
            while self.postmaster(node) is not None and time.monotonic() < deadline:
                time.sleep(0.1)
            pid = self.postmaster(node)
            if pid is not None:
                os.kill(pid, signal.SIGKILL)

    # ---- what it says ----------------------------------------------------------------------

    def members(self):
        """Role and state of each member, from whoever answers."""
        for node in NODES:
            try:
                with urllib.request.urlopen(f"http://{HOST}:{self.rest[node]}/cluster", timeout=3) as answer:
                    return {m["name"]: m for m in json.load(answer)["members"]}
            except (OSError, ValueError, KeyError):
                continue
        return {}

    def leader(self):
        for node, member in self.members().items():
            if member["role"] == "leader" and member["state"] == "running":
                return node
        return None

    def is_whole(self):
        """One leads, two follow without delay, and one of these has every commit."""
        members = self.members()
        roles = sorted(m["role"] for m in members.values())
        return (len(members) == 3 and roles == ["leader", "replica", "sync_standby" if self.synchronous else "replica"]
                and all(m["state"] == ("running" if m["role"] == "leader" else "streaming") for m in members.values()))

    def wait_whole(self, seconds):
        began = time.monotonic()
        while time.monotonic() < began + seconds:
            for name, process in self.running.items():
                if process.poll() is not None and not name.startswith("patroni"):
                    raise product.Trouble(f"{name} ended with {process.returncode}:\n{self.tail(name)}")
            if self.is_whole():
                return time.monotonic() - began
            time.sleep(0.5)
        raise product.Trouble(f"the cluster is not whole after {seconds} s: {self.members()}\n" +
                              "\n".join(f"{n}:\n{self.tail(f'patroni-{n}')}" for n in NODES))

    def wait_proxy(self, seconds):
        """Until the proxy has found the leader too."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                product.psql(self.url("postgres"), "SELECT 1")
                return
            except product.Trouble:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def switchover(self, leader, candidate):
        code = "from patroni.ctl import ctl; ctl()"
        done = subprocess.run([*self.step_down, self.python, "-c", code, "-c", str(self.folder / leader / "patroni.yml"), "switchover", SCOPE,
                               "--leader", leader, "--candidate", candidate, "--force"],
                              env=self.env, cwd=self.folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
        if done.returncode:
            raise product.Trouble(f"patronictl switchover: {(done.stderr or done.stdout).strip()}")

    def url(self, database, user="postgres", password=None, port=None):
        return f"postgres://{user}:{password or self.password}@{HOST}:{port or self.port}/{database}"

    def tail(self, name):
        try:
            return "\n".join((self.folder / f"{name}.log").read_text("utf-8", "replace").splitlines()[-20:])
        except OSError:
            return ""


def end(process):
    """Ends a process of ours: politely, then not."""
    if process.poll() is not None:
        return
    try:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

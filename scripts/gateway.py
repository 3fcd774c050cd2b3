"""A `muster serve` under test or measurement: its databases, its tenants, its start and its end.

For scripts/crash and scripts/bench. Standard library only.
"""
import json
import os
import pathlib
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Trouble(Exception):
    """The surroundings failed, not what is measured; the text says what."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def psql(url, *statements):
    """Runs the statements and gives the rows of the last, each a tuple of texts."""
    command = ["psql", "-X", "-q", "-A", "-t", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", url]
    for statement in statements:
        command += ["-c", statement]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise Trouble(f"psql: {done.stderr.strip()}")
    return [tuple(line.split("\x1f")) for line in done.stdout.splitlines() if line]


def built(packages, profile="dev"):
    """The folder of the programs, after they were built: in one selection, since another compiles much anew."""
    selected = [argument for package in packages for argument in ("-p", package)]
    release = ["--release"] if profile == "release" else []
    subprocess.run(["cargo", "build", "--locked", "--bins", *release, *selected], cwd=ROOT, check=True)
    target = ROOT / os.environ.get("CARGO_TARGET_DIR", "target")
    return (target / ("release" if release else "debug")).resolve()


class Gateway:
    """One server on free ports, with an empty folder and, on PostgreSQL, empty databases of its own."""

    def __init__(self, binary, store, folder):
        self.binary, self.store, self.folder = str(pathlib.Path(binary).resolve()), store, pathlib.Path(folder)
        self.port, self.ops = free_port(), free_port()
        # Settings of whoever runs this must not reach the server.
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("MUSTER__", "OTEL_"))}
        self.env |= {"MUSTER__SERVER__LISTEN": f"127.0.0.1:{self.port}",
                     "MUSTER__OPS__LISTEN": f"127.0.0.1:{self.ops}",
                     "MUSTER__DATA_DIR": str(self.folder / "data"), "RUST_BACKTRACE": "0"}
        self.url = None
        if store == "postgres":
            server = os.environ["MUSTER_TEST_POSTGRES"]
            tag = secrets.token_hex(4)
            for part in ("registry", "us", "eu"):
                psql(server + "postgres", f'CREATE DATABASE "muster_{tag}_{part}"')
            self.url = f"{server}muster_{tag}_us"
            self.env |= {"MUSTER__REGISTRY__URL": f"{server}muster_{tag}_registry",
                         "MUSTER__REGIONS__US__STORE": self.url,
                         "MUSTER__REGIONS__EU__STORE": f"{server}muster_{tag}_eu"}
        self.process = None
        self.log = open(self.folder / "serve.log", "ab")

    @property
    def file(self):
        """The SQLite file of the region `us`."""
        return self.folder / "data" / "us.sqlite"

    def cli(self, *arguments):
        done = subprocess.run([self.binary, *arguments, "-o", "json"], env=self.env, cwd=self.folder,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)
        if done.returncode:
            raise Trouble(f"muster {' '.join(arguments)}: {(done.stderr or done.stdout).strip()}")
        return json.loads(done.stdout)

    def add_tenant(self, slug):
        """A tenant of the region `us` on the platform's host; its token."""
        self.cli("tenant", "create", slug, "--rate-limit", "off", "--name", slug, "--region", "us", "--population", "platform",
                 "--profile", "open", "--groups", "on")
        return self.cli("token", "create", slug, "--name", "load")["token"]

    @property
    def host(self):
        return f"app.localhost:{self.port}"

    def start(self, poll=0.005):
        """Starts the server; the seconds until it was ready."""
        began = time.monotonic()
        self.process = subprocess.Popen([self.binary, "serve"], env=self.env, cwd=self.folder,
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        while time.monotonic() < began + 60:
            if self.process.poll() is not None:
                raise Trouble(f"muster serve ended with {self.process.returncode}:\n{self.tail()}")
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.ops}/readyz", timeout=2) as answer:
                    if answer.status == 200:
                        return time.monotonic() - began
            except (urllib.error.URLError, OSError):
                pass
            time.sleep(poll)
        raise Trouble(f"muster serve was not ready within a minute:\n{self.tail()}")

    def stop(self):
        """Ends the server; it must drain and leave with 0."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Trouble(f"muster serve did not stop within 30 s of SIGTERM:\n{self.tail()}") from None
        if status != 0:
            raise Trouble(f"muster serve left with {status} after SIGTERM:\n{self.tail()}")

    def kill(self):
        """Ends the server as a lost machine would: without a word to it."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def tail(self):
        self.log.flush()
        lines = (self.folder / "serve.log").read_text("utf-8", "replace").splitlines()
        return "\n".join(lines[-30:])


def with_services(script, durable=False):
    """Runs the calling script again within scripts/services, unless it is there already."""
    if "MUSTER_TEST_POSTGRES" not in os.environ:
        if durable:
            os.environ["MUSTER_TEST_DURABLE"] = "1"
        services = str(ROOT / "scripts/services")
        os.execv(services, [services, sys.executable, os.path.abspath(script), *sys.argv[1:]])


def run(main, name):
    """Runs `main` so that a signal still ends the servers, and trouble is one line."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main())
    except Trouble as trouble:
        print(f"{name}: {trouble}", file=sys.stderr)
        sys.exit(1)

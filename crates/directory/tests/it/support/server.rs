//! A PostgreSQL server of a test's own: to be killed, stopped, restarted, and made a standby.

use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A server, ended with the value.
pub(crate) struct Server {
    folder: TempDir,
    pub(crate) port: u16,
    owner: Option<(u32, u32)>,
}

/// Where PostgreSQL's server programs are: Debian keeps them out of `PATH`, a folder for each version.
fn programs() -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.map(|entry| entry.unwrap().path().join("bin")).collect())
        .unwrap_or_default();
    found.retain(|folder| folder.join("initdb").exists());
    found.sort();
    found.pop().unwrap_or_default()
}

/// Whom a server runs as: root may not.
fn owner() -> Option<(u32, u32)> {
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        return None;
    }
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
    let line = ["postgres:", "nobody:"]
        .iter()
        .find_map(|name| passwd.lines().find(|line| line.starts_with(name)))
        .expect("root cannot run PostgreSQL, and there is no user postgres or nobody");
    let mut fields = line.split(':').skip(2).map(|field| field.parse().unwrap());
    Some((fields.next().unwrap(), fields.next().unwrap()))
}

impl Server {
    /// A running server with an empty database `us`, its data in a folder of its own.
    pub(crate) fn start(settings: &str) -> Self {
        let server = Self::prepared();
        let data = server.data();
        let data = data.to_str().unwrap();
        let initdb =
            ["-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "-N"];
        server.run("initdb", &initdb);
        let common = format!(
            "listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = ''\nfsync = off\nmax_connections = 60\nshared_buffers = '16MB'\n{settings}\n",
            server.port
        );
        server.append("postgresql.conf", &common);
        server.up();
        server.sql("CREATE DATABASE us");
        server
    }

    /// A standby of a server, which follows it.
    pub(crate) fn standby_of(primary: &Self) -> Self {
        let server = Self::prepared();
        let data = server.data();
        let from = format!("host=127.0.0.1 port={} user=postgres", primary.port);
        let copy = ["-D", data.to_str().unwrap(), "-R", "-X", "stream", "-c", "fast", "-d", &from];
        server.run("pg_basebackup", &copy);
        server.append("postgresql.conf", &format!("port = {}\n", server.port));
        server.up();
        server
    }

    fn prepared() -> Self {
        let folder = TempDir::with_prefix("muster-pg").unwrap();
        let owner = owner();
        if let Some((user, group)) = owner {
            std::os::unix::fs::chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        let private = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(folder.path(), private).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { folder, port, owner }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The log of the server.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// The URL of a database, under another port where something is in between.
    pub(crate) fn url_by(&self, port: u16) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/us")
    }

    pub(crate) fn url(&self) -> String {
        self.url_by(self.port)
    }

    fn append(&self, file: &str, text: &str) {
        let path = self.data().join(file);
        let before = std::fs::read_to_string(&path).unwrap_or_default();
        std::fs::write(&path, before + text).unwrap();
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = Command::new(programs().join(program));
        command.args(arguments).current_dir("/").stdin(Stdio::null()).stdout(Stdio::null());
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        let log = self.folder.path().join("programs");
        command.stderr(std::fs::File::create(&log).unwrap());
        let done = command.status().expect("PostgreSQL is installed");
        assert!(done.success(), "{program}: {}", std::fs::read_to_string(log).unwrap());
    }

    fn control(&self, arguments: &[&str]) {
        let (data, log) = (self.data(), self.folder.path().join("log"));
        let mut all = vec!["-D", data.to_str().unwrap(), "-l", log.to_str().unwrap(), "-w"];
        all.extend(arguments);
        self.run("pg_ctl", &all);
    }

    /// Starts the server, and waits until it takes connections.
    pub(crate) fn up(&self) {
        self.control(&["-t", "60", "start"]);
    }

    /// Ends the server as a failover does: connections are ended, the data is in order.
    pub(crate) fn stop(&self) {
        self.control(&["-m", "fast", "stop"]);
    }

    /// Kills the server and all its processes, which is what the end of a machine looks like.
    pub(crate) fn kill(&self) {
        let all = self.processes();
        self.signal("-KILL", &all);
        let pid = self.postmaster();
        while Path::new(&format!("/proc/{pid}")).exists() && !is_zombie(&pid) {
            std::hint::spin_loop();
        }
        std::fs::remove_file(self.data().join("postmaster.pid")).unwrap();
    }

    /// Holds the server and all its processes: connections stand, and nothing answers.
    pub(crate) fn pause(&self) {
        self.signal("-STOP", &self.processes());
    }

    /// Lets them go on.
    pub(crate) fn go_on(&self) {
        self.signal("-CONT", &self.processes());
    }

    /// Makes a standby the primary.
    pub(crate) fn promote(&self) {
        self.control(&["promote"]);
    }

    fn postmaster(&self) -> String {
        let file = std::fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        file.lines().next().unwrap().to_owned()
    }

    /// The server's process, and those that it made.
    fn processes(&self) -> Vec<String> {
        let parent = self.postmaster();
        let children = format!("/proc/{parent}/task/{parent}/children");
        let children = std::fs::read_to_string(children).unwrap();
        let mut all = vec![parent];
        all.extend(children.split_whitespace().map(str::to_owned));
        all
    }

    fn signal(&self, signal: &str, processes: &[String]) {
        // One that has just ended is no reason to fail.
        let sent = Command::new("kill").arg(signal).args(processes).stderr(Stdio::null()).status();
        assert!(sent.is_ok());
    }

    /// Runs SQL beside everything else, and gives what it answers.
    pub(crate) fn sql(&self, sql: &str) -> String {
        self.sql_in("postgres", sql)
    }

    pub(crate) fn sql_in(&self, database: &str, sql: &str) -> String {
        let url = format!("postgres://postgres@127.0.0.1:{}/{database}", self.port);
        let done = Command::new("psql")
            .args(["-q", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", &url, "-c", sql])
            .output()
            .expect("psql is installed");
        assert!(done.status.success(), "{sql}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }
}

fn is_zombie(pid: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    status.contains(") Z ")
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.data().join("postmaster.pid").exists() {
            self.go_on();
            let data = self.data();
            let mut command = Command::new(programs().join("pg_ctl"));
            command.args(["-D", data.to_str().unwrap(), "-m", "immediate", "-w", "stop"]);
            if let Some((user, group)) = self.owner {
                command.uid(user).gid(group);
            }
            drop(command.current_dir("/").stdout(Stdio::null()).stderr(Stdio::null()).status());
        }
    }
}

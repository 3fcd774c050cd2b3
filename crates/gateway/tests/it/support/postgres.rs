//! A PostgreSQL server of a test's own, whose folder holds everything that it has ever written.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A server, ended with the value.
pub(crate) struct Postgres {
    folder: TempDir,
    port: u16,
    owner: Option<(u32, u32)>,
}

/// Where PostgreSQL's server programs are: Debian keeps them out of `PATH`, a folder for each version.
fn programs() -> PathBuf {
    let entries = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path().join("bin")).collect();
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

impl Postgres {
    pub(crate) fn start() -> Self {
        let folder = TempDir::with_prefix("muster-pg").unwrap();
        let owner = owner();
        if let Some((user, group)) = owner {
            std::os::unix::fs::chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        let private = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(folder.path(), private).unwrap();
        let server = Self { folder, port: super::redis::free_port(), owner };
        let (data, log) = (server.data(), server.folder().join("log"));
        let (data, log) = (data.to_str().unwrap(), log.to_str().unwrap());
        let how = ["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "-N"];
        server.run("initdb", &[&["-D", data], &how[..]].concat());
        let options = format!(
            "-F -c listen_addresses=127.0.0.1 -c port={} -c unix_socket_directories= -c shared_buffers=16MB",
            server.port
        );
        server.run("pg_ctl", &["-D", data, "-l", log, "-w", "-t", "60", "-o", &options, "start"]);
        server
    }

    /// The URL of its one database.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Everything that it has written: tables, indexes, the write-ahead log, its own log.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes what it holds in memory.
    pub(crate) fn checkpoint(&self) {
        let done =
            Command::new("psql").args(["-q", "-X", "-c", "CHECKPOINT", &self.url()]).status();
        assert!(done.expect("psql is installed").success());
    }

    fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(programs().join(program));
        command.args(arguments).current_dir("/").stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let status = self.command(program, arguments).status().expect("PostgreSQL is installed");
        assert!(status.success(), "{program} failed");
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.data();
        let stop = ["-D", data.to_str().unwrap(), "-m", "immediate", "-w", "stop"];
        self.command("pg_ctl", &stop).status().ok();
    }
}

//! Databases for one test, made and dropped with it.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use tempfile::TempDir;

#[expect(
    clippy::disallowed_methods,
    reason = "tests are told by the environment which store to use"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The registry and a store for each region.
pub(crate) struct Stores {
    folder: Arc<TempDir>,
    server: Option<Server>,
    regions: Vec<String>,
}

struct Server {
    url: String,
    prefix: String,
    names: Vec<String>,
}

impl Stores {
    /// Empty ones. `us/1` is the shard `1` of `us`.
    pub(crate) fn new(regions: &[&str]) -> Self {
        let folder = Arc::new(TempDir::new().unwrap());
        let regions: Vec<String> = regions.iter().map(|region| (*region).to_owned()).collect();
        let server = match variable("MUSTER_TEST_STORE").as_deref() {
            None | Some("sqlite") => None,
            Some("postgres") => Some(Server::new(&regions)),
            Some(other) => panic!("MUSTER_TEST_STORE is {other:?}; it may be sqlite or postgres"),
        };
        Self { folder, server, regions }
    }

    /// The settings that name them.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let data_dir = self.folder.path().display().to_string();
        let mut all = vec![("MUSTER__DATA_DIR".to_owned(), data_dir.clone())];
        for name in self.regions.iter().filter(|name| name.contains('/')) {
            let file = || format!("sqlite:{data_dir}/{}.sqlite", name.replace('/', "-"));
            let url = self.server.as_ref().map_or_else(file, |server| server.url_of(name));
            let (region, shard) = name
                .to_uppercase()
                .split_once('/')
                .map(|(a, b)| (a.to_owned(), b.to_owned()))
                .unwrap();
            all.push((format!("MUSTER__REGIONS__{region}__SHARDS__{shard}"), url));
        }
        if let Some(server) = &self.server {
            all.push(("MUSTER__REGISTRY__URL".to_owned(), server.url_of("registry")));
            for region in self.regions.iter().filter(|name| !name.contains('/')) {
                let key = format!("MUSTER__REGIONS__{}__STORE", region.to_uppercase());
                all.push((key, server.url_of(region)));
            }
        }
        all
    }

    /// Settings that name a file for each region that has no database on the server: the program makes none beside a server that it
    /// was not told of. Who names no region names them all by settings.
    pub(crate) fn files(&self) -> Vec<(String, String)> {
        let others =
            ["us", "eu"].into_iter().filter(|name| !self.regions.iter().any(|r| r == name));
        let named = others.map(|name| {
            let file = self.folder.path().join(format!("{name}.sqlite"));
            (
                format!("MUSTER__REGIONS__{}__STORE", name.to_uppercase()),
                format!("sqlite:{}", file.display()),
            )
        });
        if self.server.is_some() && !self.regions.is_empty() { named.collect() } else { Vec::new() }
    }

    /// The same ones for another node, which does not end them.
    pub(crate) fn borrowed(&self) -> Self {
        let server = self.server.as_ref().map(|server| Server {
            url: server.url.clone(),
            prefix: server.prefix.clone(),
            names: Vec::new(),
        });
        let folder = Arc::clone(&self.folder);
        Self { folder, server, regions: self.regions.clone() }
    }

    /// The folder of everything that is a file.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Takes the registry's database away, whoever is connected to it.
    pub(crate) fn take_registry_away(&self) {
        let Some(server) = &self.server else { return self.rename("registry", "away") };
        let name = format!("{}_registry", server.prefix);
        server.run(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
        server.run(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        ));
    }

    /// Brings it back.
    pub(crate) fn bring_registry_back(&self) {
        let Some(server) = &self.server else { return self.rename("away", "registry") };
        server.run(&format!("ALTER DATABASE {}_registry ALLOW_CONNECTIONS true", server.prefix));
    }

    fn rename(&self, from: &str, to: &str) {
        // The database comes last, so that nobody makes another journal for it.
        for end in ["-shm", "-wal", ""] {
            let path = self.folder.path().join(format!("{from}.sqlite{end}"));
            if path.exists() {
                std::fs::rename(path, self.folder.path().join(format!("{to}.sqlite{end}")))
                    .unwrap();
            }
        }
    }

    /// Whether the stores are files.
    pub(crate) fn are_files(&self) -> bool {
        self.server.is_none()
    }

    /// Every byte of the registry, or of a region's store.
    pub(crate) fn bytes_of(&self, name: &str) -> Vec<u8> {
        if let Some(server) = &self.server {
            let dump = Command::new("pg_dump").arg(server.url_of(name)).output().unwrap();
            assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
            return dump.stdout;
        }
        let mut bytes = Vec::new();
        for entry in std::fs::read_dir(self.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap().to_str().unwrap().starts_with(name) {
                bytes.extend(std::fs::read(path).unwrap());
            }
        }
        bytes
    }
}

impl Server {
    fn new(regions: &[String]) -> Self {
        let url = variable("MUSTER_TEST_POSTGRES").expect(
            "MUSTER_TEST_STORE is postgres, and MUSTER_TEST_POSTGRES (postgres://user@host:port/) is not set",
        );
        let server = Self {
            url: url.trim_end_matches('/').to_owned(),
            prefix: format!("muster_test_{}", uuid::Uuid::new_v4().simple()),
            names: regions
                .iter()
                .map(|name| name.replace('/', "_"))
                .chain(["registry".to_owned()])
                .collect(),
        };
        server.administer("CREATE DATABASE", "");
        server
    }

    fn url_of(&self, name: &str) -> String {
        format!("{}/{}_{}", self.url, self.prefix, name.replace('/', "_"))
    }

    fn administer(&self, what: &str, how: &str) {
        let of = |name| format!("{what} {}_{name}{how}", self.prefix);
        self.run_all(&self.names.iter().map(of).collect::<Vec<_>>());
    }

    fn run(&self, sql: &str) {
        self.run_all(&[sql.to_owned()]);
    }

    fn run_all(&self, statements: &[String]) {
        let mut psql = Command::new("psql");
        psql.args(["-q", "-X", "-v", "ON_ERROR_STOP=1"]).arg(format!("{}/postgres", self.url));
        for sql in statements {
            psql.args(["-c", sql]);
        }
        let done = psql.output().expect("psql is installed");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A test that fails leaves its databases to the test server's end.
        if !self.names.is_empty() && !std::thread::panicking() {
            self.administer("DROP DATABASE", " WITH (FORCE)");
        }
    }
}

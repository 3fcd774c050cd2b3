//! `[log]`: how the log is written.

use super::values::Values;
use tracing_subscriber::filter::{LevelFilter, Targets};

/// How the log is written.
#[derive(Debug, Clone)]
pub struct LogSettings {
    /// Its form.
    pub format: LogFormat,
    /// What is written: a level, or levels by module.
    pub level: Targets,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Text,
    /// For machines.
    Json,
}

pub(super) fn read(values: &mut Values) -> LogSettings {
    let format = values.parsed("log.format", "auto, text or json", |text| match text {
        "auto" => Some(LogFormat::Auto),
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    });
    let expected = "off, error, warn, info, debug or trace, or such levels by module as in info,directory=debug";
    let level = values.parsed("log.level", expected, targets);
    LogSettings {
        format: format.unwrap_or(LogFormat::Auto),
        level: level.unwrap_or_else(|| {
            with_quiet_libraries(&Targets::new().with_default(LevelFilter::INFO))
        }),
    }
}

fn targets(text: &str) -> Option<Targets> {
    // A lone word that is no level would be taken for the name of a module.
    let whole = text.split(',').all(|part| match part.split_once('=') {
        Some((module, level)) => !module.trim().is_empty() && is_level(level),
        None => is_level(part),
    });
    whole.then(|| text.parse().ok().map(|asked| with_quiet_libraries(&asked)))?
}

/// The server library tells at `info` what our own lines tell better; asked for by name, it is heard.
fn with_quiet_libraries(asked: &Targets) -> Targets {
    let quiet = ["actix_server", "actix_http"].map(|name| (name.to_owned(), LevelFilter::WARN));
    let lower = |(name, level): (String, LevelFilter)| {
        (name, asked.default_level().map_or(level, |default| level.min(default)))
    };
    let mut all = Targets::new();
    all.extend(quiet.map(lower));
    all.extend(asked.iter().map(|(name, level)| (name.to_owned(), level)));
    asked.default_level().map_or(all.clone(), |level| all.with_default(level))
}

fn is_level(text: &str) -> bool {
    ["off", "error", "warn", "info", "debug", "trace"].contains(&text.trim())
}

//! Answers on standard output, failures on standard error.

use super::Format;
use serde_json::Value;
use std::io::{ErrorKind, Write};

/// How a command answers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    format: Format,
}

impl Output {
    pub(super) fn new(format: Format) -> Self {
        Self { format }
    }

    pub(super) fn is_json(self) -> bool {
        self.format == Format::Json
    }

    /// Writes one line, at once.
    #[expect(clippy::unused_self, reason = "who holds an Output may write; nobody else does")]
    pub(super) fn line(self, text: &str) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        match writeln!(out, "{text}").and_then(|()| out.flush()) {
            // The reader went away, as `head` does.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            other => Ok(other?),
        }
    }

    /// Writes the JSON object or the lines, as was asked.
    pub(super) fn answer(self, json: &Value, lines: &[String]) -> anyhow::Result<()> {
        if self.is_json() {
            return self.line(&json.to_string());
        }
        lines.iter().try_for_each(|line| self.line(line))
    }
}

/// Writes a failure.
pub(super) fn error(text: &str) {
    // Nobody is left to tell when standard error is gone.
    writeln!(std::io::stderr().lock(), "muster: {text}").ok();
}

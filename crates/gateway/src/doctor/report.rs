//! What was tried, what was found, and what a person must do.

use serde_json::{Value, json};

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As it must be.
    Pass,
    /// It works, and somebody should look at it.
    Warn,
    /// Provisioning does not work so.
    Fail,
    /// Not tried.
    Skip,
}

impl Verdict {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Skip => "skip",
        }
    }
}

/// One check and how it came out.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The check, such as `okta.unknown_user`.
    pub id: &'static str,
    /// What was looked at: a base URL, a store, a tenant.
    pub at: String,
    /// What was tried.
    pub tried: String,
    /// How it came out.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What a person must do; nothing when it is as it must be.
    pub fix: Option<String>,
}

/// A check of which it is not said yet how it came out.
#[derive(Debug, Clone)]
pub(super) struct Check<'a> {
    pub(super) id: &'static str,
    pub(super) at: &'a str,
    pub(super) tried: String,
}

impl<'a> Check<'a> {
    pub(super) fn new(id: &'static str, at: &'a str, tried: impl Into<String>) -> Self {
        Self { id, at, tried: tried.into() }
    }

    pub(super) fn pass(self, found: impl Into<String>) -> Finding {
        self.finding(Verdict::Pass, found.into(), None)
    }

    pub(super) fn warn(self, found: impl Into<String>, fix: impl Into<String>) -> Finding {
        self.finding(Verdict::Warn, found.into(), Some(fix.into()))
    }

    pub(super) fn fail(self, found: impl Into<String>, fix: impl Into<String>) -> Finding {
        self.finding(Verdict::Fail, found.into(), Some(fix.into()))
    }

    pub(super) fn skip(self, why: impl Into<String>) -> Finding {
        self.finding(Verdict::Skip, why.into(), None)
    }

    fn finding(self, verdict: Verdict, found: String, fix: Option<String>) -> Finding {
        Finding { id: self.id, at: self.at.to_owned(), tried: self.tried, verdict, found, fix }
    }
}

/// All that was found.
#[derive(Debug)]
pub struct Report {
    /// The tenant's short name, when it is about one.
    pub tenant: Option<String>,
    /// Every check, in the order of the run.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether nothing failed.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.count(Verdict::Fail) == 0
    }

    /// How many came out so.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.findings.iter().filter(|finding| finding.verdict == verdict).count()
    }

    /// The finding of a check.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.id == id)
    }

    /// The report as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let checks = self.findings.iter().map(|finding| {
            json!({
                "check": finding.id,
                "at": finding.at,
                "tried": finding.tried,
                "verdict": finding.verdict.as_str(),
                "found": finding.found,
                "fix": finding.fix,
            })
        });
        json!({
            "tenant": self.tenant,
            "good": self.is_good(),
            "pass": self.count(Verdict::Pass),
            "warn": self.count(Verdict::Warn),
            "fail": self.count(Verdict::Fail),
            "skip": self.count(Verdict::Skip),
            "checks": checks.collect::<Vec<_>>(),
        })
    }

    /// The report for people: what is to be done is said once more at the end.
    #[must_use]
    pub fn to_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut last = "";
        for finding in &self.findings {
            if finding.at != last {
                if !lines.is_empty() {
                    lines.push(String::new());
                }
                lines.push(finding.at.clone());
                last = &finding.at;
            }
            let word = finding.verdict.as_str();
            lines.push(format!("  {word}  {:<24} {}", finding.id, finding.tried));
            lines.push(format!("        {}", finding.found));
        }
        let mut fixes: Vec<(Verdict, &str)> = Vec::new();
        for finding in &self.findings {
            if let Some(fix) = &finding.fix
                && !fixes.iter().any(|(_, known)| known == fix)
            {
                fixes.push((finding.verdict, fix));
            }
        }
        if !fixes.is_empty() {
            lines.extend([String::new(), "To do".to_owned()]);
            lines.extend(
                fixes.iter().map(|(verdict, fix)| format!("  {}  {fix}", verdict.as_str())),
            );
        }
        lines.push(String::new());
        lines.push(format!(
            "{} passed, {} to look at, {} failed, {} not tried",
            self.count(Verdict::Pass),
            self.count(Verdict::Warn),
            self.count(Verdict::Fail),
            self.count(Verdict::Skip),
        ));
        lines
    }
}

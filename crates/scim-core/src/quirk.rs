//! Every tolerated deviation from the RFCs, which of them apply to a tenant, and which were met.
//!
//! **Invariant**: code that bends a rule does so through [`Tolerance::bend`] under a [`Quirk`], which notes it. A
//! strict tenant refuses exactly the quirks that it names, and nothing else differs.

mod table;

use crate::error::{ErrorKind, ScimError};
use std::collections::BTreeSet;
use std::fmt;

pub use table::Quirk;

impl Quirk {
    /// The quirk with this id.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|quirk| quirk.id() == id)
    }
}

/// Which deviations a tenant tolerates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tolerance {
    refused: BTreeSet<Quirk>,
}

impl Tolerance {
    /// Tolerates everything but the quirks named.
    #[must_use]
    pub fn all_but(refused: impl IntoIterator<Item = Quirk>) -> Self {
        Self { refused: refused.into_iter().collect() }
    }

    /// Refuses every quirk.
    #[must_use]
    pub fn strict() -> Self {
        Self::all_but(Quirk::ALL.iter().copied())
    }

    /// What is refused: `all`, `none`, or ids between commas, as [`Tolerance`] is printed.
    ///
    /// # Errors
    /// `invalidValue` when a word is no quirk's id.
    pub fn parse(text: &str) -> Result<Self, ScimError> {
        match text.trim() {
            "none" | "" => return Ok(Self::default()),
            "all" => return Ok(Self::strict()),
            _ => {}
        }
        let quirks = text.split(',').map(str::trim).map(|id| {
            Quirk::parse(id).ok_or_else(|| {
                let id = crate::document::check::shown(id);
                let detail =
                    format!("{id} is not a quirk; name all, none, or ids such as Q-op-case.");
                ScimError::new(ErrorKind::InvalidValue, detail)
            })
        });
        quirks.collect::<Result<_, _>>().map(|refused| Self { refused })
    }

    /// Whether this deviation is tolerated.
    #[must_use]
    pub fn allows(&self, quirk: Quirk) -> bool {
        !self.refused.contains(&quirk)
    }

    /// Notes a deviation that was met.
    ///
    /// # Errors
    /// What `refusal` says, where the tenant does not tolerate it.
    pub fn bend(
        &self,
        quirk: Quirk,
        notes: &mut Notes,
        refusal: impl FnOnce() -> ScimError,
    ) -> Result<(), ScimError> {
        if !self.allows(quirk) {
            return Err(refusal());
        }
        notes.met(quirk);
        Ok(())
    }
}

impl fmt::Display for Tolerance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.refused.is_empty() {
            return f.write_str("none");
        }
        if self.refused.len() == Quirk::ALL.len() {
            return f.write_str("all");
        }
        let ids: Vec<&str> = self.refused.iter().map(|quirk| quirk.id()).collect();
        f.write_str(&ids.join(","))
    }
}

/// What was tolerated and what was passed over while one request was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    quirks: BTreeSet<Quirk>,
    ignored: BTreeSet<String>,
}

impl Notes {
    /// Notes that a deviation was met.
    pub fn met(&mut self, quirk: Quirk) {
        self.quirks.insert(quirk);
    }

    /// Notes that an attribute was accepted and not kept.
    pub fn ignored(&mut self, attribute: impl Into<String>) {
        self.ignored.insert(attribute.into());
    }

    /// The deviations met.
    pub fn quirks(&self) -> impl Iterator<Item = Quirk> + '_ {
        self.quirks.iter().copied()
    }

    /// The names of the attributes passed over.
    pub fn ignored_attributes(&self) -> impl Iterator<Item = &str> + '_ {
        self.ignored.iter().map(String::as_str)
    }

    /// Takes over what `other` noted.
    pub fn absorb(&mut self, other: Self) {
        self.quirks.extend(other.quirks);
        self.ignored.extend(other.ignored);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_found() {
        let ids: BTreeSet<&str> = Quirk::ALL.iter().map(|quirk| quirk.id()).collect();
        assert_eq!(ids.len(), Quirk::ALL.len());
        for quirk in Quirk::ALL {
            assert_eq!(Quirk::parse(quirk.id()), Some(*quirk));
            assert!(quirk.id().starts_with("Q-") && quirk.summary().ends_with('.'));
            assert!(quirk.clause().starts_with("RFC ") && !quirk.clients().is_empty());
        }
        assert_eq!(Quirk::parse("Q-bearer-case"), None);
    }

    #[test]
    fn a_tolerance_reads_as_it_is_printed() {
        for text in ["all", "none", "Q-unknown-attribute", "Q-bool-string,Q-op-case"] {
            assert_eq!(Tolerance::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(
            Tolerance::parse(" Q-op-case , Q-bool-string ").unwrap().to_string(),
            "Q-bool-string,Q-op-case"
        );
        let every: Vec<&str> = Quirk::ALL.iter().map(|quirk| quirk.id()).collect();
        assert_eq!(Tolerance::parse(&every.join(",")).unwrap(), Tolerance::strict());
        for wrong in ["some", "Q-op-case,", "Q-op-case;Q-bool-string"] {
            assert_eq!(
                Tolerance::parse(wrong).unwrap_err().kind(),
                ErrorKind::InvalidValue,
                "{wrong}"
            );
        }
    }
}

//! What a token may be used for.
//!
//! **Invariant**: a set that names no operation allows all of them, and one that names no resource all of those; so an empty
//! set is everything.

use std::fmt;

/// What is worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// `/Users`.
    Users,
    /// `/Groups`.
    Groups,
}

/// What is done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// GET and lists.
    Read,
    /// POST.
    Create,
    /// PUT and PATCH.
    Update,
    /// PUT and PATCH that change `active` alone.
    Deactivate,
    /// DELETE.
    Delete,
}

const WORDS: [(&str, u8); 7] = [
    ("read", 1),
    ("create", 1 << 1),
    ("update", 1 << 2),
    ("deactivate", 1 << 3),
    ("delete", 1 << 4),
    ("users", 1 << 5),
    ("groups", 1 << 6),
];
const OPERATIONS: u8 = 0b1_1111;
const RESOURCES: u8 = 0b110_0000;

/// A set of operations and resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scopes(u8);

/// A word that is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no scope; there are read, create, update, deactivate, delete, users, groups and all"
)]
pub struct ScopesError(String);

impl Scopes {
    /// Everything.
    pub const ALL: Self = Self(OPERATIONS | RESOURCES);

    /// Parses words between commas or spaces: `read,users`. Nothing, and `all`, is everything.
    ///
    /// # Errors
    /// On a word that is no scope.
    pub fn parse(text: &str) -> Result<Self, ScopesError> {
        let mut bits = 0;
        for word in text.split([',', ' ']).filter(|word| !word.is_empty()) {
            if word == "all" {
                bits |= Self::ALL.0;
                continue;
            }
            let known = WORDS.iter().find(|(name, _)| *name == word);
            let (_, bit) = known.ok_or_else(|| ScopesError(word.to_owned()))?;
            bits |= bit;
        }
        if bits & OPERATIONS == 0 {
            bits |= OPERATIONS;
        }
        if bits & RESOURCES == 0 {
            bits |= RESOURCES;
        }
        Ok(Self(bits))
    }

    /// Whether the operation on the resource is in the set. Updating includes deactivating.
    #[must_use]
    pub fn allows(self, resource: Resource, operation: Operation) -> bool {
        let resource = match resource {
            Resource::Users => 1 << 5,
            Resource::Groups => 1 << 6,
        };
        let operation = match operation {
            Operation::Read => 1,
            Operation::Create => 1 << 1,
            Operation::Update => 1 << 2,
            Operation::Deactivate => (1 << 2) | (1 << 3),
            Operation::Delete => 1 << 4,
        };
        self.0 & resource != 0 && self.0 & operation != 0
    }

    /// What is in both sets, which may be nothing.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether the set has everything of another one.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.and(other) == other
    }

    /// Whether nothing at all can be done: no operation, or on no resource.
    #[must_use]
    pub fn allow_nothing(self) -> bool {
        self.0 & OPERATIONS == 0 || self.0 & RESOURCES == 0
    }

    pub(crate) fn bits(self) -> u8 {
        self.0
    }

    pub(crate) fn from_bits(bits: u8) -> Self {
        Self(bits & Self::ALL.0)
    }

    /// The words of the set.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        WORDS.iter().filter(move |(_, bit)| self.0 & bit != 0).map(|(name, _)| *name)
    }
}

impl Default for Scopes {
    fn default() -> Self {
        Self::ALL
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ALL {
            return f.write_str("all");
        }
        f.write_str(&self.words().collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::{Operation, Resource, Scopes};

    #[test]
    fn nothing_is_everything() {
        for text in ["", "all", " , ", "read,create,update,deactivate,delete,users,groups"] {
            assert_eq!(Scopes::parse(text), Ok(Scopes::ALL), "{text:?}");
        }
        assert_eq!(Scopes::ALL.to_string(), "all");
    }

    #[test]
    fn a_set_allows_what_it_names_and_prints_as_it_parses() {
        let set = Scopes::parse("users,read").unwrap();
        assert!(set.allows(Resource::Users, Operation::Read));
        assert!(!set.allows(Resource::Users, Operation::Create));
        assert!(!set.allows(Resource::Groups, Operation::Read));
        assert_eq!(set.to_string(), "read,users");
        assert_eq!(Scopes::parse(&set.to_string()), Ok(set));
    }

    #[test]
    fn updating_includes_deactivating_and_not_the_reverse() {
        let update = Scopes::parse("update").unwrap();
        assert!(update.allows(Resource::Users, Operation::Deactivate));
        let deactivate = Scopes::parse("deactivate").unwrap();
        assert!(deactivate.allows(Resource::Users, Operation::Deactivate));
        assert!(!deactivate.allows(Resource::Users, Operation::Update));
    }

    #[test]
    fn an_unknown_word_is_refused_by_name() {
        assert!(Scopes::parse("read,Write").unwrap_err().to_string().contains("\"Write\""));
    }
}

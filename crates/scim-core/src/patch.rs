//! PATCH (RFC 7644 §3.5.2): operations applied to a copy, all of them or none.
//!
//! **Invariant**: nothing but [`PatchRequest::apply`] changes a document, and it is judged by its result, so that two
//! operations may depend on each other in any order.
//!
//! ```
//! use scim_core::{Attributes, Document, FilterLimits, JsonLimits, Notes, PatchLimits};
//! use scim_core::{PatchRequest, ResourceType, Tolerance};
//!
//! let json = JsonLimits { depth: 64, array_values: 10_000 };
//! let limits =
//!     PatchLimits { operations: 1000, members: 10_000, filter: FilterLimits::default() };
//! let (of, tolerance, mut notes) =
//!     (ResourceType::user(), Tolerance::default(), Notes::default());
//!
//! let body = br#"{"Operations": [{"op": "Replace", "path": "active", "value": "False"}]}"#;
//! let request =
//!     PatchRequest::parse(&Attributes::parse(body, &json)?, &limits, &tolerance, &mut notes)?;
//! let before = Document::stored(r#"{"userName": "ada", "active": true}"#)?;
//! let after = request.apply(&before, of, &tolerance, &mut notes)?;
//! assert_eq!(after.changed_since(&before, of), ["active"]);
//! # Ok::<(), scim_core::ScimError>(())
//! ```

mod apply;
pub(crate) mod chosen;
mod edit;
mod list;
mod members;
mod parse;
mod path;
mod role;
mod selected;

use crate::document::Document;
use crate::error::ScimError;
use crate::filter::{Condition, FilterLimits, ValuePath};
use crate::group::Member;
use crate::quirk::{Notes, Tolerance};
use crate::schema::ResourceType;
use serde_json::{Map, Value};

/// A PATCH body, read and in order.
#[derive(Debug, Clone, PartialEq)]
pub struct PatchRequest {
    operations: Vec<Operation>,
    limits: PatchLimits,
}

/// How much one PATCH may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PatchLimits {
    /// Operations in one request.
    pub operations: usize,
    /// Members named in one request.
    pub members: usize,
    /// The filter inside of a path.
    pub filter: FilterLimits,
}

/// One step over the membership rows of a group; steps run in order.
#[derive(Debug, Clone, PartialEq)]
pub enum MemberStep {
    /// Members named by their id. No id is in both lists.
    Change {
        /// Take all members out first.
        clear: bool,
        /// Then put these in, unless they are there.
        add: Vec<Member>,
        /// And take these out, if they are there.
        remove: Vec<String>,
    },
    /// Take out the members that hold a condition on `value`, `type`, `display` or `$ref`.
    RemoveWhere(Condition),
}

/// What an operation does (RFC 7644 §3.5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Add,
    Replace,
    Remove,
}

#[derive(Debug, Clone, PartialEq)]
struct Operation {
    /// Its place in the request, counted from 1.
    number: usize,
    verb: Verb,
    at: At,
}

#[derive(Debug, Clone, PartialEq)]
enum At {
    /// No path: the keys of the value say where its parts go. The verb is not `remove`.
    Resource(Map<String, Value>),
    /// A path. The value is there unless the verb is `remove`.
    Path(Box<ValuePath>, Option<Value>),
}

impl PatchRequest {
    /// Reads a PATCH body.
    ///
    /// # Errors
    /// `invalidSyntax` when it is not a PATCH; `invalidPath`, `invalidFilter`, `noTarget` or `invalidValue` when a
    /// path or value cannot be read. The text names the operation.
    pub fn parse(
        body: &crate::Attributes,
        limits: &PatchLimits,
        tolerance: &Tolerance,
        notes: &mut Notes,
    ) -> Result<Self, ScimError> {
        parse::request(body, limits, tolerance, notes)
    }

    /// Applies all operations to a copy of `document`: all or nothing.
    ///
    /// # Errors
    /// As RFC 7644 §3.5.2 says, for the first operation that fails; the text names it. `mutability` when all of them
    /// take a required attribute away, and as [`Document::check_required`] when what they bring lacks one.
    pub fn apply(
        &self,
        document: &Document,
        of: &ResourceType,
        tolerance: &Tolerance,
        notes: &mut Notes,
    ) -> Result<Document, ScimError> {
        let mut draft = apply::Draft::of(document, of, &self.limits, tolerance, notes);
        for operation in &self.operations {
            draft.run(operation).map_err(|error| error.in_operation(operation.number))?;
        }
        let after = draft.finish();
        after.check_still_required(document, of)?;
        Ok(after)
    }

    /// Refuses an `id` that is not the resource's own (RFC 7643 §3.1). Okta sends the own one with every rename.
    ///
    /// # Errors
    /// `mutability`.
    pub fn check_id(&self, own_id: &str) -> Result<(), ScimError> {
        parse::check_id(self, own_id)
    }

    /// Takes the operations on a group's membership out, in order; the rest is for [`PatchRequest::apply`].
    ///
    /// # Errors
    /// `mutability` for another `id` than `own_id`; `invalidValue` for a member without id or too many members.
    pub fn split_members(
        self,
        own_id: &str,
        tolerance: &Tolerance,
        notes: &mut Notes,
    ) -> Result<(Self, Vec<MemberStep>), ScimError> {
        self.check_id(own_id)?;
        members::split(self, tolerance, notes)
    }

    /// Whether there is no operation.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }
}

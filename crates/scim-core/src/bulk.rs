//! Bulk requests (RFC 7644 §3.7): many operations in one body, with references between them.
//!
//! An operation that cannot be read does not spoil the others: it is answered with its own error. A text that is
//! `bulkId:` and a name is a reference where the id of a resource stands: in `path`, and in the `data` as the module
//! `reference` tells.
//!
//! **Invariant**: what is read here is within [`BulkLimits`]; the order of the operations is computed from the request
//! alone.

mod order;
mod parse;
mod reference;

pub use order::Step;

use crate::attributes::Attributes;
use crate::error::ScimError;
use crate::quirk::{Notes, Tolerance};
use serde_json::{Map, Value};
use std::collections::{BTreeSet, HashMap};

/// How much one bulk request may hold.
#[derive(Debug, Clone, Copy)]
pub struct BulkLimits {
    /// Operations; more is 413 (RFC 7644 §3.7.4).
    pub operations: usize,
    /// Values in one array of an operation's `data`; more refuses the operation.
    pub array_values: usize,
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Makes a resource.
    Post,
    /// Replaces one.
    Put,
    /// Changes one.
    Patch,
    /// Deletes one.
    Delete,
}

/// Where an operation works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// `/Users`.
    Users,
    /// `/Groups`.
    Groups,
}

/// The resource that a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// None: it is to be made.
    New,
    /// By its id.
    Id(String),
    /// The one that the operation of this index makes.
    MadeBy(usize),
}

/// One operation, as far as it could be read.
#[derive(Debug, Clone)]
pub struct BulkOperation {
    /// The method, as the answer repeats it.
    pub method: String,
    /// The client's name for the operation.
    pub bulk_id: Option<String>,
    /// What is to be done, or why it cannot be told.
    pub task: Result<Task, ScimError>,
}

/// What one operation is to do.
#[derive(Debug, Clone)]
pub struct Task {
    /// What it does.
    pub method: Method,
    /// Where.
    pub endpoint: Endpoint,
    /// To what.
    pub named: Named,
    /// The version that it is for: an `If-Match`.
    pub version: Option<String>,
    data: Map<String, Value>,
    /// The operations whose resources the data names.
    needs: BTreeSet<usize>,
}

/// A bulk request. Operations are known by their index, counted from 0.
#[derive(Debug, Clone)]
pub struct BulkRequest {
    /// After how many errors the rest is left undone; `None`: never.
    pub fail_on_errors: Option<usize>,
    /// The operations, in the order of the request.
    pub operations: Vec<BulkOperation>,
    /// The operations that make something, by their bulkId.
    made: HashMap<String, usize>,
}

impl Method {
    /// The method of HTTP.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// What the data of such an operation is.
    fn place(self) -> reference::Place {
        match self {
            Self::Patch => reference::Place::Patch,
            Self::Post | Self::Put | Self::Delete => reference::Place::Resource,
        }
    }
}

impl Task {
    /// The operations whose resources this one names, in its data or in its path.
    pub fn needs(&self) -> impl Iterator<Item = usize> + '_ {
        let path = if let Named::MadeBy(index) = self.named { Some(index) } else { None };
        self.needs.iter().copied().chain(path)
    }
}

impl BulkRequest {
    /// Reads a bulk request.
    ///
    /// # Errors
    /// `invalidSyntax` for another message, `invalidValue` for a `failOnErrors` that is no number, `TooLarge` for too
    /// many operations. What is wrong with one operation is said of that one.
    pub fn parse(
        body: &Attributes,
        limits: &BulkLimits,
        tolerance: &Tolerance,
        notes: &mut Notes,
    ) -> Result<Self, ScimError> {
        parse::request(body, limits, tolerance, notes)
    }

    /// The order in which the operations are done: that of the request, but for those that must wait for what they
    /// name. See [`Step`].
    #[must_use]
    pub fn order(&self) -> Vec<Step> {
        order::steps(self)
    }

    /// The data of an operation, with the ids in the place of the references. `ids` are those that the operations of
    /// the same index give to what they make.
    #[must_use]
    pub fn data(&self, task: &Task, ids: &[String]) -> Attributes {
        let id_of = |name: &str| self.made.get(name).and_then(|index| ids.get(*index));
        let mut data = task.data.clone();
        reference::replace_all(task.method.place(), &mut data, &id_of);
        Attributes::from(data)
    }
}

#[cfg(test)]
mod tests;

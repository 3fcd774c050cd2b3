//! One endpoint: how it is called, by whom, what it takes and gives.
//!
//! **Invariant**: everything that dispatch, authorization and the document need of an endpoint is here, in one value.

use super::access::Access;
use super::answer::Answer;
use super::call::Call;
use super::problem::{Code, Problem};
use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, schema::Schema};

/// What a handler gives.
pub type Handled = Pin<Box<dyn Future<Output = Result<Answer, Problem>> + Send>>;

/// The method of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reading.
    Get,
    /// Making, and actions.
    Post,
    /// Setting as a whole.
    Put,
    /// Changing some fields (RFC 7396).
    Patch,
    /// Ending.
    Delete,
}

impl Method {
    /// The word of HTTP.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Whether it changes something.
    #[must_use]
    pub fn is_mutating(self) -> bool {
        self != Self::Get
    }
}

/// A parameter of the query.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub about: &'static str,
    /// Its form.
    pub form: Form,
}

/// The form of a parameter.
#[derive(Debug, Clone, Copy)]
pub enum Form {
    /// Text of 1 to 256 characters.
    Text,
    /// A whole number from one to another.
    Number(u32, u32),
    /// An instant (RFC 3339).
    Instant,
    /// true or false.
    Bool,
    /// One of some words.
    Word(&'static [&'static str]),
}

/// A type of the document.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Its name.
    pub name: fn() -> Cow<'static, str>,
    /// Its schema.
    pub schema: fn() -> RefOr<Schema>,
    /// The schemas that it refers to.
    pub refs: fn(&mut Vec<(String, RefOr<Schema>)>),
}

impl Shape {
    /// The shape of a type.
    #[must_use]
    pub const fn of<T: ToSchema>() -> Self {
        Self {
            name: <T as ToSchema>::name,
            schema: <T as utoipa::PartialSchema>::schema,
            refs: <T as ToSchema>::schemas,
        }
    }
}

/// Where what is changed is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    /// In the registry, or nothing.
    Registry,
    /// In a region's store.
    Directory,
    /// In the registry, after a look into a region's store.
    RegistryAfterDirectory,
}

/// One endpoint.
#[derive(Debug)]
pub struct Endpoint {
    /// How it is called.
    pub method: Method,
    /// Under which path; `{name}` is a part of it.
    pub path: &'static str,
    /// Its name: `tenants.create`.
    pub id: &'static str,
    /// Who may call it.
    pub access: Access,
    /// What it does, in one line.
    pub summary: &'static str,
    /// What else is to be said.
    pub about: &'static str,
    /// The parameters of its query.
    pub query: &'static [Param],
    /// What it takes.
    pub body: Option<Shape>,
    /// Whether the body may be left out.
    pub body_is_optional: bool,
    /// Whether what it shows or changes has a version.
    pub is_versioned: bool,
    /// The status and body of success.
    pub gives: (u16, Shape),
    /// What can go wrong, beside what follows from method, path and class.
    pub problems: &'static [Code],
    /// Where it looks or writes.
    pub keeps: Keeps,
    /// What it runs.
    pub handler: fn(Call) -> Handled,
}

/// Rows of the table are put together by these.
impl Endpoint {
    /// An endpoint that reads.
    #[must_use]
    pub const fn get(
        path: &'static str,
        id: &'static str,
        access: Access,
        handler: fn(Call) -> Handled,
    ) -> Self {
        Self::new(Method::Get, path, id, access, handler)
    }

    /// An endpoint that makes or does something.
    #[must_use]
    pub const fn post(
        path: &'static str,
        id: &'static str,
        access: Access,
        handler: fn(Call) -> Handled,
    ) -> Self {
        Self::new(Method::Post, path, id, access, handler)
    }

    /// An endpoint that sets something as a whole.
    #[must_use]
    pub const fn put(
        path: &'static str,
        id: &'static str,
        access: Access,
        handler: fn(Call) -> Handled,
    ) -> Self {
        Self::new(Method::Put, path, id, access, handler)
    }

    /// An endpoint that changes some fields.
    #[must_use]
    pub const fn patch(
        path: &'static str,
        id: &'static str,
        access: Access,
        handler: fn(Call) -> Handled,
    ) -> Self {
        Self::new(Method::Patch, path, id, access, handler)
    }

    /// An endpoint that ends something.
    #[must_use]
    pub const fn delete(
        path: &'static str,
        id: &'static str,
        access: Access,
        handler: fn(Call) -> Handled,
    ) -> Self {
        Self::new(Method::Delete, path, id, access, handler)
    }

    const fn new(
        method: Method,
        path: &'static str,
        id: &'static str,
        access: Access,
        handler: fn(Call) -> Handled,
    ) -> Self {
        Self {
            method,
            path,
            id,
            access,
            summary: "",
            about: "",
            query: &[],
            body: None,
            body_is_optional: false,
            is_versioned: false,
            gives: (200, Shape::of::<()>()),
            problems: &[],
            keeps: Keeps::Registry,
            handler,
        }
    }

    /// What it does, in one line, and what else is to be said.
    #[must_use]
    pub const fn does(mut self, summary: &'static str, about: &'static str) -> Self {
        self.summary = summary;
        self.about = about;
        self
    }

    /// The parameters of its query.
    #[must_use]
    pub const fn asks(mut self, query: &'static [Param]) -> Self {
        self.query = query;
        self
    }

    /// The body that it needs.
    #[must_use]
    pub const fn takes<T: ToSchema>(mut self) -> Self {
        self.body = Some(Shape::of::<T>());
        self
    }

    /// The body that it can do without.
    #[must_use]
    pub const fn may_take<T: ToSchema>(mut self) -> Self {
        self.body = Some(Shape::of::<T>());
        self.body_is_optional = true;
        self
    }

    /// Status and body of success.
    #[must_use]
    pub const fn gives<T: ToSchema>(mut self, status: u16) -> Self {
        self.gives = (status, Shape::of::<T>());
        self
    }

    /// What can go wrong besides.
    #[must_use]
    pub const fn or(mut self, problems: &'static [Code]) -> Self {
        self.problems = problems;
        self
    }

    /// What it shows has a version.
    #[must_use]
    pub const fn versioned(mut self) -> Self {
        self.is_versioned = true;
        self
    }

    /// It looks or writes in a region's store.
    #[must_use]
    pub const fn in_the_directory(mut self) -> Self {
        self.keeps = Keeps::Directory;
        self
    }

    /// It looks in a region's store, and writes in the registry.
    #[must_use]
    pub const fn after_the_directory(mut self) -> Self {
        self.keeps = Keeps::RegistryAfterDirectory;
        self
    }
}

impl Endpoint {
    /// The noun, which groups endpoints.
    #[must_use]
    pub fn noun(&self) -> &'static str {
        self.id.split_once('.').map_or(self.id, |(noun, _)| noun)
    }

    /// The values of the path's parts, if the path fits.
    #[must_use]
    pub fn matches(&self, path: &str) -> Option<Vec<(&'static str, String)>> {
        let mut found = Vec::new();
        let (mut ours, mut theirs) = (self.path.split('/'), path.split('/'));
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return Some(found),
                (Some(part), Some(value)) => {
                    let name = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
                    match name {
                        Some(name) if !value.is_empty() => found.push((name, value.to_owned())),
                        None if part == value => {}
                        Some(_) | None => return None,
                    }
                }
                (None, Some(_)) | (Some(_), None) => return None,
            }
        }
    }

    /// Every problem that it can answer with, sorted.
    #[must_use]
    pub fn all_problems(&self) -> Vec<Code> {
        let mut codes =
            vec![Code::BodyMalformed, Code::QueryInvalid, Code::HeaderInvalid, Code::RateLimited];
        if self.access != Access::Public {
            codes.extend([
                Code::TokenMissing,
                Code::TokenIsScim,
                Code::TokenInvalid,
                Code::TokenExpired,
                Code::IssuerUnavailable,
                Code::RoleForbidden,
                Code::RegistryUnavailable,
            ]);
        }
        match self.access {
            Access::Public | Access::Caller => {}
            Access::Operator(_) | Access::Tenant(_) => codes.push(Code::ScopeMissing),
        }
        if self.path.contains('{') {
            // Clients that leave a part empty ask for another path, since most of them make one slash of two.
            codes.extend([Code::NotFound, Code::PathUnknown, Code::MethodNotAllowed]);
        }
        if self.body.is_some() {
            codes.extend([Code::MediaTypeUnsupported, Code::FieldInvalid]);
        }
        if self.method.is_mutating() {
            codes.extend([Code::BodyTooLarge, Code::BodyTimeout]);
        }
        if self.method.is_mutating() && self.is_versioned {
            codes.push(Code::VersionMismatch);
        }
        if self.method == Method::Post {
            codes.extend([Code::IdempotencyInFlight, Code::IdempotencyKeyReused]);
        }
        if self.keeps != Keeps::Registry {
            codes.extend([Code::RegionNotHere, Code::StoreUnavailable, Code::TooExpensive]);
        }
        codes.extend(self.problems);
        codes.sort_unstable();
        codes.dedup();
        codes
    }
}

//! A user: a document that has a `userName`.
//!
//! **Invariant**: the name is the document's `userName`.

use crate::attributes::Attributes;
use crate::document::Document;
use crate::error::ScimError;
use crate::quirk::{Notes, Tolerance};
use crate::schema::ResourceType;
use crate::user_name::UserName;
use serde_json::Value;

/// A user as the identity provider wants it (RFC 7643 §4.1).
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    document: Document,
    name: UserName,
}

impl User {
    /// Reads the body of a POST or PUT.
    ///
    /// # Errors
    /// As [`Document::parse`] and [`Document::check_required`].
    pub fn parse(
        body: &Attributes,
        of: &ResourceType,
        tolerance: &Tolerance,
    ) -> Result<(User, Notes), ScimError> {
        let mut notes = Notes::default();
        let document = Document::parse(body, of, tolerance, &mut notes)?;
        document.check_required(of)?;
        let user = Self::from_document(document, tolerance, &mut notes)?;
        Ok((user, notes))
    }

    /// The result of a PATCH, or a stored document.
    ///
    /// # Errors
    /// `invalidValue` when `userName` is missing or not allowed.
    pub fn from_document(
        document: Document,
        tolerance: &Tolerance,
        notes: &mut Notes,
    ) -> Result<User, ScimError> {
        let Some(text) = document.text("userName") else {
            return Err(ScimError::missing(&["userName".to_owned()]));
        };
        let name = UserName::parse(text, tolerance, notes)?;
        Ok(Self { document, name })
    }

    /// The user that a PUT of this one leaves where `old` was, as [`Document::replacing`] says.
    ///
    /// # Errors
    /// `mutability` when an immutable attribute has another value already.
    pub fn replacing(self, old: &Document, of: &ResourceType) -> Result<User, ScimError> {
        // The name is readWrite, so it is the new one.
        Ok(Self { document: self.document.replacing(old, of)?, name: self.name })
    }

    /// The attributes.
    #[must_use]
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// The attributes, to set a default; `userName` is not to be touched.
    pub fn document_mut(&mut self) -> &mut Document {
        &mut self.document
    }

    /// The `userName`.
    #[must_use]
    pub fn name(&self) -> &UserName {
        &self.name
    }

    /// The identity provider's own id.
    #[must_use]
    pub fn external_id(&self) -> Option<&str> {
        self.document.text("externalId")
    }

    /// Whether the user may use the product; absent means yes.
    #[must_use]
    pub fn active(&self) -> bool {
        self.document.get("active").and_then(Value::as_bool).unwrap_or(true)
    }

    /// The name shown to others.
    #[must_use]
    pub fn display_name(&self) -> Option<&str> {
        self.document.text("displayName")
    }

    /// The e-mail address of type `work`, else the primary one, else the only one.
    #[must_use]
    pub fn work_email(&self) -> Option<&str> {
        self.email([is_work, is_primary])
    }

    /// The primary e-mail address, else the one of type `work`, else the only one.
    #[must_use]
    pub fn primary_email(&self) -> Option<&str> {
        self.email([is_primary, is_work])
    }

    fn email(&self, preferences: [fn(&Value) -> bool; 2]) -> Option<&str> {
        let emails = self.document.get("emails")?.as_array()?;
        let mut with_value = emails.iter().filter(|email| address(email).is_some());
        for preferred in preferences {
            if let Some(email) = with_value.clone().find(|email| preferred(email)) {
                return address(email);
            }
        }
        let only = with_value.next()?;
        if with_value.next().is_some() { None } else { address(only) }
    }
}

fn address(email: &Value) -> Option<&str> {
    email.get("value")?.as_str()
}

fn is_primary(email: &Value) -> bool {
    email.get("primary").and_then(Value::as_bool) == Some(true)
}

fn is_work(email: &Value) -> bool {
    let kind = email.get("type").and_then(Value::as_str);
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case("work"))
}

//! A user's manager: found by id among the users of the tenant, and named by what is stored of that user now.
//!
//! **Invariant**: nothing of the manager is stored with the user but the id that the client gave.

use crate::error::DirectoryError;
use crate::scope::Scoped;
use scim_core::schema::builtin::ENTERPRISE_USER;
use scim_core::{Document, ResourceType};
use serde_json::{Map, Value};

/// The longest id that is indexed, in bytes. A longer one is nobody's here.
pub(crate) const KEY_BYTES: usize = 255;

/// A user's manager who is a user of the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredManager {
    /// The manager's id.
    pub id: String,
    /// The manager's displayName, else userName.
    pub display: String,
}

/// The manager of the user `u`, as [`read`] reads it.
pub(super) const COLUMN: &str = "(SELECT mu.id || ' ' || mu.display FROM users mu WHERE mu.tenant_id = $1 AND mu.id = u.manager_key)";

/// What [`COLUMN`] gives.
pub(super) fn read(column: Option<&str>) -> Option<StoredManager> {
    let (id, display) = column?.split_once(' ')?;
    Some(StoredManager { id: id.to_owned(), display: display.to_owned() })
}

/// The manager's id in a comparison form.
pub(super) fn key(search: &Map<String, Value>) -> Option<String> {
    let key = search.get(ENTERPRISE_USER)?.get("manager")?.get("value")?.as_str()?;
    (key.len() <= KEY_BYTES).then(|| key.to_owned())
}

impl Scoped {
    /// The manager that a document names, for the answer to a write that is done. Where the store fails, the answer does
    /// without.
    pub(super) async fn manager_of(
        &self,
        document: &Document,
        of: &ResourceType,
    ) -> Option<StoredManager> {
        let key = key(&document.search(of))?;
        self.manager(&key).await.ok().flatten()
    }

    async fn manager(&self, key: &str) -> Result<Option<StoredManager>, DirectoryError> {
        let sql = "SELECT id || ' ' || display FROM users WHERE tenant_id = $1 AND id = $2";
        let row = self.read_one(sql, vec![key.into()]).await?;
        let column: Option<String> = row.map(|row| row.try_get_by_index(0)).transpose()?;
        Ok(read(column.as_deref()))
    }
}

//! Which pepper is used, and noticing another one.
//!
//! **Invariant**: the registry keeps a hash made with the pepper, so that a node with another one does not start: it would
//! refuse every customer's token.

use super::change::Change;
use crate::authenticate::{Pepper, hex};
use crate::entity::{micros, secret};
use crate::error::RegistryError;
use migrations::Database;
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait;
use sea_orm::sea_query::OnConflict;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use time::OffsetDateTime;

const CHECKED_TEXT: &str = "muster token pepper";

/// The pepper in use.
#[derive(Clone)]
pub(super) struct Keys {
    pub(super) pepper: Pepper,
    /// Its text, where the registry made it itself; a configured one is kept nowhere.
    pub(super) own: Option<SecretString>,
    /// What the registry keeps of it.
    pub(super) check: String,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}

impl Keys {
    pub(super) fn given(secret: &SecretString) -> Self {
        let pepper = Pepper::new(secret);
        let check = hex(&pepper.hash(CHECKED_TEXT).0);
        Self { pepper, own: None, check }
    }

    pub(super) fn own(text: String) -> Self {
        let own = SecretString::from(text);
        Self { own: Some(own.clone()), ..Self::given(&own) }
    }
}

/// The pepper that was given, else the one that was made for this registry.
pub(super) async fn settle(
    db: &Database,
    given: Option<&SecretString>,
    now: OffsetDateTime,
) -> Result<Keys, RegistryError> {
    let keys = match given {
        Some(secret) => Keys::given(secret),
        None => {
            let mut bytes = [0_u8; 32];
            rand::fill(&mut bytes);
            let made = SecretString::from(hex(&bytes));
            Keys::own(keep(db, secret::PEPPER, made.expose_secret(), now).await?)
        }
    };
    if keep(db, secret::PEPPER_CHECK, &keys.check, now).await? == keys.check {
        Ok(keys)
    } else {
        Err(RegistryError::PepperMismatch)
    }
}

/// The pepper of a registry that other nodes may have settled; none of one that is empty.
pub(super) async fn settled(
    db: &Database,
    given: Option<&SecretString>,
) -> Result<Option<Keys>, RegistryError> {
    let Some(check) = find(db, secret::PEPPER_CHECK).await? else { return Ok(None) };
    let keys = match given {
        Some(secret) => Some(Keys::given(secret)),
        None => find(db, secret::PEPPER).await?.map(Keys::own),
    };
    match keys {
        Some(keys) if keys.check == check => Ok(Some(keys)),
        _ => Err(RegistryError::PepperMismatch),
    }
}

/// Keeps the value unless there is one, and gives the one that is there: of nodes that start at once, one is first.
pub(super) async fn keep(
    db: &Database,
    name: &str,
    value: &str,
    now: OffsetDateTime,
) -> Result<String, RegistryError> {
    let row = secret::ActiveModel {
        name: Set(name.to_owned()),
        value: Set(value.to_owned()),
        created_at: Set(micros(now)),
    };
    secret::Entity::insert(row)
        .on_conflict(OnConflict::column(secret::Column::Name).do_nothing().to_owned())
        .exec_without_returning(db.writer())
        .await
        .map_err(RegistryError::Database)?;
    Ok(find(db, name).await?.unwrap_or_default())
}

/// Keeps the value in the place of the one that is there, as a part of a change.
pub(super) async fn put(change: &Change<'_>, name: &str, value: &str) -> Result<(), RegistryError> {
    let row = secret::ActiveModel {
        name: Set(name.to_owned()),
        value: Set(value.to_owned()),
        created_at: Set(micros(change.at)),
    };
    let columns = [secret::Column::Value, secret::Column::CreatedAt];
    secret::Entity::insert(row)
        .on_conflict(OnConflict::column(secret::Column::Name).update_columns(columns).to_owned())
        .exec_without_returning(&change.transaction)
        .await
        .map_err(RegistryError::Database)?;
    Ok(())
}

pub(super) async fn find(db: &Database, name: &str) -> Result<Option<String>, RegistryError> {
    let row = secret::Entity::find_by_id(name).one(db.writer()).await;
    Ok(row.map_err(RegistryError::Database)?.map(|row| row.value))
}

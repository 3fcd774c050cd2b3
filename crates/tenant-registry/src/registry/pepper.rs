//! Which pepper is used, and noticing another one.
//!
//! **Invariant**: the registry keeps a hash made with the pepper, so that a node with another one does not start: it would
//! refuse every customer's token.

use crate::authenticate::Pepper;
use crate::entity::{micros, secret};
use crate::error::RegistryError;
use migrations::Database;
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait;
use sea_orm::sea_query::OnConflict;
use secrecy::{ExposeSecret, SecretString};
use time::OffsetDateTime;

const CHECKED_TEXT: &str = "muster token pepper";

/// The pepper that was given, else the one that was made for this registry.
pub(super) async fn settle(
    db: &Database,
    given: Option<&SecretString>,
    now: OffsetDateTime,
) -> Result<Pepper, RegistryError> {
    let pepper = match given {
        Some(secret) => Pepper::new(secret),
        None => {
            let mut bytes = [0_u8; 32];
            rand::fill(&mut bytes);
            let made = SecretString::from(hex(&bytes));
            let kept = keep(db, secret::PEPPER, made.expose_secret(), now).await?;
            Pepper::new(&SecretString::from(kept))
        }
    };
    let check = hex(&pepper.hash(CHECKED_TEXT).0);
    if keep(db, secret::PEPPER_CHECK, &check, now).await? == check {
        Ok(pepper)
    } else {
        Err(RegistryError::PepperMismatch)
    }
}

/// Keeps the value unless there is one, and gives the one that is there: of nodes that start at once, one is first.
async fn keep(
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
    let row = secret::Entity::find_by_id(name).one(db.writer()).await;
    let row = row.map_err(RegistryError::Database)?;
    Ok(row.map(|row| row.value).unwrap_or_default())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a String cannot fail.
        write!(text, "{byte:02x}").unwrap_or_default();
        text
    })
}

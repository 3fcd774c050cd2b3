//! Cursors (RFC 9865): the place at which a page ends, sealed.
//!
//! A cursor tells its bearer nothing and is good for the query alone that it was given for, on every node of the
//! registry, for as long as cursors live. Nothing is kept for it.
//!
//! **Invariant**: what is opened was sealed here for this tenant, endpoint, filter and order.

use super::error::Failure;
use super::exchange::Exchange;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use directory::{Key, Start};
use provisioning::Reason;
use scim_core::{ErrorKind, ScimError};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// How a cursor is sealed; another one would have another number.
const VERSION: u8 = 1;

/// The cursors of one query.
pub(super) struct Cursors {
    key: RandomizedNonceKey,
    /// What the cursor is bound to.
    query: Vec<u8>,
    now: OffsetDateTime,
    lifetime_seconds: i64,
}

/// What is in a cursor.
#[derive(Serialize, Deserialize)]
struct Sealed {
    /// When it was given, in seconds since 1970.
    at: i64,
    side: Side,
    key: Key,
}

/// Which side of the key the page lies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Side {
    After,
    Before,
}

impl Cursors {
    /// Those of a query, which is given in a form that has one spelling.
    pub(super) fn of(query: &impl Serialize, exchange: &Exchange) -> Result<Self, Failure> {
        let caller = &exchange.caller;
        let tenant = caller.tenant.id.as_str();
        // A key for each tenant, so that its random nonces do not run out either.
        let key = caller.state.registry.derive_key(&format!("cursor of {tenant}"));
        let key = RandomizedNonceKey::new(&AES_256_GCM, &key).map_err(|_key_length| broken())?;
        let query = serde_json::to_vec(&(VERSION, tenant, query)).map_err(|_no_text| broken())?;
        let lifetime = caller.state.limits.cursor_lifetime;
        Ok(Self {
            key,
            query,
            now: exchange.asked.now,
            lifetime_seconds: i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX),
        })
    }

    /// The text of a cursor.
    pub(super) fn seal(&self, key: Key, side: Side) -> Result<String, Failure> {
        let sealed = Sealed { at: self.now.unix_timestamp(), side, key };
        let mut bytes = serde_json::to_vec(&sealed).map_err(|_no_text| broken())?;
        let aad = Aad::from(self.query.as_slice());
        let nonce =
            self.key.seal_in_place_append_tag(aad, &mut bytes).map_err(|_unspecified| broken())?;
        let mut whole = nonce.as_ref().to_vec();
        whole.append(&mut bytes);
        Ok(URL_SAFE_NO_PAD.encode(whole))
    }

    /// Where the page of a cursor begins; an empty one asks for the first page.
    pub(super) fn open(&self, text: &str) -> Result<Start, ScimError> {
        if text.is_empty() {
            return Ok(Start::First);
        }
        let Sealed { at, side, key } = self.unseal(text).ok_or_else(invalid)?;
        if self.now.unix_timestamp().saturating_sub(at) > self.lifetime_seconds {
            let detail = format!(
                "The cursor has expired: cursors live for {} seconds. Begin again with an empty cursor.",
                self.lifetime_seconds
            );
            return Err(ScimError::new(ErrorKind::ExpiredCursor, detail).about("cursor"));
        }
        Ok(match side {
            Side::After => Start::After(key),
            Side::Before => Start::Before(key),
        })
    }

    fn unseal(&self, text: &str) -> Option<Sealed> {
        let mut whole = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (nonce, sealed) = whole.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let aad = Aad::from(self.query.as_slice());
        let opened = self.key.open_in_place(nonce, aad, sealed).ok()?;
        serde_json::from_slice(opened).ok()
    }
}

fn invalid() -> ScimError {
    ScimError::new(
        ErrorKind::InvalidCursor,
        "The cursor was not given for this query. Send nextCursor or previousCursor of its last answer as it was, with the same filter and order, or an empty cursor to begin.",
    )
    .about("cursor")
}

/// Sealing fails only when the system has no randomness.
fn broken() -> Failure {
    Failure::new(Reason::StoreUnavailable, "No cursor can be made at the moment. Try again later.")
}

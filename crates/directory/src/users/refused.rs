//! Why a user was not written: a write finds nothing to do, or an index refuses it, and the reason is looked for afterwards.
//!
//! **Invariant**: a reason that is gone by then is [`DirectoryError::Contended`], and none is made up.

use super::write::UserChange;
use crate::error::{DirectoryError, Fault};
use crate::scope::Scoped;
use provisioning::{Refusal, conflict, seats as seat_rule};
use scim_core::User;
use time::OffsetDateTime;

impl Scoped {
    /// Of the unique indexes of users only the name's can refuse: says who holds the name.
    pub(super) async fn explain_taken(
        &self,
        outcome: Result<bool, DirectoryError>,
        user: &User,
    ) -> Result<bool, DirectoryError> {
        match outcome {
            Err(DirectoryError::Store(source)) if Fault::of(&source) == Fault::Taken => {
                Err(self.why_not_created(user).await?)
            }
            outcome => outcome,
        }
    }

    pub(super) async fn why_not_created(
        &self,
        user: &User,
    ) -> Result<DirectoryError, DirectoryError> {
        let sql = "SELECT active FROM users WHERE tenant_id = $1 AND user_name_key = $2";
        if let Some(row) = self.read_one(sql, vec![user.name().key().into()]).await? {
            let active: i64 = row.try_get_by_index(0)?;
            return Ok(conflict::user_name_taken(user.name().as_written(), active != 0).into());
        }
        self.no_seat(user).await
    }

    /// Why an update found nothing to write: when this returns, trying again makes sense.
    pub(super) async fn why_not_changed(
        &self,
        change: &UserChange,
        now: OffsetDateTime,
    ) -> Result<(), DirectoryError> {
        if self.enter(now).await? {
            return Ok(());
        }
        let current = self.user(&change.before.id, "").await?;
        if current.version == change.before.version && change.seats > 0 {
            return Err(self.no_seat(&change.user).await?);
        }
        Ok(())
    }

    pub(super) async fn no_seat(&self, user: &User) -> Result<DirectoryError, DirectoryError> {
        let tenant = self.tenant();
        let Some(limit) = tenant.seats else { return Ok(DirectoryError::Contended) };
        let used = self.totals().await?.seats;
        if used < limit {
            // A seat, or the name, became free between the refusal and this look.
            return Ok(DirectoryError::Contended);
        }
        let refusal: Refusal = seat_rule::exhausted(
            used,
            limit,
            self.population().as_str(),
            &tenant.seat_contact,
            user.name().as_written(),
        );
        Ok(refusal.into())
    }
}

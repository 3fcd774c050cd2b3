//! Two records that claim one name.
//!
//! **Invariant**: the text repeats only the name that the client sent, and nothing of the record that holds it.

use crate::reason::Reason;
use crate::refusal::Refusal;

/// Another user of the tenant holds the userName (RFC 7644 §3.3: 409, `uniqueness`).
#[must_use]
pub fn user_name_taken(name: &str, active: bool) -> Refusal {
    let detail = if active {
        format!(
            "A user with userName \"{name}\" already exists. Match users on userName and update the existing user \
             instead of creating it, or change userName in your identity provider, then retry."
        )
    } else {
        // architecture.md, decision 11: inactive users keep their name, and come back by `active: true`, never by POST.
        format!(
            "A user with userName \"{name}\" already exists and is deactivated. To bring the user back, look it up \
             by userName and send \"active\": true to its id instead of creating it again."
        )
    };
    Refusal::new(Reason::UserNameTaken, detail).about("userName")
}

/// Another user of the tenant took the userName of one who was deleted and is to come back.
#[must_use]
pub fn name_taken_since(name: &str) -> Refusal {
    let detail = format!(
        "Another user has taken userName \"{name}\" since this one was deleted. Rename or delete that user, then restore \
         this one again."
    );
    Refusal::new(Reason::UserNameTaken, detail).about("userName")
}

/// Another group of the tenant holds the displayName, in any case (idp-wire §1 row 14).
#[must_use]
pub fn display_name_taken(name: &str) -> Refusal {
    let detail = format!(
        "A group with displayName \"{name}\" already exists; upper and lower case make no difference. Match groups on \
         displayName and update the existing group, or rename one of the two in your identity provider, then retry."
    );
    Refusal::new(Reason::DisplayNameTaken, detail).about("displayName")
}

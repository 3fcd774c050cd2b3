//! What one node of the region has taken, for as long as it is told.
//!
//! **Invariant**: a key is a hash, and holds nothing that its value or its time would add to.

use super::{Question, Shared};
use aws_lc_rs::digest::{Context, SHA256};
use std::fmt;
use std::time::Duration;

/// Takes a key that nobody has: 1 when it was taken.
const TAKE: &str = "
local taken = redis.call('SET', KEYS[1], ARGV[2], 'NX', 'PX', ARGV[3])
return {ARGV[1], {taken and 1 or 0}}
";

/// Gives back a key that is still the caller's.
const GIVE_BACK: &str = "
if redis.call('GET', KEYS[1]) ~= ARGV[2] then return {ARGV[1], {0}} end
return {ARGV[1], {redis.call('DEL', KEYS[1])}}
";

/// A key that was asked for. It is given back when it is dropped, whether or not Redis said that it was taken: it may have
/// been, and the answer lost.
pub(crate) struct Claim {
    shared: Shared,
    key: String,
    owner: String,
}

/// Another has it.
#[derive(Debug)]
pub(crate) struct Claimed;

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim").finish_non_exhaustive()
    }
}

impl Shared {
    /// Whether nobody has used this up within its time; from now on somebody has. `None` when Redis does not say.
    pub(crate) async fn use_up(
        &self,
        what: &'static str,
        parts: &[&str],
        lasts: Duration,
    ) -> Option<bool> {
        self.take(what, &key(what, parts), "1", lasts).await
    }

    /// Claims something until the claim is dropped, or its time is over.
    ///
    /// # Errors
    /// When another has it.
    pub(crate) async fn claim(
        &self,
        what: &'static str,
        parts: &[&str],
        lasts: Duration,
    ) -> Result<Claim, Claimed> {
        let key = key(what, parts);
        let owner = uuid::Uuid::new_v4().simple().to_string();
        match self.take(what, &key, &owner, lasts).await {
            Some(false) => Err(Claimed),
            Some(true) | None => Ok(Claim { shared: self.clone(), key, owner }),
        }
    }

    async fn take(
        &self,
        what: &'static str,
        key: &str,
        owner: &str,
        lasts: Duration,
    ) -> Option<bool> {
        let question = Question { name: what, script: TAKE, key };
        let lasts = lasts.as_millis().max(1).to_string();
        let [taken] = self.ask(question, &[owner, &lasts]).await?;
        Some(taken == 1)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let (key, owner) = (std::mem::take(&mut self.key), std::mem::take(&mut self.owner));
        self.shared.tell("give_back", GIVE_BACK, key, owner);
    }
}

/// `muster:{what}:{hash}`.
fn key(what: &str, parts: &[&str]) -> String {
    let mut hash = Context::new(&SHA256);
    for part in parts {
        hash.update(&part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    let hash = hash.finish();
    let hex: String = hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("muster:{what}:{hex}")
}

#[cfg(test)]
mod tests {
    use super::key;

    #[test]
    fn a_key_tells_its_parts_apart_and_says_none_of_them() {
        let one = key("assertion", &["mcl_us_pf_a", "ada@example.com"]);
        assert!(one.starts_with("muster:assertion:") && one.len() == 49, "{one}");
        assert!(!one.contains("ada") && !one.contains("mcl"));
        assert_ne!(one, key("assertion", &["mcl_us_pf_aada", "@example.com"]));
        assert_ne!(one, key("turn", &["mcl_us_pf_a", "ada@example.com"]));
        assert_eq!(one, key("assertion", &["mcl_us_pf_a", "ada@example.com"]));
    }
}

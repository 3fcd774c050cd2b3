//! A request that has one effect and one answer, however often it is sent.
//!
//! **Invariant**: what is kept of the client's key is a keyed hash, and the answer is sealed under another one, which is kept
//! nowhere: who reads the table learns no secret that was shown once.

use crate::authenticate::Pepper;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use std::fmt;

/// A request with a key of the client's, as three keyed hashes.
#[derive(Clone, PartialEq, Eq)]
pub struct Once {
    /// Under what the answer is kept: of scope and key.
    pub(crate) lookup: [u8; 32],
    /// With what it is sealed: of the same.
    seal: [u8; 32],
    /// What was asked: of the body.
    pub(crate) body: [u8; 32],
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Once(…)")
    }
}

/// An answer that was given before.
#[derive(Clone, PartialEq, Eq)]
pub struct Remembered {
    /// The HTTP status.
    pub status: u16,
    /// The body, as it was sent.
    pub body: Vec<u8>,
}

impl fmt::Debug for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The body may hold a token.
        f.debug_struct("Remembered").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Once {
    pub(crate) fn of(pepper: &Pepper, scope: &str, key: &str, body: &[u8]) -> Self {
        let (scope, key) = (scope.as_bytes(), key.as_bytes());
        Self {
            lookup: pepper.keyed("muster once: lookup", &[scope, key]),
            seal: pepper.keyed("muster once: seal", &[scope, key]),
            body: pepper.keyed("muster once: body", &[body]),
        }
    }

    /// `None` only when the system has no randomness.
    pub(crate) fn seal(&self, answer: &Remembered) -> Option<Vec<u8>> {
        let mut bytes = answer.body.clone();
        let nonce = self.key()?.seal_in_place_append_tag(self.bound_to(answer.status), &mut bytes);
        let mut whole = nonce.ok()?.as_ref().to_vec();
        whole.append(&mut bytes);
        Some(whole)
    }

    /// `None` when it was not sealed here, for this request and status.
    pub(crate) fn open(&self, status: u16, mut sealed: Vec<u8>) -> Option<Remembered> {
        let (nonce, sealed) = sealed.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let opened = self.key()?.open_in_place(nonce, self.bound_to(status), sealed).ok()?.to_vec();
        Some(Remembered { status, body: opened })
    }

    fn key(&self) -> Option<RandomizedNonceKey> {
        RandomizedNonceKey::new(&AES_256_GCM, &self.seal).ok()
    }

    fn bound_to(&self, status: u16) -> Aad<Vec<u8>> {
        Aad::from([self.lookup.as_slice(), &self.body, &status.to_be_bytes()].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::{Once, Remembered};
    use crate::authenticate::Pepper;
    use secrecy::SecretString;

    fn once(scope: &str, key: &str, body: &str) -> Once {
        Once::of(&Pepper::new(&SecretString::from("pepper")), scope, key, body.as_bytes())
    }

    #[test]
    fn an_answer_is_read_with_the_key_of_its_request_alone() {
        let answer = Remembered { status: 201, body: b"{\"token\":\"mst_secret\"}".to_vec() };
        let sealed = once("alice POST /t", "k1", "{}").seal(&answer).unwrap();
        assert!(!sealed.windows(10).any(|window| window == b"mst_secret"));
        assert_eq!(once("alice POST /t", "k1", "{}").open(201, sealed.clone()), Some(answer));
        for (other, status) in [
            (once("bob POST /t", "k1", "{}"), 201),
            (once("alice POST /t", "k2", "{}"), 201),
            (once("alice POST /t", "k1", "[]"), 201),
            (once("alice POST /t", "k1", "{}"), 200),
        ] {
            assert_eq!(other.open(status, sealed.clone()), None);
        }
        assert_eq!(once("alice POST /t", "k1", "{}").open(201, vec![1, 2, 3]), None);
    }

    #[test]
    fn scope_and_key_are_not_run_together() {
        let (one, other) = (once("ab", "c", ""), once("a", "bc", ""));
        assert!(one.lookup != other.lookup && one.seal != other.seal && one.lookup != one.seal);
    }
}

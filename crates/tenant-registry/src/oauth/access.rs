//! Access tokens: `mat_{region}_{population}_{client's key id}_{payload and MAC}{checksum}`.
//!
//! A token of ours and not a JWT (nobody else need read it), and of the same form as a credential's, so that what a person
//! does wrong with the one is told of the other as well. The payload is 16 bytes: the end in seconds since 1970 (5), the
//! life in seconds (3), the scopes (1), what it was asked for with (4), and random bytes (3). The MAC is the first 16 bytes of
//! HMAC-SHA-256 over everything before it.
//!
//! **Invariant**: nothing is kept of a token. It is good while its time is not over, its client lives, and what it was asked
//! for with stands.

use crate::credential::base62;
use crate::credential::scopes::Scopes;
use crate::credential::token::{ACCESS_PREFIX, SECRET_DIGITS, checksum};
use crate::oauth::Proof;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::SecretString;
use sha2::Sha256;
use std::time::Duration;
use subtle::ConstantTimeEq;
use time::OffsetDateTime;

/// For what the key of the MAC is derived.
pub(crate) const PURPOSE: &str = "access token";

const PAYLOAD_BYTES: usize = 16;
const MAC_BYTES: usize = 16;

/// What a token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claims {
    pub(crate) issued_at: OffsetDateTime,
    pub(crate) expires_at: OffsetDateTime,
    pub(crate) scopes: Scopes,
    pub(crate) proof: Proof,
}

/// The text of a token. `place` is the part of the client's id behind its prefix.
pub(crate) fn seal(
    key: &[u8; 32],
    place: &str,
    (proof, scopes): (Proof, Scopes),
    lifetime: Duration,
    now: OffsetDateTime,
) -> SecretString {
    let front = format!("{ACCESS_PREFIX}_{place}_");
    let lifetime = lifetime.as_secs().min(0xff_ffff);
    let end = u64::try_from(now.unix_timestamp()).unwrap_or_default().saturating_add(lifetime);
    let mut payload = [0_u8; PAYLOAD_BYTES];
    rand::fill(&mut payload);
    let fields = end.to_be_bytes().into_iter().skip(3);
    let fields = fields.chain(lifetime.to_be_bytes().into_iter().skip(5)).chain([scopes.bits()]);
    let fields = fields.chain(proof.0);
    payload.iter_mut().zip(fields).for_each(|(slot, byte)| *slot = byte);
    let both = [payload, mac(key, &front, &payload)].concat();
    let body = format!("{front}{}", base62::encode(&both, SECRET_DIGITS));
    SecretString::from(format!("{body}{}", checksum(&body)))
}

/// What a well-formed token says, if it was made with this key.
pub(crate) fn open(key: &[u8; 32], text: &str) -> Option<Claims> {
    let (front, tail) = text.rsplit_once('_')?;
    let (digits, _checksum) = tail.split_at_checked(SECRET_DIGITS)?;
    let both: [u8; PAYLOAD_BYTES + MAC_BYTES] = base62::decode(digits)?;
    let (payload, presented) = both.split_first_chunk::<PAYLOAD_BYTES>()?;
    let expected = mac(key, &format!("{front}_"), payload);
    if !bool::from(expected.ct_eq(presented)) {
        return None;
    }
    let [e0, e1, e2, e3, e4, l0, l1, l2, scopes, p0, p1, p2, p3, ..] = *payload;
    let end = i64::from_be_bytes([0, 0, 0, e0, e1, e2, e3, e4]);
    let expires_at = OffsetDateTime::from_unix_timestamp(end).ok()?;
    let lifetime = time::Duration::seconds(i64::from(u32::from_be_bytes([0, l0, l1, l2])));
    let issued_at = expires_at.checked_sub(lifetime)?;
    let proof = Proof([p0, p1, p2, p3]);
    Some(Claims { issued_at, expires_at, scopes: Scopes::from_bits(scopes), proof })
}

fn mac(key: &[u8; 32], front: &str, payload: &[u8; PAYLOAD_BYTES]) -> [u8; MAC_BYTES] {
    let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
    block.iter_mut().zip(key).for_each(|(slot, byte)| *slot = *byte);
    let mut keyed = Hmac::<Sha256>::new(&block);
    keyed.update(front.as_bytes());
    keyed.update(payload);
    let whole: [u8; 32] = keyed.finalize().into_bytes().into();
    let mut first = [0; MAC_BYTES];
    first.iter_mut().zip(whole).for_each(|(slot, byte)| *slot = byte);
    first
}

#[cfg(test)]
mod tests {
    use super::{Claims, open, seal};
    use crate::credential::base62;
    use crate::credential::scopes::Scopes;
    use crate::credential::token::{BearerToken, checksum};
    use crate::oauth::Proof;
    use secrecy::ExposeSecret;
    use std::collections::BTreeSet;
    use std::time::Duration;
    use time::macros::datetime;

    const KEY: [u8; 32] = [7; 32];
    const PLACE: &str = "eu_bd_0123456789abcdef";

    fn token() -> String {
        let now = datetime!(2026-11-22 10:00 UTC);
        let scopes = Scopes::parse("read,users").unwrap();
        let what = (Proof::of_secret("one"), scopes);
        seal(&KEY, PLACE, what, Duration::from_secs(3_600), now).expose_secret().to_owned()
    }

    #[test]
    fn a_token_says_what_was_put_into_it_and_is_not_like_another() {
        let token = token();
        let claims = Claims {
            issued_at: datetime!(2026-11-22 10:00 UTC),
            expires_at: datetime!(2026-11-22 11:00 UTC),
            scopes: Scopes::parse("read,users").unwrap(),
            proof: Proof::of_secret("one"),
        };
        assert_eq!(open(&KEY, &token), Some(claims));
        assert_eq!(open(&[8; 32], &token), None);
        let parsed = BearerToken::parse(&format!("Bearer {token}")).unwrap();
        assert_eq!(parsed.key_id(), "0123456789abcdef");
        // Three random bytes: that all of these were the same is as likely as to guess a MAC.
        let many: BTreeSet<String> = (0..10).map(|_| super::tests::token()).collect();
        assert!(many.len() > 1);
    }

    #[test]
    fn a_token_with_one_other_bit_and_a_right_checksum_is_none() {
        let token = token();
        let (front, tail) = token.rsplit_once('_').unwrap();
        let bytes: [u8; 32] = base62::decode(tail.get(..43).unwrap()).unwrap();
        for bit in 0..256 {
            let mut other = bytes;
            other[bit / 8] ^= 1 << (bit % 8);
            let body = format!("{front}_{}", base62::encode(&other, 43));
            let forged = format!("{body}{}", checksum(&body));
            assert!(BearerToken::parse(&forged).is_ok());
            assert_eq!(open(&KEY, &forged), None, "{bit}");
        }
        for (from, to) in [("_eu_", "_us_"), ("_bd_", "_pf_"), ("abcdef", "abcdeg")] {
            let (body, _) = token.split_at(token.len() - 6);
            let body = body.replacen(from, to, 1);
            assert_eq!(open(&KEY, &format!("{body}{}", checksum(&body))), None, "{to}");
        }
    }

    #[test]
    fn what_is_no_number_of_32_bytes_is_no_token() {
        let body = format!("mat_{PLACE}_{}", "z".repeat(43));
        assert_eq!(open(&KEY, &format!("{body}{}", checksum(&body))), None);
        for text in ["", "_", "mat_x", "mat_eu_bd_0123456789abcdef_é"] {
            assert_eq!(open(&KEY, text), None);
        }
    }
}

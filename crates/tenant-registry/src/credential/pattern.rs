//! By what a scanner finds our secrets in what is not to have any.

use super::token::{ACCESS_PREFIX, KEY_ID_DIGITS, PREFIX, SECRET_PREFIX, TAIL_DIGITS};
use region_router::Population;

/// A regular expression for tokens, access tokens and secrets of clients, as common engines have it. A match whose checksum fits
/// is one of ours, and nothing else is.
#[must_use]
pub fn secret_pattern() -> String {
    let populations = Population::ALL.map(Population::code).join("|");
    format!(
        r"\b({PREFIX}|{SECRET_PREFIX}|{ACCESS_PREFIX})_[a-z][a-z0-9]{{0,7}}_({populations})_[0-9A-Za-z]{{{KEY_ID_DIGITS}}}_[0-9A-Za-z]{{{TAIL_DIGITS}}}\b"
    )
}

#[cfg(test)]
mod tests {
    use super::secret_pattern;
    use crate::credential::scopes::Scopes;
    use crate::credential::token::{PREFIX, SECRET_PREFIX, mint_as};
    use crate::oauth::{Proof, access};
    use region_router::{Place, Population, Region};
    use secrecy::ExposeSecret;
    use std::time::Duration;
    use time::OffsetDateTime;

    /// What the expression says, for one word.
    fn is_match(text: &str) -> bool {
        let is_one_of = |word: &str, some: &str| some.split('|').any(|one| one == word);
        let is_digits =
            |word: &str, n| word.len() == n && word.bytes().all(|b| b.is_ascii_alphanumeric());
        let parts: Vec<&str> = text.split('_').collect();
        let [kind, region, population, key_id, tail] = parts.as_slice() else { return false };
        is_one_of(kind, "mst|mcs|mat")
            && region.len() <= 8
            && region.starts_with(|c: char| c.is_ascii_lowercase())
            && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            && is_one_of(population, "pf|bd")
            && is_digits(key_id, 16)
            && is_digits(tail, 49)
    }

    #[test]
    fn the_expression_finds_every_kind_of_secret() {
        let expression =
            r"\b(mst|mcs|mat)_[a-z][a-z0-9]{0,7}_(pf|bd)_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}\b";
        assert_eq!(secret_pattern(), expression);
        for region in ["eu", "a2345678"] {
            for population in Population::ALL {
                let region = Region::parse(region).unwrap();
                let place = Place { region, population };
                for prefix in [PREFIX, SECRET_PREFIX] {
                    assert!(is_match(mint_as(prefix, &place).text.expose_secret()));
                }
                let place = format!("{}_{}_0123456789abcdef", place.region, population.code());
                let what = (Proof::of_secret("one"), Scopes::ALL);
                let (life, now) = (Duration::from_secs(3_600), OffsetDateTime::UNIX_EPOCH);
                assert!(is_match(access::seal(&[7; 32], &place, what, life, now).expose_secret()));
            }
        }
        assert!(Region::parse("a23456789").is_err(), "the expression has eight");
        assert!(!is_match("mcl_eu_pf_0123456789abcdef"), "an id is no secret");
    }
}

//! The names of clients and their secrets: `mcl_{region}_{population}_{key id}` and
//! `mcs_{region}_{population}_{key id}_{secret}{checksum}`.
//!
//! **Invariant**: a client's id says where it belongs, so that whoever asks at another host can be told the right one.

use crate::credential::base62;
use crate::credential::token::{KEY_ID_DIGITS, MintedToken, SECRET_PREFIX, key_id_of, mint_as};
use region_router::{Place, Population, Region};

const CLIENT_PREFIX: &str = "mcl";

/// Makes a client's id.
pub(crate) fn random(place: &Place) -> String {
    written(place, &base62::random(KEY_ID_DIGITS))
}

/// The id with this visible part.
pub(crate) fn written(place: &Place, key_id: &str) -> String {
    format!("{CLIENT_PREFIX}_{}_{}_{key_id}", place.region, place.population.code())
}

/// The visible part of a client's id.
pub(crate) fn key_id(client_id: &str) -> Option<&str> {
    client_id.rsplit('_').next().filter(|_| place(client_id).is_some())
}

/// Where the client with this id belongs; `None` when it is no client's id.
#[must_use]
pub fn place(client_id: &str) -> Option<Place> {
    let mut parts = client_id.split('_');
    let (prefix, region, population) = (parts.next()?, parts.next()?, parts.next()?);
    let key_id = parts.next()?;
    let is_id = prefix == CLIENT_PREFIX
        && parts.next().is_none()
        && key_id.len() == KEY_ID_DIGITS
        && base62::is_base62(key_id);
    let region = Region::parse(region).ok().filter(|_| is_id)?;
    Some(Place { region, population: Population::from_code(population)? })
}

/// Makes a secret.
pub(crate) fn mint_secret(place: &Place) -> MintedToken {
    mint_as(SECRET_PREFIX, place)
}

/// The visible part of a secret that is well formed.
pub(crate) fn secret_id(secret: &str) -> Option<&str> {
    key_id_of(SECRET_PREFIX, secret)
}

#[cfg(test)]
mod tests {
    use super::{key_id, mint_secret, place, random, secret_id};
    use region_router::{Place, Population, Region};
    use secrecy::ExposeSecret;

    #[test]
    fn an_id_says_where_it_belongs() {
        let eu = Place { region: Region::parse("eu").unwrap(), population: Population::Board };
        let id = random(&eu);
        assert_eq!(place(&id), Some(eu.clone()));
        assert_eq!(key_id(&id).map(str::len), Some(16));
        for bad in ["", "mcl", "mcl_eu_bd_short", "mst_eu_bd_0123456789abcdef", &format!("{id}_")] {
            assert_eq!((place(bad), key_id(bad)), (None, None), "{bad}");
        }
        let secret = mint_secret(&eu);
        let text = secret.text.expose_secret();
        assert!(text.starts_with("mcs_eu_bd_") && secret.hint.starts_with("mcs_eu_bd_****"));
        assert_eq!(secret_id(text), Some(secret.key_id.as_str()));
        for bad in [
            "",
            &id,
            &text.replacen("mcs", "mst", 1),
            text.trim_start_matches('m'),
            &format!("{text}0"),
        ] {
            assert_eq!(secret_id(bad), None, "{bad}");
        }
    }
}

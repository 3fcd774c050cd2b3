//! `[operator]`: whose tokens are good at the admin API.

use super::values::Values;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Whose tokens are good at the admin API.
#[derive(Debug, Clone)]
pub struct OperatorSettings {
    /// The folder of the built-in issuer's keys.
    pub keys: PathBuf,
    /// The longest life of a token of the built-in issuer.
    pub max_lifetime: Duration,
    /// A provider whose tokens are good as well.
    pub oidc: Option<OidcSettings>,
    /// Calls a second that one caller may make, sustained.
    pub rate_per_second: u32,
    /// Calls that one caller may make at once.
    pub rate_burst: u32,
}

/// An OIDC provider.
#[derive(Debug, Clone)]
pub struct OidcSettings {
    /// The `iss` of its tokens, exactly.
    pub issuer: String,
    /// The `aud` of the tokens that are for us.
    pub audience: String,
    /// Its key set: a URL or a file.
    pub jwks: String,
}

pub(super) fn read(values: &mut Values, data_dir: &Path) -> OperatorSettings {
    let keys =
        values.text("operator.keys").map_or_else(|| data_dir.join("operator-keys"), PathBuf::from);
    let issuer = values.text("operator.oidc_issuer");
    let audience = values.text("operator.oidc_audience");
    let jwks = values.text("operator.oidc_jwks");
    let oidc = match (issuer, jwks) {
        (Some(issuer), Some(jwks)) => {
            if is_open(&jwks) {
                values.problem("operator.oidc_jwks", "must begin with https://, or be a file: whoever sits on the way could put keys of his own in it");
            }
            let audience = audience.unwrap_or_else(|| crate::admin::issuer::AUDIENCE.to_owned());
            Some(OidcSettings { issuer, audience, jwks })
        }
        (None, None) => None,
        (Some(_), None) => {
            values.problem(
                "operator.oidc_issuer",
                "needs operator.oidc_jwks: the URL or the file of its key set",
            );
            None
        }
        (None, Some(_)) => {
            values
                .problem("operator.oidc_jwks", "needs operator.oidc_issuer: the iss of its tokens");
            None
        }
    };
    OperatorSettings {
        keys,
        max_lifetime: values.span(
            "operator.max_lifetime",
            Duration::from_hours(1),
            Duration::from_mins(1)..=Duration::from_hours(24),
        ),
        oidc,
        rate_per_second: values.number("operator.rate_per_second", 50, 1..=100_000),
        rate_burst: values.number("operator.rate_burst", 200, 1..=1_000_000),
    }
}

/// Whether a key set would come over the network without TLS.
fn is_open(jwks: &str) -> bool {
    let Some(rest) = jwks.strip_prefix("http://") else { return false };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    !matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}

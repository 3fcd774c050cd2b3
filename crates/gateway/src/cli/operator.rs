//! `muster operator token`: a signed token for the admin API.
//!
//! **Invariant**: the private key stays in the data folder, readable by its owner alone.

use super::output::Output;
use super::parse;
use super::tenant::hosts;
use crate::clock::Clock;
use crate::config::Config;
use anyhow::{Context as _, anyhow};
use aws_lc_rs::digest;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use clap::{Args, Subcommand};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use serde_json::json;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Whom the token is for.
const AUDIENCE: &str = "muster-admin";
/// Where the keys are, in the data folder.
const FOLDER: &str = "operator-keys";
const EXTENSION: &str = "p8";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a token for the admin API
    Token(Token),
}

#[derive(Debug, Args)]
pub(super) struct Token {
    /// What it may do, parted by commas; without it, everything
    #[arg(long, default_value = "*")]
    scopes: String,
    /// How long it is good: 15m, 8h
    #[arg(long, default_value = "15m")]
    expires: String,
}

/// The claims (RFC 7519 §4.1).
#[derive(Debug, Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
    scopes: Vec<&'a str>,
}

pub(super) fn run(command: &Command, config: &Config, output: Output) -> anyhow::Result<()> {
    let Command::Token(asked) = command;
    let expires = parse::expires(&asked.expires)?;
    let base_url = hosts(config)?.admin_base_url();
    let now = Clock.now();
    let claims = Claims {
        iss: &base_url,
        aud: AUDIENCE,
        sub: "operator",
        iat: now.unix_timestamp(),
        exp: (now + expires).unix_timestamp(),
        jti: Clock.new_id().to_string(),
        scopes: asked.scopes.split(',').map(str::trim).filter(|scope| !scope.is_empty()).collect(),
    };
    let folder = config.data_dir.join(FOLDER);
    let (kid, key) = signing_key(&folder).with_context(|| {
        format!(
            "the operator key in {} cannot be used; check the folder and data_dir",
            folder.display()
        )
    })?;
    let mut header = Header::new(Algorithm::EdDSA);
    header.kid = Some(kid);
    let token = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_ed_der(&key))?;
    let json = json!({ "token": token, "admin_base_url": base_url });
    output.answer(&json, &[format!("token     {token}"), format!("base URL  {base_url}")])
}

/// The id and the PKCS #8 bytes of the first key in the folder; the key is made when there is none.
fn signing_key(folder: &Path) -> anyhow::Result<(String, Vec<u8>)> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            names.push(path);
        }
    }
    names.sort();
    if let Some(path) = names.first() {
        let kid = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        return Ok((kid.unwrap_or_default(), fs::read(path)?));
    }
    let pair =
        Ed25519KeyPair::generate().map_err(|_unspecified| anyhow!("no key could be made"))?;
    let hash = digest::digest(&digest::SHA256, pair.public_key().as_ref());
    let kid: String = hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let document = pair.to_pkcs8().map_err(|_unspecified| anyhow!("the key cannot be written"))?;
    let key = document.as_ref().to_vec();
    // Written aside and renamed, so that nobody reads half a key.
    let aside = folder.join(format!(".{kid}.new"));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
    file.write_all(&key)?;
    file.sync_all()?;
    fs::rename(&aside, folder.join(format!("{kid}.{EXTENSION}")))?;
    Ok((kid, key))
}

#[cfg(test)]
mod tests {
    use super::signing_key;
    use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_key_is_made_once_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("operator-keys");
        let first = signing_key(&keys).unwrap();
        assert_eq!(signing_key(&keys).unwrap(), first);
        let file = std::fs::read_dir(&keys).unwrap().next().unwrap().unwrap();
        assert_eq!(file.file_name().to_string_lossy(), format!("{}.p8", first.0));
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_token_signed_with_the_key_is_verified_with_its_public_half() {
        use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
        let folder = tempfile::tempdir().unwrap();
        let (_, key) = signing_key(folder.path()).unwrap();
        let claims = serde_json::json!({ "aud": "muster-admin", "exp": 4_102_444_800_i64 });
        let header = Header::new(Algorithm::EdDSA);
        let token =
            jsonwebtoken::encode(&header, &claims, &EncodingKey::from_ed_der(&key)).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(&key).unwrap();
        let public = DecodingKey::from_ed_der(pair.public_key().as_ref());
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&["muster-admin"]);
        let read = jsonwebtoken::decode::<serde_json::Value>(&token, &public, &validation).unwrap();
        assert_eq!(read.claims, claims);
    }
}

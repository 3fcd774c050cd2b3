//! A token and its signature in another spelling: the same bytes to a reader that is not strict.

use super::{all_refused, ask, scene};
use crate::admin::jwt::{Jwt, decoded, encoded};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE};

#[actix_web::test]
async fn a_token_has_one_spelling() {
    let (_gateway, api) = scene().await;
    let good = Jwt::operator("*");
    let token = good.signed(&api.key);
    let parts: Vec<&str> = token.split('.').collect();
    let (head, claims, signature) = (parts[0], parts[1], parts[2]);
    let raw = |text: &str| decoded(text);
    let twice = |json: &str, first: &str| format!("{{{first},{}", &json[1..]);
    let header_text = String::from_utf8(raw(head)).unwrap();
    let claims_text = String::from_utf8(raw(claims)).unwrap();
    let mut tokens = vec![
        ("empty signature", format!("{head}.{claims}.")),
        ("two parts", format!("{head}.{claims}")),
        ("four parts", format!("{token}.{signature}")),
        ("five parts", format!("{token}.{signature}.{signature}")),
        ("one part", "eyJ".to_owned()),
        ("only dots", "..".to_owned()),
        ("padded", format!("{}.{claims}.{signature}", BASE64_URL_SAFE.encode(raw(head)) + "=")),
        ("a padded signature", format!("{head}.{claims}.{signature}==")),
        (
            "standard base64",
            format!("{head}.{claims}.{}", BASE64_STANDARD_NO_PAD.encode([0xfb_u8; 64])),
        ),
        (
            "a longer signature",
            format!("{head}.{claims}.{}", encoded([&raw(signature)[..], &[0]].concat())),
        ),
        ("a shorter signature", format!("{head}.{claims}.{}", encoded(&raw(signature)[..63]))),
        ("a space in it", format!("{head} .{claims}.{signature}")),
        ("no JSON", api.key.sign(&format!("{}.{}", encoded("no"), encoded("no")))),
        ("a list", api.key.sign(&format!("{}.{}", encoded("[]"), encoded("[]")))),
        ("no UTF-8", api.key.sign(&format!("{head}.{}", encoded(b"{\"iss\":\"\xff\"}")))),
        ("20 KB", good.clone().claim("more", "a".repeat(20_000)).signed(&api.key)),
        ("deep", api.key.sign(&format!("{head}.{}", encoded("[".repeat(4_000))))),
        ("another token's signature", {
            let other = Jwt::operator("tenants:read").signed(&api.key);
            format!("{head}.{claims}.{}", other.rsplit('.').next().unwrap())
        }),
        ("more scopes than were signed", {
            let small = Jwt::operator("").signed(&api.key);
            let parts: Vec<&str> = small.split('.').collect();
            format!("{}.{claims}.{}", parts[0], parts[2])
        }),
    ];
    for first in ["\"alg\":\"none\"", "\"alg\":\"EdDSA\"", "\"kid\":\"foreign\""] {
        let part = format!("{}.{claims}", encoded(twice(&header_text, first)));
        tokens.push(("a header member twice", api.key.sign(&part)));
    }
    for first in [
        "\"iss\":\"evil\"",
        "\"sub\":\"eve\"",
        "\"exp\":1",
        "\"aud\":\"evil\"",
        "\"role\":\"tenant_admin\"",
        "\"nbf\":1",
    ] {
        let text = if first.starts_with("\"nbf\"") {
            twice(&claims_text, "\"nbf\":9999999999")
        } else {
            claims_text.clone()
        };
        let part = format!("{head}.{}", encoded(twice(&text, first)));
        tokens.push(("a claim twice", api.key.sign(&part)));
    }
    // The last letter of 43 or 86 has bits that mean nothing; another one there would be the same bytes.
    let last = if signature.ends_with('A') { 'B' } else { 'A' };
    tokens.push((
        "other spare bits",
        format!("{head}.{claims}.{}{last}", &signature[..signature.len() - 1]),
    ));
    all_refused(&api, tokens).await;
}

#[actix_web::test]
async fn a_signature_has_one_form() {
    // The order of the group of Ed25519 (RFC 8032 §5.1), least significant byte first.
    const L: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let (_gateway, api) = scene().await;
    let part = Jwt::operator("*").signed_part(&api.key.kid);
    let good = api.key.signature(part.as_bytes());
    let mut larger = good.clone();
    let mut carry = 0_u16;
    for (byte, add) in larger[32..].iter_mut().zip(L) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = u8::try_from(sum & 0xff).unwrap();
        carry = sum >> 8;
    }
    let mut identity = vec![0_u8; 64];
    identity[0] = 1;
    let mut flipped = good.clone();
    flipped[63] ^= 0x80;
    let mut other_r = good.clone();
    other_r[31] ^= 0x80;
    let low_order = [decoded("Jgkd40LKOWkbXA_YYbJP8a0A6_0Q1HbgvF3JbK2Qj_4"), vec![0; 32]].concat();
    let tokens = [
        ("S and the order of the group", larger),
        ("R is the neutral point", identity),
        ("nothing but zeros", vec![0; 64]),
        ("all bits set", vec![0xff; 64]),
        ("the highest bit of S", flipped),
        ("the sign of R", other_r),
        ("R of a small order", low_order),
    ];
    let token = |signature: &[u8]| format!("{part}.{}", encoded(signature));
    all_refused(&api, tokens.into_iter().map(|(what, bytes)| (what, token(&bytes))).collect())
        .await;
    ask(&api, &token(&good)).await.assert(200);
}

#![expect(clippy::string_slice, reason = "tokens are ASCII, and a test may fail")]

use super::{BearerToken, mint};
use crate::credential::fault::TokenFault;
use provisioning::Refusal;
use region_router::{Place, Population, Region};
use scim_core::Quirk;
use secrecy::ExposeSecret;
use std::collections::BTreeSet;

fn places() -> Vec<Place> {
    let regions = ["us", "eu", "a", "apsouth1"].map(|name| Region::parse(name).unwrap());
    let all = Population::ALL;
    regions
        .into_iter()
        .flat_map(|region| all.map(|population| Place { region: region.clone(), population }))
        .collect()
}

fn token() -> String {
    let place = places().remove(2);
    mint(&place).text.expose_secret().to_owned()
}

fn fault(header: &str) -> TokenFault {
    BearerToken::parse(header).unwrap_err()
}

#[test]
fn a_minted_token_always_parses_and_knows_its_place() {
    let mut seen = BTreeSet::new();
    for place in places().iter().cycle().take(4_000) {
        let minted = mint(place);
        let text = minted.text.expose_secret();
        let token = BearerToken::parse(&format!("Bearer {text}")).unwrap();
        assert_eq!((token.place(), token.key_id()), (place, minted.key_id.as_str()));
        assert_eq!(token.expose(), text);
        assert_eq!(token.quirks().quirks().count(), 0);
        assert!(seen.insert(minted.key_id));
    }
}

#[test]
fn bearer_in_any_case_and_the_bare_token_are_taken_and_noted() {
    let token = token();
    for (header, quirk) in [
        (format!("Bearer {token}"), None),
        (format!("  Bearer \t {token} "), None),
        (format!("bearer {token}"), None),
        (format!("BEARER {token}"), None),
        (token.clone(), Some(Quirk::BareToken)),
    ] {
        let parsed = BearerToken::parse(&header).unwrap();
        assert_eq!(parsed.quirks().quirks().collect::<Vec<_>>(), Vec::from_iter(quirk), "{header}");
    }
}

#[test]
fn one_changed_character_is_always_a_wrong_checksum() {
    let token = token();
    let places: Vec<usize> =
        token.char_indices().filter(|(_, c)| *c != '_').map(|(index, _)| index).collect();
    for index in places {
        for other in ('0'..='9').chain('A'..='Z').chain('a'..='z').chain(['-', '.', 'é']) {
            let mut characters: Vec<char> = token.chars().collect();
            if characters[index] == other {
                continue;
            }
            characters[index] = other;
            let changed: String = characters.iter().collect();
            assert_eq!(fault(&changed), TokenFault::Checksum, "{changed}");
        }
    }
}

#[test]
fn two_neighbours_exchanged_are_a_wrong_checksum() {
    let token = token();
    let characters: Vec<char> = token.chars().collect();
    for index in 0..characters.len() - 1 {
        let mut swapped = characters.clone();
        swapped.swap(index, index + 1);
        if swapped == characters || swapped[index] == '_' || swapped[index + 1] == '_' {
            continue;
        }
        assert_eq!(fault(&String::from_iter(swapped)), TokenFault::Checksum);
    }
}

#[test]
fn a_token_cut_anywhere_is_truncated_and_never_accepted() {
    let token = token();
    for length in 4..token.len() {
        assert_eq!(fault(&token[..length]), TokenFault::Truncated, "{length}");
    }
    for start in 1..=token.len() - 66 {
        assert_eq!(fault(&token[start..]), TokenFault::Truncated, "{start}");
    }
    for start in 0..token.len() {
        for end in start..=token.len() {
            assert!(
                (start, end) == (0, token.len()) || BearerToken::parse(&token[start..end]).is_err()
            );
        }
    }
}

/// Each text is refused for the same fault, with the scheme and without.
fn assert_fault<const N: usize>(expected: TokenFault, texts: [String; N]) {
    for text in texts {
        assert_eq!(fault(&format!("Bearer {text}")), expected, "{text:?}");
        assert_eq!(fault(&text), expected, "bare {text:?}");
    }
}

#[test]
fn nothing_is_a_missing_token() {
    for header in ["", " \t", "Bearer", "bearer ", "  BEARER\t"] {
        assert_eq!(fault(header), TokenFault::Missing, "{header:?}");
    }
}

#[test]
fn the_display_hint_is_told_from_a_token() {
    let hint = mint(&places().remove(2)).hint;
    let others = ["mst_eu_pf_••••9f3c", "****9f3c", "mst_eu_pf_…9f3c", "mst_eu_pf_...9f3c"];
    assert_fault(TokenFault::IsHint, [hint]);
    assert_fault(TokenFault::IsHint, others.map(str::to_owned));
}

#[test]
fn the_beginning_or_the_end_of_a_token_is_truncated() {
    let token = token();
    let texts = [&token[..60], "mst_", "mst_eu", "mst_eu_pf", &token[4..]];
    assert_fault(TokenFault::Truncated, texts.map(str::to_owned));
}

#[test]
fn white_space_is_found_also_where_it_cannot_be_seen() {
    let token = token();
    let (front, back) = token.split_at(40);
    for space in
        [" ", "\t", "\u{a0}", "\u{200b}", "\u{2009}", "\u{feff}", "%20", "%C2%A0", "&nbsp;"]
    {
        assert_fault(TokenFault::Whitespace, [format!("{front}{space}{back}")]);
    }
    for space in ["\u{a0}", "\u{200b}", "\u{feff}", "%20", "%09"] {
        assert_fault(
            TokenFault::Whitespace,
            [format!("{token}{space}"), format!("{space}{token}")],
        );
    }
}

#[test]
fn a_line_break_is_found_also_where_it_is_escaped() {
    let token = token();
    let (front, back) = token.split_at(40);
    for end in ["\n", "\r\n", "\\n", "\\r\\n", "%0a", "%0D%0A", "\u{2028}"] {
        assert_fault(
            TokenFault::LineBreak,
            [format!("{token}{end}"), format!("{front}{end}{back}")],
        );
    }
}

#[test]
fn quotes_of_every_kind_are_quotes() {
    let token = token();
    for (open, close) in [
        ("\"", "\""),
        ("'", "'"),
        ("“", "”"),
        ("„", "“"),
        ("«", "»"),
        ("`", "`"),
        ("%22", "%22"),
        ("\"", ""),
    ] {
        assert_fault(TokenFault::Quoted, [format!("{open}{token}{close}")]);
    }
    assert_eq!(fault(&format!("\"Bearer {token}\"")), TokenFault::Quoted);
}

#[test]
fn a_doubled_bearer_is_named_as_that() {
    let token = token();
    for text in [
        format!("Bearer {token}"),
        format!("bearer {token}"),
        "Bearer".into(),
        format!("Bearer: {token}"),
    ] {
        assert_eq!(fault(&format!("Bearer {text}")), TokenFault::DoubledBearer, "{text:?}");
    }
}

#[test]
fn a_key_id_more_than_a_token_and_a_foreign_token_are_told_apart() {
    let key_id = mint(&places().remove(2)).key_id;
    let token = token();
    assert_fault(TokenFault::IsKeyId, [key_id.clone(), format!("tok_{key_id}")]);
    assert_fault(
        TokenFault::Overlong,
        [format!("{token}x"), format!("{token}{token}"), format!("{token}_x")],
    );
    let entra = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL3N0cyJ9.c2ln".to_owned();
    assert_fault(TokenFault::ForeignJwt, [entra, "eyJhbGciOiJub25lIn0.e30.".to_owned()]);
}

#[test]
fn what_resembles_nothing_of_ours_is_not_recognised() {
    let texts = ["non-token", "ghp_0123456789", "a_b_c_d_e", "____", "é", "ten_aaaaaaaaaaaaaaaa"];
    assert_fault(TokenFault::Unrecognised, texts.map(str::to_owned));
    assert_fault(TokenFault::Unrecognised, ["x".repeat(100)]);
}

#[test]
fn a_scheme_other_than_bearer_is_named_as_that() {
    let token = token();
    for scheme in
        ["Basic", "digest", "SSWS", "Token", "AWS4-HMAC-SHA256", "Authorization:", "Bearer:"]
    {
        assert_eq!(fault(&format!("{scheme} {token}")), TokenFault::SchemeUnsupported, "{scheme}");
    }
}

#[test]
fn white_space_other_than_a_space_after_bearer_is_white_space() {
    let token = token();
    assert_eq!(fault(&format!("Bearer\u{a0}{token}")), TokenFault::Whitespace);
    assert_eq!(fault(&format!("Bearer%20{token}")), TokenFault::Whitespace);
}

#[test]
fn a_no_break_space_of_latin_1_is_white_space() {
    let mut bytes = token().into_bytes();
    assert!(BearerToken::parse_bytes(&bytes).is_ok());
    bytes.push(0xa0);
    assert_eq!(BearerToken::parse_bytes(&bytes).unwrap_err(), TokenFault::Whitespace);
}

#[test]
fn a_token_with_a_right_checksum_that_we_never_make_is_not_recognised() {
    let token = token();
    let body = token.split_at(token.len() - 6).0;
    for (from, to) in
        [("mst_", "mzt_"), ("_pf_", "_zz_"), ("_bd_", "_zz_"), ("_eu_", "_EU_"), ("_eu_", "__")]
    {
        let forged = body.replacen(from, to, 1);
        if forged != body {
            let forged = format!("{forged}{}", super::checksum(&forged));
            assert_eq!(fault(&forged), TokenFault::Unrecognised, "{forged}");
        }
    }
}

#[test]
fn the_hint_shows_nothing_of_the_secret_and_debug_shows_nothing_of_the_token() {
    let minted = mint(&places().remove(2));
    let token = minted.text.expose_secret();
    let (front, last_four) = minted.hint.split_once("****").unwrap();
    assert!(token.starts_with(front) && token.ends_with(last_four));
    assert_eq!((front, last_four.len()), ("mst_eu_pf_", 4));
    let printed = format!("{:?}", BearerToken::parse(token).unwrap());
    assert!(!printed.contains(&token[27..]), "{printed}");
}

#[test]
fn every_fault_has_its_own_reason_and_text() {
    let reasons: BTreeSet<_> = TokenFault::ALL.iter().map(|fault| fault.reason()).collect();
    let texts: BTreeSet<_> = TokenFault::ALL.iter().map(|fault| fault.detail()).collect();
    assert_eq!((reasons.len(), texts.len()), (13, 13));
    for fault in TokenFault::ALL {
        let refusal = Refusal::from(fault);
        assert_eq!(refusal.reason.status(), 401);
        assert!(refusal.detail.ends_with('.'));
    }
}

#[test]
fn what_is_not_made_of_digits_is_no_token_even_if_its_checksum_fits() {
    for (key_id, first) in [("0123456789abcde\u{1b}", "0"), ("0123456789abcdef", "é")] {
        let body = format!("mst_us_pf_{key_id}_{first}{}", "0".repeat(42));
        let text = format!("{body}{}", super::checksum(&body));
        assert_eq!(fault(&text), TokenFault::Unrecognised, "{text:?}");
    }
}

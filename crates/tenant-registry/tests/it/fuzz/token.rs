//! An `Authorization` header: read, made again from what was read, and changed by one byte.

use tenant_registry::BearerToken;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Any bytes. Behind a `~` stands a token without its checksum, which no fuzzer would guess.
pub(crate) fn run(data: &[u8]) {
    match data.strip_prefix(b"~") {
        None => check(data),
        Some(body) => {
            let Ok(body) = std::str::from_utf8(body) else { return };
            check(format!("Bearer {body}{}", checksum(body)).as_bytes());
        }
    }
}

fn check(header: &[u8]) {
    let Ok(token) = BearerToken::parse_bytes(header) else { return };
    // Only ASCII is in a token, so the header was UTF-8.
    let text = std::str::from_utf8(header).unwrap_or_default();
    let word = text.trim_matches([' ', '\t']).rsplit([' ', '\t']).next().unwrap_or_default();
    let place = token.place();
    let places = format!("_{}_{}_{}_", place.region, place.population.code(), token.key_id());
    // A credential's token, or an access token, which has the same form.
    let fronts = ["mst", "mat"].map(|prefix| format!("{prefix}{places}"));
    let Some(front) = fronts.iter().find(|front| word.starts_with(front.as_str())) else {
        panic!("a token that is not made of what was read from it");
    };
    let tail = word.strip_prefix(front.as_str()).unwrap_or_default();
    let (secret, sum) = tail.split_at(43);
    assert_eq!(sum, checksum(&format!("{front}{secret}")), "the checksum");
    assert_eq!((token.key_id().len(), tail.len()), (16, 49), "the lengths");
    let is_digit = |byte: u8| DIGITS.contains(&byte);
    assert!(token.key_id().bytes().chain(tail.bytes()).all(is_digit), "digits of base 62");
    assert!(!format!("{token:?}").contains(secret), "a secret is not printed");

    let again = BearerToken::parse(&format!("Bearer {word}"));
    assert!(again.is_ok_and(|again| again.key_id() == token.key_id() && again.place() == place));
    check_changed(header, word);
}

/// A header with one other byte is no other token: what still parses has the same one, behind another scheme.
fn check_changed(header: &[u8], word: &str) {
    for place in 0..header.len() {
        let mut changed = header.to_vec();
        let Some(byte) = changed.get_mut(place) else { continue };
        // Another digit, another case, another bit.
        let was = *byte;
        for is in [was ^ 1, was ^ 0x20, digit(usize::from(was)), b'_', 0x80 | was] {
            if is == was {
                continue;
            }
            if let Some(byte) = changed.get_mut(place) {
                *byte = is;
            }
            if BearerToken::parse_bytes(&changed).is_ok() {
                let text = String::from_utf8_lossy(&changed).into_owned();
                assert!(text.trim_end().ends_with(word), "another token by one byte");
            }
        }
    }
}

fn checksum(body: &str) -> String {
    let mut number = crc32fast::hash(body.as_bytes());
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = self::digit(usize::try_from(number % 62).unwrap_or_default());
        number /= 62;
    }
    digits.iter().copied().map(char::from).collect()
}

fn digit(number: usize) -> u8 {
    DIGITS.get(number % DIGITS.len()).copied().unwrap_or_default()
}

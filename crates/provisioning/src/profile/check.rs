//! The shapes of values that profiles ask for.
//!
//! **Invariant**: a shape is checked, never repaired: values are stored and returned as they were sent.

/// Whether the text looks like an e-mail address: one `@`, a local part, and a domain of at least two labels.
///
/// Deliberately less than RFC 5321 §4.1.2 (no quoted local parts, no address literals) and as much as RFC 6531 §3.3 where
/// letters beyond ASCII are concerned.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let fits = |c: char| !c.is_whitespace() && !c.is_control() && !"\"(),:;<>[\\]".contains(c);
    let local_fits = local.len() <= 64
        && local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(fits));
    let label_fits = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c == '-' || c.is_ascii_alphanumeric() || is_beyond_ascii(c))
    };
    text.len() <= 254 && local_fits && domain.contains('.') && domain.split('.').all(label_fits)
}

/// Letters and combining marks of internationalised names; which of them a domain may have is for its registry to say.
fn is_beyond_ascii(c: char) -> bool {
    !c.is_ascii() && !c.is_whitespace() && !c.is_control()
}

/// Whether the text is a two-letter language, perhaps with a script and a region: `en`, `en-US`, `zh-Hant-TW`.
///
/// RFC 7643 §4.1.1 makes preferredLanguage an Accept-Language value; tags are compared in any case (RFC 5646 §2.1.1).
pub(super) fn is_language(text: &str) -> bool {
    let letters = |part: &str, count: usize| {
        part.len() == count && part.bytes().all(|b| b.is_ascii_alphabetic())
    };
    let is_script = |part: &str| letters(part, 4);
    let is_region = |part: &str| {
        letters(part, 2) || (part.len() == 3 && part.bytes().all(|b| b.is_ascii_digit()))
    };
    let parts: Vec<&str> = text.split('-').collect();
    match parts.as_slice() {
        [language] => letters(language, 2),
        [language, last] => letters(language, 2) && (is_region(last) || is_script(last)),
        [language, script, region] => {
            letters(language, 2) && is_script(script) && is_region(region)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{is_email, is_language};

    #[test]
    fn an_e_mail_address_has_a_local_part_and_a_domain_of_two_labels() {
        for good in ["a@b.c", "ada.l+x@mail.example.com", "o'neil@x-y.org", "åsa@exämple.se"] {
            assert!(is_email(good), "{good:?}");
        }
        for bad in [
            "", "ada", "@b.c", "a@", "a@b", "a@b.", "a@.c", "a b@c.d", "a@b c.d", "a@b@c.d",
            "<a@b.c>", "a..b@c.d", ".a@b.c", "a@-b.c", "a@b.c ", "a@b.c\n", "a,b@c.d", "a@b,c.d",
            "a@b_.c",
        ] {
            assert!(!is_email(bad), "{bad:?}");
        }
        assert!(!is_email(&format!("{}@b.c", "a".repeat(65))));
    }

    #[test]
    fn a_language_is_two_letters_with_or_without_a_region() {
        for good in ["en", "en-US", "EN-us", "es-419", "zh-Hant", "zh-Hant-TW"] {
            assert!(is_language(good), "{good:?}");
        }
        for bad in ["", "e", "eng", "en_US", "english", "en-", "-US", "en-USA", "en-US-x", "en;q=1"]
        {
            assert!(!is_language(bad), "{bad:?}");
        }
    }
}

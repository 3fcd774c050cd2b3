//! What is wrong with a text that should be a token (requirements N3: "that is not the token").
//!
//! **Invariant**: a fault is told from the text alone, without the registry, and its own text repeats nothing of what was
//! sent.

use provisioning::{Reason, Refusal};

/// What was sent in place of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{}", self.detail())]
pub enum TokenFault {
    /// Nothing.
    Missing,
    /// The hint that is shown in place of the token.
    IsHint,
    /// A token without its beginning or end.
    Truncated,
    /// White space within the token.
    Whitespace,
    /// A line break within or after it.
    LineBreak,
    /// Quotes around it.
    Quoted,
    /// `Bearer Bearer`.
    DoubledBearer,
    /// The key id.
    IsKeyId,
    /// A token with a changed character.
    Checksum,
    /// More than one token.
    Overlong,
    /// A JSON Web Token.
    ForeignJwt,
    /// A scheme other than Bearer.
    SchemeUnsupported,
    /// Something else.
    Unrecognised,
}

impl TokenFault {
    /// Every fault.
    pub const ALL: [Self; 13] = [
        Self::Missing,
        Self::IsHint,
        Self::Truncated,
        Self::Whitespace,
        Self::LineBreak,
        Self::Quoted,
        Self::DoubledBearer,
        Self::IsKeyId,
        Self::Checksum,
        Self::Overlong,
        Self::ForeignJwt,
        Self::SchemeUnsupported,
        Self::Unrecognised,
    ];

    /// The reason code.
    #[must_use]
    pub fn reason(self) -> Reason {
        match self {
            Self::Missing => Reason::TokenMissing,
            Self::IsHint => Reason::TokenIsHint,
            Self::Truncated => Reason::TokenTruncated,
            Self::Whitespace => Reason::TokenWhitespace,
            Self::LineBreak => Reason::TokenLineBreak,
            Self::Quoted => Reason::TokenQuoted,
            Self::DoubledBearer => Reason::TokenDoubledBearer,
            Self::IsKeyId => Reason::TokenIsKeyId,
            Self::Checksum => Reason::TokenChecksum,
            Self::Overlong => Reason::TokenOverlong,
            Self::ForeignJwt => Reason::TokenForeignJwt,
            Self::SchemeUnsupported => Reason::TokenSchemeUnsupported,
            Self::Unrecognised => Reason::TokenUnrecognised,
        }
    }

    /// Which fault it is and what to do, for the administrator.
    #[must_use]
    pub fn detail(self) -> &'static str {
        match self {
            Self::Missing => {
                "No token was sent. Put the token into the token field of your identity provider (Secret Token in Entra, \
                 Authorization in Okta)."
            }
            Self::IsHint => {
                "This is the display hint, not the token: the token itself was shown once, when it was generated. Generate \
                 a new token and paste that."
            }
            Self::Truncated => {
                "This token is truncated: some of its characters are missing. Copy the whole token, or generate a new one \
                 and paste that."
            }
            Self::Whitespace => {
                "There is white space inside this token, perhaps encoded or invisible. Copy the token again without it; a \
                 token is one word."
            }
            Self::LineBreak => {
                "There is a line break in or after this token, perhaps written as \\n or %0A. Copy the token again without \
                 it; a token is one line."
            }
            Self::Quoted => "There are quotes around this token. Paste the token without them.",
            Self::DoubledBearer => {
                "The word Bearer was sent twice: your identity provider adds it by itself. Paste the token alone, without \
                 Bearer in front."
            }
            Self::IsKeyId => {
                "This is the id of a token, not the token: the token itself was shown once, when it was generated. Generate \
                 a new token and paste that."
            }
            Self::Checksum => {
                "This token has a wrong character: its checksum does not fit. Copy the token again, or generate a new one \
                 and paste that."
            }
            Self::Overlong => {
                "There is more here than a token; perhaps it was pasted twice. Clear the field and paste the token once."
            }
            Self::ForeignJwt => {
                "This is a JSON Web Token that was not issued here. Entra sends one of its own when its Secret Token field is \
                 empty: put the token there."
            }
            Self::SchemeUnsupported => {
                "The Authorization header must hold Bearer and the token; other schemes, such as Basic, are not taken. Choose \
                 bearer or header authentication in your identity provider."
            }
            Self::Unrecognised => {
                "This is not a token of this service. A token begins with mst_ and the name of its region. Generate a token \
                 and paste that."
            }
        }
    }
}

impl From<TokenFault> for Refusal {
    fn from(fault: TokenFault) -> Self {
        Self::new(fault.reason(), fault.detail())
    }
}

//! The identity providers that have a guide.

use std::fmt;

/// An identity provider, as an administrator knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Idp {
    /// Okta, with an application made with the App Integration Wizard.
    OktaWizard,
    /// Okta, with an application of its catalogue.
    OktaCatalogue,
    /// Microsoft Entra ID.
    Entra,
    /// OneLogin.
    OneLogin,
    /// JumpCloud.
    JumpCloud,
    /// PingOne and `PingFederate`.
    Ping,
    /// Google Workspace.
    Google,
    /// Everything else that speaks SCIM 2.0.
    Custom,
}

impl Idp {
    /// Every one that has a guide.
    pub const ALL: [Self; 8] = [
        Self::OktaWizard,
        Self::OktaCatalogue,
        Self::Entra,
        Self::OneLogin,
        Self::JumpCloud,
        Self::Ping,
        Self::Google,
        Self::Custom,
    ];

    /// Parses the word used on the command line, in the registry and in file names.
    ///
    /// # Errors
    /// When the word names none.
    pub fn parse(text: &str) -> Result<Self, IdpError> {
        Self::ALL.into_iter().find(|known| known.as_str() == text).ok_or(IdpError)
    }

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OktaWizard => "okta",
            Self::OktaCatalogue => "okta-catalogue",
            Self::Entra => "entra",
            Self::OneLogin => "onelogin",
            Self::JumpCloud => "jumpcloud",
            Self::Ping => "ping",
            Self::Google => "google",
            Self::Custom => "custom",
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OktaWizard => "Okta",
            Self::OktaCatalogue => "Okta (application of the catalogue)",
            Self::Entra => "Microsoft Entra ID",
            Self::OneLogin => "OneLogin",
            Self::JumpCloud => "JumpCloud",
            Self::Ping => "PingOne or PingFederate",
            Self::Google => "Google Workspace",
            Self::Custom => "any other identity provider",
        }
    }
}

impl fmt::Display for Idp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no identity provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an identity provider is okta, okta-catalogue, entra, onelogin, jumpcloud, ping, google or custom"
)]
pub struct IdpError;

//! What is written about one identity provider, before a tenant's values are filled in.
//!
//! Texts hold names in braces, such as `{base}`; see [`super::fill`].

use crate::reason::Reason;

/// For which tenants something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// All.
    Always,
    /// Those that take groups.
    Groups,
    /// Those that take none.
    NoGroups,
    /// Those whose profile wants the userName to be the e-mail address (requirements S1-22).
    NameIsEmail,
    /// Those whose profile checks languages (requirements S3-10).
    Language,
}

/// What is done with a field of the identity provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// Paste this text, exactly.
    Paste(&'static str),
    /// Choose this.
    Choose(&'static str),
    /// Enter what was shown once, when it was made.
    Secret,
    /// Enter something of the administrator's own.
    Own,
    /// Leave it empty.
    Empty,
}

/// One field.
#[derive(Debug)]
pub(super) struct FieldText {
    /// The same for every identity provider, so that a program finds it.
    pub(super) key: &'static str,
    /// The identity provider's own word.
    pub(super) label: &'static str,
    pub(super) entry: Entry,
    pub(super) note: &'static str,
}

/// A switch for something that the identity provider may do.
#[derive(Debug)]
pub(super) struct ActionText {
    pub(super) label: &'static str,
    /// Whether it is switched on; with [`When::Groups`], only by a tenant that takes groups.
    pub(super) on: When,
    pub(super) note: &'static str,
}

/// A sentence, or some.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) when: When,
    pub(super) text: &'static str,
}

/// One step.
#[derive(Debug)]
pub(super) struct StepText {
    pub(super) when: When,
    pub(super) title: &'static str,
    pub(super) text: &'static str,
}

/// What comes of something that is done in the identity provider.
#[derive(Debug)]
pub(super) struct EventText {
    pub(super) done: &'static str,
    pub(super) sent: &'static str,
    pub(super) here: &'static str,
}

/// What to do about a refusal.
#[derive(Debug)]
pub(super) struct TroubleText {
    pub(super) when: When,
    pub(super) reasons: &'static [Reason],
    pub(super) text: &'static str,
}

/// All about one identity provider.
#[derive(Debug)]
pub(super) struct Guide {
    /// When the steps were last compared with the identity provider's own pages.
    pub(super) revised: &'static str,
    /// What it is called in a sentence.
    pub(super) called: &'static str,
    pub(super) intro: &'static str,
    pub(super) before: &'static [Said],
    pub(super) connection: &'static [FieldText],
    /// The fields of OAuth client credentials, where it knows them.
    pub(super) oauth: &'static [FieldText],
    pub(super) oauth_note: &'static str,
    pub(super) actions: &'static [ActionText],
    pub(super) rules: &'static [Said],
    /// How an attribute that the tenant declared itself is mapped.
    pub(super) own: &'static str,
    pub(super) saml: &'static [FieldText],
    /// What the product wants in return: its field, and what the identity provider calls it.
    pub(super) saml_returns: &'static [(&'static str, &'static str)],
    pub(super) saml_note: &'static str,
    pub(super) steps: &'static [StepText],
    pub(super) events: &'static [EventText],
    pub(super) troubles: &'static [TroubleText],
    pub(super) notes: &'static [Said],
    /// Where its provisioning is switched on (requirements S2-37).
    pub(super) switch: &'static str,
    /// Where it shows our answers (requirements S2-40).
    pub(super) log: &'static str,
    /// How what failed is tried again.
    pub(super) again: &'static str,
}

/// A sentence for everybody.
pub(super) const fn said(text: &'static str) -> Said {
    Said { when: When::Always, text }
}

/// A sentence for some.
pub(super) const fn when(when: When, text: &'static str) -> Said {
    Said { when, text }
}

/// A step for everybody.
pub(super) const fn step(title: &'static str, text: &'static str) -> StepText {
    StepText { when: When::Always, title, text }
}

/// A step for some.
pub(super) const fn step_when(when: When, title: &'static str, text: &'static str) -> StepText {
    StepText { when, title, text }
}

/// A row of what happens when.
pub(super) const fn event(done: &'static str, sent: &'static str, here: &'static str) -> EventText {
    EventText { done, sent, here }
}

/// A switch that is on.
pub(super) const fn on(label: &'static str, note: &'static str) -> ActionText {
    ActionText { label, on: When::Always, note }
}

/// A switch that is on where groups are taken.
pub(super) const fn on_with_groups(label: &'static str, note: &'static str) -> ActionText {
    ActionText { label, on: When::Groups, note }
}

/// A field.
pub(super) const fn field(
    key: &'static str,
    label: &'static str,
    entry: Entry,
    note: &'static str,
) -> FieldText {
    FieldText { key, label, entry, note }
}

/// A refusal that any tenant may meet.
pub(super) const fn trouble(reasons: &'static [Reason], text: &'static str) -> TroubleText {
    TroubleText { when: When::Always, reasons, text }
}

/// A refusal that some tenants may meet.
pub(super) const fn trouble_when(
    when: When,
    reasons: &'static [Reason],
    text: &'static str,
) -> TroubleText {
    TroubleText { when, reasons, text }
}

//! What an administrator types into an identity provider, for one tenant: every value, every step, what maps to what.
//!
//! The command line, the admin API and the pages in `docs/idp` say the same, because they are made from this.
//!
//! **Invariant**: pure. A value is exact for the tenant's region and population, so that nobody has to edit a URL
//! (requirements S1-07, S2-03), and a secret is never in it.

mod custom;
mod entra;
mod fill;
mod google;
mod guide;
mod hints;
mod idp;
mod jumpcloud;
mod mapping;
mod okta;
mod okta_catalogue;
mod onelogin;
mod ping;
mod shared;
mod text;

use crate::profile::{Profile, ProfileId};
use crate::reason::Reason;
use fill::Fill;
use guide::{Entry, FieldText, Guide, Said};
use scim_core::Custom;

pub use guide::When;
pub use idp::{Idp, IdpError};
pub use mapping::{Mapping, Need, Own};

/// What is particular to a tenant.
#[derive(Debug, Clone)]
pub struct Values {
    /// The SCIM base URL of its place.
    pub base_url: String,
    /// Scheme, host and port of its place.
    pub origin: String,
    /// Where OAuth access tokens are had.
    pub token_endpoint: String,
    /// The region's word.
    pub region: String,
    /// The population's word.
    pub population: String,
    /// The tenant's short name.
    pub slug: String,
    /// The role of a new person.
    pub role: String,
    /// Whether it takes groups.
    pub groups: bool,
    /// What it has declared beyond the RFC.
    pub own: Option<Custom>,
    /// Whether this is for everybody: then all is said, each with its [`When`].
    pub general: bool,
}

/// What is entered into a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entered {
    /// This, exactly.
    Paste(String),
    /// This choice.
    Choose(String),
    /// A secret that was shown once.
    Secret,
    /// Something of the administrator's own.
    Own,
    /// Nothing.
    Empty,
}

impl Entered {
    /// One word for what is done.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Paste(_) => "paste",
            Self::Choose(_) => "choose",
            Self::Secret => "secret",
            Self::Own => "own",
            Self::Empty => "empty",
        }
    }

    /// The text, where there is one.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        match self {
            Self::Paste(text) | Self::Choose(text) => Some(text),
            Self::Secret | Self::Own | Self::Empty => None,
        }
    }
}

/// A field of the identity provider.
#[derive(Debug, Clone)]
pub struct Field {
    /// The same for every identity provider.
    pub key: &'static str,
    /// What the identity provider calls it.
    pub label: String,
    /// What is entered.
    pub entered: Entered,
    /// What there is to know; may be empty.
    pub note: String,
}

/// A switch for something that the identity provider may do.
#[derive(Debug, Clone)]
pub struct Action {
    /// What the identity provider calls it.
    pub label: String,
    /// Whether it is to be on.
    pub on: bool,
    /// For which tenants it is on.
    pub when: When,
    /// What there is to know; may be empty.
    pub note: String,
}

/// One step.
#[derive(Debug, Clone)]
pub struct Step {
    /// For which tenants.
    pub when: When,
    /// In a word or two.
    pub title: String,
    /// What to do.
    pub text: String,
}

/// A sentence, or some.
#[derive(Debug, Clone)]
pub struct Remark {
    /// For which tenants.
    pub when: When,
    /// What there is to know.
    pub text: String,
}

/// What comes of something that is done in the identity provider.
#[derive(Debug, Clone)]
pub struct Event {
    /// What is done.
    pub done: String,
    /// What is sent.
    pub sent: String,
    /// What becomes of it here.
    pub here: String,
}

/// A question to ask when something does not work, and its answer.
#[derive(Debug, Clone)]
pub struct Hint {
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: String,
}

/// What to do about a refusal.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// For which tenants.
    pub when: When,
    /// The reasons that are in the answer and in the log.
    pub reasons: &'static [Reason],
    /// What it means and what to do.
    pub text: String,
}

/// The values of single sign-on, which is of the same application (requirements S1-15).
#[derive(Debug, Clone)]
pub struct Saml {
    /// What is entered in the identity provider.
    pub fields: Vec<Field>,
    /// What is taken from there: our field, and what the identity provider calls it.
    pub returns: Vec<(String, String)>,
    /// What there is to know.
    pub note: String,
}

/// Everything that an administrator needs to connect one tenant to one identity provider.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Which identity provider.
    pub idp: Idp,
    /// When the steps were last compared with the identity provider's own pages.
    pub revised: &'static str,
    /// Whose values these are.
    pub values: Values,
    /// The rules of the product.
    pub profile: ProfileId,
    /// What it is about.
    pub intro: String,
    /// What has to be there first.
    pub before: Vec<Remark>,
    /// The fields of the connection.
    pub connection: Vec<Field>,
    /// The fields of OAuth client credentials in place of a token; empty where they are not known.
    pub oauth: Vec<Field>,
    /// When to take them; may be empty.
    pub oauth_note: String,
    /// What the identity provider may do.
    pub actions: Vec<Action>,
    /// What maps to what.
    pub mapping: Vec<Mapping>,
    /// What must hold of the mapping.
    pub rules: Vec<Remark>,
    /// The tenant's own attributes.
    pub own: Vec<Own>,
    /// How those are mapped.
    pub own_note: String,
    /// Single sign-on.
    pub saml: Saml,
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// What happens when.
    pub events: Vec<Event>,
    /// What to ask when something does not work.
    pub hints: Vec<Hint>,
    /// What to do about a refusal.
    pub troubles: Vec<Trouble>,
    /// What else there is to know.
    pub notes: Vec<Remark>,
}

/// The setup of one tenant with one identity provider.
#[must_use]
pub fn setup(idp: Idp, profile: &Profile, values: &Values) -> Setup {
    let guide = guide(idp);
    let fill = Fill::new(values, profile, guide.called);
    let holds = |when: When| holds(when, profile, values);
    let remarks = |all: &[Said]| -> Vec<Remark> {
        all.iter()
            .filter(|said| holds(said.when))
            .map(|said| Remark { when: said.when, text: fill.text(said.text) })
            .collect()
    };
    let actions = guide.actions.iter().map(|action| Action {
        label: fill.text(action.label),
        on: holds(action.on),
        when: action.on,
        note: fill.text(action.note),
    });
    let steps = guide.steps.iter().filter(|step| holds(step.when)).map(|step| Step {
        when: step.when,
        title: fill.text(step.title),
        text: fill.text(step.text),
    });
    let troubles = guide.troubles.iter().filter(|row| holds(row.when)).map(|row| Trouble {
        when: row.when,
        reasons: row.reasons,
        text: fill.text(row.text),
    });
    Setup {
        idp,
        revised: guide.revised,
        values: values.clone(),
        profile: profile.id(),
        intro: fill.text(guide.intro),
        before: remarks(guide.before),
        connection: fields(guide.connection, &fill),
        oauth: fields(guide.oauth, &fill),
        oauth_note: fill.text(guide.oauth_note),
        actions: actions.collect(),
        mapping: mapping::of(idp, profile),
        rules: remarks(guide.rules),
        own: mapping::own(values.own.as_ref(), idp),
        own_note: fill.text(guide.own),
        saml: saml(guide, &fill),
        steps: steps.collect(),
        events: events(guide, &fill),
        hints: hints::of(guide, idp, &fill, holds),
        troubles: troubles.collect(),
        notes: remarks(guide.notes),
    }
}

fn guide(idp: Idp) -> &'static Guide {
    match idp {
        Idp::OktaWizard => &okta::GUIDE,
        Idp::OktaCatalogue => &okta_catalogue::GUIDE,
        Idp::Entra => &entra::GUIDE,
        Idp::OneLogin => &onelogin::GUIDE,
        Idp::JumpCloud => &jumpcloud::GUIDE,
        Idp::Ping => &ping::GUIDE,
        Idp::Google => &google::GUIDE,
        Idp::Custom => &custom::GUIDE,
    }
}

fn holds(when: When, profile: &Profile, values: &Values) -> bool {
    if values.general {
        return true;
    }
    match when {
        When::Always => true,
        When::Groups => values.groups,
        When::NoGroups => !values.groups,
        When::NameIsEmail => profile.wants_email_as_name(),
        When::Language => profile.checks_language(),
    }
}

fn fields(texts: &[FieldText], fill: &Fill) -> Vec<Field> {
    texts
        .iter()
        .map(|field| Field {
            key: field.key,
            label: fill.text(field.label),
            entered: match field.entry {
                Entry::Paste(text) => Entered::Paste(fill.text(text)),
                Entry::Choose(text) => Entered::Choose(fill.text(text)),
                Entry::Secret => Entered::Secret,
                Entry::Own => Entered::Own,
                Entry::Empty => Entered::Empty,
            },
            note: fill.text(field.note),
        })
        .collect()
}

fn saml(guide: &Guide, fill: &Fill) -> Saml {
    let returns = guide.saml_returns.iter();
    Saml {
        fields: fields(guide.saml, fill),
        returns: returns.map(|(ours, theirs)| (fill.text(ours), fill.text(theirs))).collect(),
        note: fill.text(guide.saml_note),
    }
}

fn events(guide: &Guide, fill: &Fill) -> Vec<Event> {
    let event = |event: &guide::EventText| Event {
        done: fill.text(event.done),
        sent: fill.text(event.sent),
        here: fill.text(event.here),
    };
    guide.events.iter().map(event).collect()
}

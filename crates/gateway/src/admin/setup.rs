//! What an administrator types into an identity provider, as the command line and the admin API give it.
//!
//! **Invariant**: nothing secret is in it, and every URL is one of [`Hosts`].

use super::answer::Answer;
use super::call::Call;
use super::problem::Problem;
use provisioning::Profile;
use provisioning::setup::{Event, Field, Idp, Mapping, Own, Remark, Setup, Values, setup};
use region_router::{Hosts, Place, Population};
use serde::Serialize;
use tenant_registry::Tenant;

/// Where access tokens are had, on each SCIM host.
const TOKEN_PATH: &str = "/oauth2/token";

/// The identity provider that a tenant has chosen, else any.
#[must_use]
pub fn provider(tenant: &Tenant) -> Idp {
    Idp::parse(&tenant.provider).unwrap_or(Idp::Custom)
}

/// The setup of one population of a tenant.
#[must_use]
pub fn setup_of(tenant: &Tenant, hosts: &Hosts, idp: Idp, population: Population) -> Setup {
    let place = Place { region: tenant.region.clone(), population };
    let origin = hosts.origin(&place);
    let values = Values {
        base_url: hosts.base_url(&place),
        token_endpoint: format!("{origin}{TOKEN_PATH}"),
        origin,
        region: tenant.region.as_str().to_owned(),
        population: population.as_str().to_owned(),
        slug: tenant.slug.clone(),
        role: tenant.role_of(population).to_owned(),
        groups: tenant.groups && tenant.groups_in_plan,
        own: tenant.extension.declared.clone(),
        general: false,
    };
    setup(idp, Profile::of(tenant.profile), &values)
}

/// `GET /tenants/{tenant}/setup`.
///
/// # Errors
/// As its row says.
pub fn read(call: &Call) -> Result<Answer, Problem> {
    let tenant = call.tenant()?;
    let asked = call.query.text("idp").and_then(|word| Idp::parse(word).ok());
    let idp = asked.unwrap_or_else(|| provider(tenant));
    let population = call.query.text("population").and_then(|word| Population::parse(word).ok());
    let population = population.unwrap_or(tenant.population);
    let setup = setup_of(tenant, &call.admin.hosts, idp, population);
    Ok(Answer::ok(&SetupView::from(&setup)))
}

/// Everything that an administrator needs to connect one tenant to one identity provider.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = Setup)]
pub struct SetupView {
    /// The tenant's short name.
    pub tenant: String,
    /// The identity provider: okta, okta-catalogue, entra, onelogin, jumpcloud, ping, google or custom.
    pub idp: String,
    /// Its name.
    pub idp_name: String,
    /// The day on which the steps were last compared with the identity provider's own pages.
    pub revised: String,
    /// The tenant's region.
    pub region: String,
    /// Who is provisioned.
    pub population: String,
    /// The rules of the product.
    pub profile: String,
    /// The SCIM base URL.
    pub scim_base_url: String,
    /// Where OAuth access tokens are had.
    pub token_endpoint: String,
    /// What it is about.
    pub intro: String,
    /// What has to be there first.
    pub before: Vec<String>,
    /// The fields of the connection.
    pub connection: Vec<FieldView>,
    /// The fields in place of a token; none where the identity provider knows no client credentials.
    pub oauth: Vec<FieldView>,
    /// When to take them.
    pub oauth_note: String,
    /// What the identity provider may do.
    pub actions: Vec<ActionView>,
    /// What maps to what.
    pub mapping: Vec<MappingView>,
    /// What must hold of the mapping.
    pub mapping_rules: Vec<String>,
    /// The attributes that the tenant has declared itself.
    pub own_attributes: Vec<OwnView>,
    /// How those are mapped.
    pub own_note: String,
    /// Single sign-on.
    pub saml: SamlView,
    /// What to do, in order.
    pub steps: Vec<StepView>,
    /// What happens when.
    pub events: Vec<EventView>,
    /// What to ask when something does not work.
    pub hints: Vec<HintView>,
    /// What to do about a refusal.
    pub troubles: Vec<TroubleView>,
    /// What else there is to know.
    pub notes: Vec<String>,
}

/// A field of the identity provider.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = SetupField)]
pub struct FieldView {
    /// The same for every identity provider, such as `base_url`, `token` or `saml_acs`.
    pub key: String,
    /// What the identity provider calls it.
    pub label: String,
    /// What is done with it: paste, choose, secret, own or empty.
    pub entered: String,
    /// What is pasted or chosen.
    pub value: Option<String>,
    /// What there is to know.
    pub note: String,
}

/// A switch for something that the identity provider may do.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = SetupAction)]
pub struct ActionView {
    /// What the identity provider calls it.
    pub label: String,
    /// Whether it is to be on.
    pub on: bool,
    /// What there is to know.
    pub note: String,
}

/// One row of the table of attributes.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = SetupMapping)]
pub struct MappingView {
    /// The SCIM attribute.
    pub attribute: String,
    /// What it is filled from, in the identity provider's words.
    pub source: String,
    /// required, recommended or optional.
    pub need: String,
    /// What a value looks like.
    pub format: String,
}

/// An attribute that the tenant has declared itself.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = SetupAttribute)]
pub struct OwnView {
    /// The URN of its schema.
    pub schema: String,
    /// Its name.
    pub attribute: String,
    /// Its type, with `array` behind it where a person may have several values.
    #[serde(rename = "type")]
    pub kind: String,
    /// What is entered for it in the identity provider.
    pub written: String,
    /// What it is, for people.
    pub description: String,
    /// The usual values; others are taken too.
    pub values: Vec<String>,
    /// Whether a user must have it.
    pub required: bool,
}

/// The values of single sign-on.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = SetupSaml)]
pub struct SamlView {
    /// What is entered in the identity provider.
    pub fields: Vec<FieldView>,
    /// What is taken from there.
    pub returns: Vec<ReturnView>,
    /// What there is to know: which value is the identifier and which the audience.
    pub note: String,
}

/// A value that the identity provider gives.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = SetupReturn)]
pub struct ReturnView {
    /// The field of the product.
    pub field: String,
    /// What the identity provider calls it.
    pub from: String,
}

/// One step.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = SetupStep)]
pub struct StepView {
    /// In a word or two.
    pub title: String,
    /// What to do.
    pub text: String,
}

/// What comes of something that is done in the identity provider.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = SetupEvent)]
pub struct EventView {
    /// What is done.
    pub done: String,
    /// What is sent.
    pub sent: String,
    /// What becomes of it here.
    pub here: String,
}

/// A question to ask when something does not work.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = SetupHint)]
pub struct HintView {
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: String,
}

/// What to do about a refusal.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = SetupTrouble)]
pub struct TroubleView {
    /// The reasons, as the header `X-Reason` and the log have them.
    pub reasons: Vec<String>,
    /// What it means and what to do.
    pub text: String,
}

impl From<&Setup> for SetupView {
    fn from(setup: &Setup) -> Self {
        let values = &setup.values;
        let texts =
            |all: &[Remark]| -> Vec<String> { all.iter().map(|one| one.text.clone()).collect() };
        let actions = setup.actions.iter().map(|action| ActionView {
            label: action.label.clone(),
            on: action.on,
            note: action.note.clone(),
        });
        let steps = setup
            .steps
            .iter()
            .map(|step| StepView { title: step.title.clone(), text: step.text.clone() });
        let hints = setup
            .hints
            .iter()
            .map(|hint| HintView { question: hint.question.clone(), answer: hint.answer.clone() });
        let troubles = setup.troubles.iter().map(|trouble| TroubleView {
            reasons: trouble.reasons.iter().map(ToString::to_string).collect(),
            text: trouble.text.clone(),
        });
        let returns = setup.saml.returns.iter();
        Self {
            tenant: values.slug.clone(),
            idp: setup.idp.to_string(),
            idp_name: setup.idp.name().to_owned(),
            revised: setup.revised.to_owned(),
            region: values.region.clone(),
            population: values.population.clone(),
            profile: setup.profile.to_string(),
            scim_base_url: values.base_url.clone(),
            token_endpoint: values.token_endpoint.clone(),
            intro: setup.intro.clone(),
            before: texts(&setup.before),
            connection: fields(&setup.connection),
            oauth: fields(&setup.oauth),
            oauth_note: setup.oauth_note.clone(),
            actions: actions.collect(),
            mapping: setup.mapping.iter().map(mapping).collect(),
            mapping_rules: texts(&setup.rules),
            own_attributes: setup.own.iter().map(own).collect(),
            own_note: setup.own_note.clone(),
            saml: SamlView {
                fields: fields(&setup.saml.fields),
                returns: returns
                    .map(|(field, from)| ReturnView { field: field.clone(), from: from.clone() })
                    .collect(),
                note: setup.saml.note.clone(),
            },
            steps: steps.collect(),
            events: setup.events.iter().map(event).collect(),
            hints: hints.collect(),
            troubles: troubles.collect(),
            notes: texts(&setup.notes),
        }
    }
}

fn fields(all: &[Field]) -> Vec<FieldView> {
    all.iter()
        .map(|field| FieldView {
            key: field.key.to_owned(),
            label: field.label.clone(),
            entered: field.entered.word().to_owned(),
            value: field.entered.value().map(str::to_owned),
            note: field.note.clone(),
        })
        .collect()
}

fn mapping(row: &Mapping) -> MappingView {
    MappingView {
        attribute: row.attribute.to_owned(),
        source: row.source.to_owned(),
        need: row.need.as_str().to_owned(),
        format: row.format.to_owned(),
    }
}

fn own(row: &Own) -> OwnView {
    OwnView {
        schema: row.schema.clone(),
        attribute: row.attribute.clone(),
        kind: row.kind.clone(),
        written: row.written.clone(),
        description: row.description.clone(),
        values: row.values.clone(),
        required: row.required,
    }
}

fn event(event: &Event) -> EventView {
    EventView { done: event.done.clone(), sent: event.sent.clone(), here: event.here.clone() }
}

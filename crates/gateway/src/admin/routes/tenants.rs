//! Tenants, their settings, connections, plans and profiles.

use super::{boxed, ready};
use crate::admin::access::Access::{Caller, Operator, Tenant};
use crate::admin::access::Right::{
    PlansWrite, SettingsWrite, TenantsRead, TenantsWrite, UsersRead,
};
use crate::admin::endpoint::{Endpoint, Form, Param};
use crate::admin::input::{AFTER, LIMIT};
use crate::admin::problem::Code;
use crate::admin::view::Page;
use crate::admin::{
    attributes, limits, moves, plans, residency, settings, setup, switches, tenants,
};

const REGION: Param =
    Param { name: "region", about: "Only those of this region.", form: Form::Text };
const STATE: Param = Param {
    name: "state",
    about: "Only those in this state.",
    form: Form::Word(&["active", "suspended", "closed", "purged"]),
};
const PLAN: Param = Param { name: "plan", about: "Only those with this plan.", form: Form::Text };
const POPULATION: Param = Param {
    name: "population",
    about: "Only those of this population.",
    form: Form::Word(&["platform", "board"]),
};
const PROVIDER: Param =
    Param { name: "provider", about: "Only those with this identity provider.", form: Form::Text };
const OF_POPULATION: Param = Param {
    name: "population",
    about: "For which population; the tenant's, if it is not said.",
    form: Form::Word(&["platform", "board"]),
};
const IDP: Param = Param {
    name: "idp",
    about: "For which identity provider; the connection's, if it is not said.",
    form: Form::Word(&[
        "okta",
        "okta-catalogue",
        "entra",
        "onelogin",
        "jumpcloud",
        "ping",
        "google",
        "custom",
    ]),
};

pub(super) static ROWS: &[Endpoint] = &[
    Endpoint::get("/admin/v1/tenants", "tenants.list", Operator(TenantsRead), |call| boxed(tenants::list(call)))
        .does("Tenants, by slug", "")
        .asks(&[REGION, STATE, PLAN, POPULATION, PROVIDER, LIMIT, AFTER])
        .gives::<Page<tenants::TenantView>>(200),
    Endpoint::post("/admin/v1/tenants", "tenants.create", Operator(TenantsWrite), |call| boxed(tenants::create(call)))
        .does("Makes a tenant", "Its data stays in the region, and in the shard, until it is moved.")
        .takes::<tenants::CreateTenant>()
        .gives::<tenants::TenantView>(201)
        .or(&[Code::SlugTaken, Code::RegionForbidden]),
    Endpoint::get("/admin/v1/tenants/{tenant}", "tenants.read", Tenant(TenantsRead), |call| ready(tenants::read(&call)))
        .does("One tenant", "")
        .gives::<tenants::TenantView>(200)
        .versioned(),
    Endpoint::patch("/admin/v1/tenants/{tenant}", "tenants.change", Operator(TenantsWrite), |call| boxed(tenants::change(call)))
        .does("Changes a tenant", "The profile cannot be changed; region, shard and population have ways of their own. `both_populations` is taken back when no token or OAuth client of the other one lives, and not while the tenant is being switched. A plan that lacks directory sync ends it after the plan's grace.")
        .takes::<tenants::ChangeTenant>()
        .gives::<tenants::TenantView>(200)
        .versioned()
        .or(&[Code::SlugTaken, Code::StateConflict, Code::PopulationConflict, Code::FieldImmutable]),
    Endpoint::post("/admin/v1/tenants/{tenant}/suspend", "tenants.suspend", Operator(TenantsWrite), |call| boxed(tenants::suspend(call)))
        .does("Suspends a tenant", "Its identity provider gets 403 with the reason until it is resumed.")
        .gives::<tenants::TenantView>(200)
        .versioned()
        .or(&[Code::StateConflict]),
    Endpoint::post("/admin/v1/tenants/{tenant}/resume", "tenants.resume", Operator(TenantsWrite), |call| boxed(tenants::resume(call)))
        .does("Serves a suspended or closed tenant again", "A closed one until its purge begins.")
        .gives::<tenants::TenantView>(200)
        .versioned()
        .or(&[Code::StateConflict]),
    Endpoint::post("/admin/v1/tenants/{tenant}/close", "tenants.close", Operator(TenantsWrite), |call| boxed(tenants::close(call)))
        .does("Closes a tenant", "Its data is kept for `retention.closed`, then deleted; the manifest says what was.")
        .gives::<tenants::TenantView>(200)
        .versioned()
        .or(&[Code::StateConflict]),
    Endpoint::get("/admin/v1/tenants/{tenant}/manifest", "residency.manifest", Operator(TenantsRead), |call| boxed(residency::manifest(call)))
        .does("What the purge of a closed tenant deleted", "")
        .gives::<residency::ManifestView>(200),
    Endpoint::get("/admin/v1/tenants/{tenant}/residency", "residency.read", Tenant(TenantsRead), |call| boxed(residency::read(call)))
        .does("Which stores hold the tenant's data", "The region tag is read from each store now.")
        .gives::<residency::ResidencyView>(200)
        .in_the_directory(),
    Endpoint::get("/admin/v1/tenants/{tenant}/move", "moves.read", Operator(TenantsRead), |call| boxed(moves::read(call)))
        .does("How far the tenant's data is on its way to another store", "It is begun by `muster tenant move`, where both stores are.")
        .gives::<moves::MoveView>(200)
        .versioned(),
    Endpoint::delete("/admin/v1/tenants/{tenant}/move", "moves.back_out", Operator(TenantsWrite), |call| boxed(moves::back_out(call)))
        .does("Leaves the tenant where it is", "Until it is cut over. What was copied is deleted.")
        .gives::<moves::MoveView>(200)
        .versioned()
        .after_the_directory()
        .or(&[Code::StateConflict]),
    Endpoint::get("/admin/v1/tenants/{tenant}/limits", "tenants.limits", Tenant(TenantsRead), |call| ready(limits::read(&call)))
        .does("How much a tenant may ask for", "")
        .gives::<limits::LimitsView>(200)
        .versioned(),
    Endpoint::put("/admin/v1/tenants/{tenant}/limits", "tenants.set_limits", Operator(TenantsWrite), |call| boxed(limits::set(call)))
        .does("Sets how many requests of a tenant are answered", "")
        .takes::<limits::SetLimits>()
        .gives::<limits::LimitsView>(200)
        .versioned()
        .or(&[Code::StateConflict]),
    Endpoint::get("/admin/v1/tenants/{tenant}/settings", "settings.read", Tenant(TenantsRead), |call| ready(settings::read(&call)))
        .does("Settings and policies", "")
        .gives::<settings::SettingsView>(200)
        .versioned(),
    Endpoint::patch("/admin/v1/tenants/{tenant}/settings", "settings.change", Tenant(SettingsWrite), |call| boxed(settings::change(call)))
        .does("Changes settings", "Another default role is that of people who come later: nobody's role changes by it.")
        .takes::<settings::ChangeSettings>()
        .gives::<settings::SettingsView>(200)
        .versioned()
        .or(&[Code::StateConflict]),
    Endpoint::get("/admin/v1/tenants/{tenant}/connections", "connections.list", Tenant(TenantsRead), |call| boxed(settings::connections(call)))
        .does("The connections of a tenant", "There is one.")
        .asks(&[LIMIT, AFTER])
        .gives::<Page<settings::ConnectionView>>(200),
    Endpoint::get("/admin/v1/tenants/{tenant}/connections/{connection}", "connections.read", Tenant(TenantsRead), |call| boxed(settings::connection(call)))
        .does("One connection", "")
        .gives::<settings::ConnectionView>(200)
        .versioned(),
    Endpoint::patch("/admin/v1/tenants/{tenant}/connections/{connection}", "connections.change", Tenant(SettingsWrite), |call| boxed(settings::change_connection(call)))
        .does("Chooses the identity provider, switches provisioning on or off", "")
        .takes::<settings::ChangeConnection>()
        .gives::<settings::ConnectionView>(200)
        .versioned()
        .or(&[Code::StateConflict]),
    Endpoint::get("/admin/v1/tenants/{tenant}/setup", "connections.setup", Tenant(TenantsRead), |call| ready(setup::read(&call)))
        .does("Everything that an administrator types into the identity provider", "")
        .asks(&[IDP, OF_POPULATION])
        .gives::<setup::SetupView>(200),
    Endpoint::get("/admin/v1/tenants/{tenant}/attributes", "attributes.list", Tenant(TenantsRead), |call| ready(attributes::list(&call)))
        .does("The tenant's own attributes", "")
        .gives::<Page<attributes::AttributeView>>(200)
        .versioned(),
    Endpoint::post("/admin/v1/tenants/{tenant}/attributes", "attributes.add", Tenant(SettingsWrite), |call| boxed(attributes::add(call)))
        .does("Declares an attribute, or declares it anew", "Another type is refused while people have values of the one before.")
        .takes::<attributes::AddAttribute>()
        .gives::<attributes::AttributeView>(201)
        .versioned()
        .after_the_directory()
        .or(&[Code::StateConflict]),
    Endpoint::delete("/admin/v1/tenants/{tenant}/attributes/{attribute}", "attributes.remove", Tenant(SettingsWrite), |call| boxed(attributes::remove(call)))
        .does("Takes a declaration back", "Values stay stored, and are neither shown nor found until it is declared again.")
        .gives::<attributes::RemovedAttributeView>(200)
        .versioned()
        .in_the_directory()
    .or(&[Code::StateConflict]),
    Endpoint::get("/admin/v1/tenants/{tenant}/population-switch", "population-switch.read", Tenant(TenantsRead), |call| ready(switches::read(&call)))
        .does("How far the tenant is on its way to the other population", "")
        .gives::<switches::SwitchView>(200)
        .versioned(),
    Endpoint::get("/admin/v1/tenants/{tenant}/population-switch/preview", "population-switch.preview", Tenant(UsersRead), |call| boxed(switches::preview(call)))
        .does("Who would be left behind", "")
        .gives::<switches::PreviewView>(200)
        .in_the_directory(),
    Endpoint::post("/admin/v1/tenants/{tenant}/population-switch/freeze", "population-switch.freeze", Operator(TenantsWrite), |call| boxed(switches::freeze(call)))
        .does("Begins the switch: nobody is written in either population", "")
        .takes::<switches::Freeze>()
        .gives::<switches::SwitchView>(200)
        .versioned()
        .or(&[Code::StateConflict, Code::PopulationConflict]),
    Endpoint::post("/admin/v1/tenants/{tenant}/population-switch/cut-over", "population-switch.cut_over", Operator(TenantsWrite), |call| boxed(switches::cut_over(call)))
        .does("Provisions the other population from now on", "Tokens and OAuth clients of the first rest until it is undone.")
        .may_take::<switches::CutOver>()
        .gives::<switches::SwitchView>(200)
        .versioned()
        .or(&[Code::StateConflict]),
    Endpoint::post("/admin/v1/tenants/{tenant}/population-switch/undo", "population-switch.undo", Operator(TenantsWrite), |call| boxed(switches::undo(call)))
        .does("Goes back to the first state", "The first population is served at once; those who came in the other one are deactivated, and its tokens and OAuth clients revoked. To ask again meanwhile changes nothing.")
        .gives::<switches::SwitchView>(200)
        .versioned()
        .or(&[Code::StateConflict]),
    Endpoint::post("/admin/v1/tenants/{tenant}/population-switch/finish", "population-switch.finish", Operator(TenantsWrite), |call| boxed(switches::finish(call)))
        .does("Ends the switch: those left behind are deactivated", "Then the tokens and OAuth clients of what is left are revoked.")
        .gives::<switches::SwitchView>(200)
        .versioned()
        .or(&[Code::StateConflict]),
    Endpoint::get("/admin/v1/plans", "plans.list", Operator(TenantsRead), |call| boxed(plans::list(call)))
        .does("Plans that somebody described, by name", "Any other plan holds everything.")
        .asks(&[LIMIT, AFTER])
        .gives::<Page<plans::PlanView>>(200),
    Endpoint::get("/admin/v1/plans/{plan}", "plans.read", Operator(TenantsRead), |call| boxed(plans::read(call)))
        .does("One plan", "")
        .gives::<plans::PlanView>(200)
        .versioned(),
    Endpoint::put("/admin/v1/plans/{plan}", "plans.set", Operator(PlansWrite), |call| boxed(plans::set(call)))
        .does("Says what a plan holds", "Its tenants follow in the same moment; those that lose directory sync keep it for the plan's grace.")
        .takes::<plans::SetPlan>()
        .gives::<plans::PlanView>(200)
        .versioned()
        .or(&[Code::RegionForbidden]),
    Endpoint::get("/admin/v1/profiles", "profiles.list", Caller, |call| ready(plans::profiles(&call)))
        .does("What the products ask of a person", "")
        .gives::<Page<plans::ProfileView>>(200),
    Endpoint::get("/admin/v1/profiles/{profile}", "profiles.read", Caller, |call| ready(plans::profile(&call)))
        .does("What one product asks of a person", "")
        .gives::<plans::ProfileView>(200),
];

//! The pages in `docs/idp`, made from the guides.

use crate::support::place;
use provisioning::setup::{Entered, Field, Idp, Mapping, Remark, Setup, Values, When, setup};
use provisioning::{Profile, ProfileId};
use region_router::{Hosts, Population, Region};
use std::fmt::Write;
use std::path::Path;

/// What is said of the server beside the guide, on the page for who writes or configures a client of their own.
const CUSTOM: &str = include_str!("custom.md");

/// Values that stand for anybody's.
fn values() -> Values {
    Values {
        base_url: "https://HOST/scim/v2".to_owned(),
        origin: "https://HOST".to_owned(),
        token_endpoint: "https://HOST/oauth2/token".to_owned(),
        region: "REGION".to_owned(),
        population: String::new(),
        slug: "TENANT".to_owned(),
        role: "member for platform users and advocate for board users, unless your operator has set another"
            .to_owned(),
        groups: true,
        own: None,
        general: true,
    }
}

fn page(idp: Idp) -> String {
    let of = |id: ProfileId| setup(idp, Profile::of(id), &values());
    let setup = of(ProfileId::Oktopost);
    let mut page = format!("# Connecting {}\n\n{}\n\n", idp.name(), plain(&setup.intro));
    writeln!(
        page,
        "`muster setup TENANT --idp {idp}` prints this with the values of one tenant; `muster doctor TENANT` tries the connection \
         from outside. Steps of {}. Made from the code by `make docs`; a test compares them.\n",
        setup.revised
    )
    .unwrap();
    heading(&mut page, "Before you begin");
    remarks(&mut page, &setup.before);
    connection(&mut page, &setup);
    actions(&mut page, &setup);
    heading(&mut page, "Steps");
    for (at, step) in setup.steps.iter().enumerate() {
        let text = marked(step.when, &step.text);
        writeln!(page, "{}. **{}.** {text}", at + 1, plain(&step.title)).unwrap();
    }
    page.push('\n');
    mapping(&mut page, &ProfileId::ALL.map(of));
    remarks(&mut page, &setup.rules);
    writeln!(
        page,
        "**Attributes of your own** are declared by your operator, who gives you schema, attribute and type: see \
         [extensions.md](../extensions.md). {}\n",
        plain(&setup.own_note)
    )
    .unwrap();
    sign_on(&mut page, &setup);
    heading(&mut page, "What happens when");
    page.push_str("| what is done | request | here |\n| --- | --- | --- |\n");
    for event in &setup.events {
        let cells = [&event.done, &event.sent, &event.here].map(|text| plain(text));
        writeln!(page, "| {} |", cells.join(" | ")).unwrap();
    }
    page.push('\n');
    troubles(&mut page, &setup);
    heading(&mut page, "To know");
    remarks(&mut page, &setup.notes);
    if idp == Idp::Custom {
        page.push_str(CUSTOM);
    }
    format!("{}\n", page.trim_end())
}

fn heading(page: &mut String, title: &str) {
    writeln!(page, "## {title}\n").unwrap();
}

fn remarks(page: &mut String, all: &[Remark]) {
    for remark in all {
        writeln!(page, "- {}", marked(remark.when, &remark.text)).unwrap();
    }
    page.push('\n');
}

/// For whom something is said, where it is not for all.
fn marked(when: When, text: &str) -> String {
    let mark = match when {
        When::Always => return plain(text),
        When::Groups => "Tenants that take groups",
        When::NoGroups => "Tenants that take no groups",
        When::NameIsEmail => "Profile `oktopost`",
        When::Language => "Profile `condeco`",
    };
    format!("*{mark}:* {}", plain(text))
}

/// Text that means nothing in Markdown; what is in backticks stays.
fn plain(text: &str) -> String {
    let parts = text.split('`').enumerate().map(|(at, part)| {
        if at % 2 == 1 { part.to_owned() } else { part.replace('*', "\\*").replace('|', "\\|") }
    });
    parts.collect::<Vec<_>>().join("`")
}

fn fields(page: &mut String, all: &[Field]) {
    page.push_str("| field | value | |\n| --- | --- | --- |\n");
    for field in all {
        let value = match &field.entered {
            Entered::Paste(text) => format!("`{}`", text.replace('|', "\\|")),
            Entered::Choose(text) => plain(text),
            Entered::Secret => "the secret, which is shown once".to_owned(),
            Entered::Own => "yours".to_owned(),
            Entered::Empty => "leave it empty".to_owned(),
        };
        writeln!(page, "| {} | {value} | {} |", plain(&field.label), plain(&field.note)).unwrap();
    }
    page.push('\n');
}

fn connection(page: &mut String, setup: &Setup) {
    heading(page, "Values");
    fields(page, &setup.connection);
    page.push_str("`HOST` is that of your region and population:\n\n");
    hosts(page);
    page.push_str(
        "\n`example.com` stands for your provider's domain. The tenant is not in the URL: the token selects it. What lists show \
         later, such as `mst_eu_pf_****9f3c`, is a hint to tell tokens apart. It is **not** the token. If the token is lost, make a \
         new one; nobody needs the old one.\n\n",
    );
    page.push_str("**OAuth client credentials.** ");
    writeln!(page, "{}\n", plain(&setup.oauth_note)).unwrap();
    if !setup.oauth.is_empty() {
        fields(page, &setup.oauth);
    }
}

fn hosts(page: &mut String) {
    let regions = [("us", ""), ("eu", "eu-")]
        .map(|(name, prefix)| (Region::parse(name).unwrap(), prefix.to_owned()));
    let hosts = Hosts::new("example.com", "https", None, regions.to_vec()).unwrap();
    page.push_str("| | platform users | board users |\n| --- | --- | --- |\n");
    for region in ["us", "eu"] {
        let host = |population| hosts.host(&place(region, population));
        let (platform, board) = (host(Population::Platform), host(Population::Board));
        writeln!(page, "| {} | `{platform}` | `{board}` |", region.to_uppercase()).unwrap();
    }
}

fn actions(page: &mut String, setup: &Setup) {
    heading(page, "What to allow");
    page.push_str("| in the identity provider | | |\n| --- | --- | --- |\n");
    for action in &setup.actions {
        let switch = if action.when == When::Always { "on" } else { "as the tenant" };
        writeln!(page, "| {} | {switch} | {} |", plain(&action.label), plain(&action.note))
            .unwrap();
    }
    page.push('\n');
}

/// One table for all profiles: a row for each pair of attribute and source that one of them has.
fn mapping(page: &mut String, setups: &[Setup]) {
    heading(page, "Mapping");
    let mut rows: Vec<&Mapping> = Vec::new();
    let is_same = |a: &Mapping, b: &Mapping| a.attribute == b.attribute && a.source == b.source;
    let oktopost = setups.iter().filter(|setup| setup.profile == ProfileId::Oktopost);
    for row in oktopost.chain(setups).flat_map(|setup| &setup.mapping) {
        if rows.iter().any(|known| is_same(known, row)) {
            continue;
        }
        // An attribute that one profile fills otherwise than another stands beside itself.
        match rows.iter().rposition(|known| known.attribute == row.attribute) {
            Some(at) => rows.insert(at + 1, row),
            None => rows.push(row),
        }
    }
    let names: Vec<String> = setups.iter().map(|setup| format!("`{}`", setup.profile)).collect();
    writeln!(page, "| SCIM | from | a value | {} |", names.join(" | ")).unwrap();
    writeln!(page, "|{}", " --- |".repeat(3 + names.len())).unwrap();
    for row in rows {
        let needs = setups.iter().map(|setup| {
            let same = setup.mapping.iter().find(|other| is_same(other, row));
            same.map_or("–", |other| other.need.as_str())
        });
        let (attribute, source) = (row.attribute, row.source);
        let needs = needs.collect::<Vec<_>>().join(" | ");
        writeln!(page, "| `{attribute}` | {} | {} | {needs} |", plain(source), plain(row.format))
            .unwrap();
    }
    page.push_str(
        "\nThe columns are the profiles: `muster tenant show TENANT` says which one the tenant has. – is kept and returned, and not \
         used by the product.\n\n",
    );
}

fn sign_on(page: &mut String, setup: &Setup) {
    heading(page, "Single sign-on");
    writeln!(page, "{}\n", plain(&setup.saml.note)).unwrap();
    fields(page, &setup.saml.fields);
    page.push_str(
        "The product wants in return:\n\n| field | from the identity provider |\n| --- | --- |\n",
    );
    for (ours, theirs) in &setup.saml.returns {
        writeln!(page, "| {} | {} |", plain(ours), plain(theirs)).unwrap();
    }
    page.push_str(
        "\nThe audience is that of the profile `oktopost`; the product's name is in it.\n\n",
    );
}

fn troubles(page: &mut String, setup: &Setup) {
    heading(page, "Troubleshooting");
    for hint in &setup.hints {
        writeln!(page, "- **{}** {}", plain(&hint.question), plain(&hint.answer)).unwrap();
    }
    page.push_str(
        "\nThe first column is the header `X-Reason` of the answer and the reason in `muster log`, which has no refusal of a token \
         that is malformed, unknown or of another place, unless it can be told whose it is. All of them: \
         [reasons.md](reasons.md).\n\n| reason | what it means and what to do |\n| --- | --- |\n",
    );
    for trouble in &setup.troubles {
        let reasons: Vec<String> =
            trouble.reasons.iter().map(|reason| format!("`{reason}`")).collect();
        let text = marked(trouble.when, &trouble.text);
        writeln!(page, "| {} | {text} |", reasons.join(", ")).unwrap();
    }
    page.push('\n');
}

#[test]
fn the_page_of_each_identity_provider_is_what_the_code_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/idp");
    for idp in Idp::ALL {
        let path = folder.join(format!("{idp}.md"));
        if crate::support::stores::variable("MUSTER_WRITE_DOCS").is_some() {
            std::fs::write(&path, page(idp)).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(written == page(idp), "docs/idp/{idp}.md is not what the code says: make docs");
    }
}

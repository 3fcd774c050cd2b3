//! `docs/quirks.md`, made from the ledger.

use scim_core::Quirk;
use std::fmt::Write;
use std::path::Path;

const HEAD: &str = "# Quirks

Identity providers do not send what the RFCs say. Each deviation that Muster knows is tolerated under an id, the
*quirk*: what is meant is done, and the id is noted. Nothing else is bent; what is not in this table is answered as the
RFCs say.

Made from the code by `make docs`; a test compares them.

## Where they are seen

| where | what |
| --- | --- |
| `muster quirks TENANT` | the tenant's own report: which, by which client, how often, first and last; `--since 30d` |
| `muster log TENANT` | the quirks of each request |
| `scim_quirks_total{quirk,client}` | all tenants together |

## Being strict

A tenant tolerates everything until it is told otherwise:

```
muster tenant set acme --strict all
muster tenant set acme --strict Q-op-case,Q-bool-string
muster tenant set acme --strict none
```

A running server follows within a second. Then requests that need one of these quirks are refused, with the status and
`scimType` of the table and a text that says what is wrong, and *only* these: nothing else changes. Nothing is changed
by a refused request. Where a deviation stands in the path of a PATCH operation the refusal is `invalidPath`, and in a
filter `invalidFilter`.

Look at `muster quirks TENANT` before: what the identity provider needs there is what it will be refused. Being strict
is for one's own clients and for tests. Entra's default dialect does not work against `--strict all`.

`all` means all that this version knows and all that later ones will; a list means that list.

## Clients

The client is recognised by its `User-Agent`, else by what it does: Entra's flag in the query, a deviation that one
family alone is known for, OneLogin's separators. `other` says nothing telling, `none` does not even send a `User-Agent`. In
the table, `other` is anybody.

## The table

| quirk | what is sent, and what becomes of it | clause | clients | a strict tenant answers | shown by |
| --- | --- | --- | --- | --- | --- |
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    for quirk in Quirk::ALL {
        let answer = match quirk.scim_type() {
            Some(scim_type) => format!("{} `{scim_type}`", quirk.status()),
            None => quirk.status().to_string(),
        };
        writeln!(
            page,
            "| `{}` | {} | {} | {} | {answer} | {} |",
            quirk.id(),
            quirk.summary().replace('|', "\\|"),
            quirk.clause(),
            quirk.clients().join(", "),
            shown_by(quirk.fixture()),
        )
        .unwrap();
    }
    page
}

/// A file is a link, a test is named.
fn shown_by(fixture: &str) -> String {
    if let Some((_, test)) = fixture.split_once(": ") {
        return format!("the test `{test}`");
    }
    let name = fixture.rsplit('/').next().unwrap();
    format!("[{name}](../crates/scim-core/tests/fixtures/{fixture})")
}

#[test]
fn the_page_of_quirks_is_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/quirks.md");
    if crate::support::stores::variable("MUSTER_WRITE_DOCS").is_some() {
        std::fs::write(&path, page()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page(), "docs/quirks.md is not what the code says: make docs");
}

#[test]
fn what_shows_a_quirk_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for quirk in Quirk::ALL {
        match quirk.fixture().split_once(": ") {
            None => {
                let path = root.join("scim-core/tests/fixtures").join(quirk.fixture());
                assert!(path.is_file(), "{}: {}", quirk.id(), path.display());
            }
            Some((package, test)) => {
                let found =
                    sources(&root.join(package)).any(|text| text.contains(&format!("fn {test}(")));
                assert!(found, "{}: no test {test} in {package}", quirk.id());
            }
        }
    }
}

/// The text of every Rust file below a folder.
fn sources(folder: &Path) -> impl Iterator<Item = String> {
    let mut texts = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                texts.push(std::fs::read_to_string(path).unwrap());
            }
        }
    }
    texts.into_iter()
}

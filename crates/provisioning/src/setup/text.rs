//! A setup as lines for a terminal.

use super::{Entered, Field, Setup};

impl Setup {
    /// The whole of it, for people.
    #[must_use]
    pub fn to_lines(&self) -> Vec<String> {
        let values = &self.values;
        let mut lines = vec![
            format!("{}: connecting {}", values.slug, self.idp.name()),
            format!(
                "region {}, population {}, profile {}; steps of {}",
                values.region, values.population, self.profile, self.revised
            ),
            String::new(),
            self.intro.clone(),
        ];
        section(&mut lines, "Before you begin", self.before.iter().map(|said| bullet(&said.text)));
        section(&mut lines, "Values", self.connection.iter().flat_map(field));
        if !self.oauth.is_empty() {
            section(
                &mut lines,
                "Values of OAuth client credentials",
                self.oauth.iter().flat_map(field),
            );
        }
        if !self.oauth_note.is_empty() {
            lines.push(format!("  {}", self.oauth_note));
        }
        let actions = self.actions.iter().map(|action| {
            let switch = if action.on { "[x]" } else { "[ ]" };
            with_note(format!("  {switch} {}", action.label), &action.note)
        });
        section(&mut lines, "What to allow", actions);
        self.mapping_lines(&mut lines);
        section(
            &mut lines,
            "Steps",
            self.steps
                .iter()
                .enumerate()
                .map(|(at, step)| format!("  {}. {}. {}", at + 1, step.title, step.text)),
        );
        section(&mut lines, "Single sign-on (SAML 2.0)", self.saml.fields.iter().flat_map(field));
        for (ours, theirs) in &self.saml.returns {
            lines.push(format!("  into the product: {ours} = {theirs}"));
        }
        lines.push(format!("  {}", self.saml.note));
        section(
            &mut lines,
            "If it does not work",
            self.hints.iter().flat_map(|hint| {
                [format!("  {}", hint.question), format!("      {}", hint.answer)]
            }),
        );
        section(&mut lines, "To know", self.notes.iter().map(|said| bullet(&said.text)));
        lines
    }

    fn mapping_lines(&self, lines: &mut Vec<String>) {
        let rows = self.mapping.iter().flat_map(|row| {
            let head = format!("  {:<11} {}", row.need.as_str(), row.attribute);
            let format = (!row.format.is_empty()).then(|| format!("              {}", row.format));
            [Some(head), Some(format!("              from {}", row.source)), format]
                .into_iter()
                .flatten()
        });
        section(lines, "Mapping", rows);
        lines.extend(self.rules.iter().map(|said| bullet(&said.text)));
        if self.own.is_empty() {
            return;
        }
        let own = self.own.iter().flat_map(|own| {
            let schema = format!("  schema      {}", own.schema);
            [
                schema,
                format!("  attribute   {}", own.attribute),
                format!("  type        {}", own.kind),
                String::new(),
            ]
        });
        section(lines, "Attributes of your own", own);
        lines.push(format!("  {}", self.own_note));
    }
}

fn section(lines: &mut Vec<String>, title: &str, body: impl Iterator<Item = String>) {
    lines.extend([String::new(), title.to_owned()]);
    lines.extend(body);
}

fn bullet(text: &str) -> String {
    format!("  - {text}")
}

fn with_note(text: String, note: &str) -> String {
    if note.is_empty() { text } else { format!("{text}  ({note})") }
}

fn field(field: &Field) -> Vec<String> {
    let entered = match &field.entered {
        Entered::Paste(text) | Entered::Choose(text) => text.clone(),
        Entered::Secret => "(the secret that was shown once)".to_owned(),
        Entered::Own => "(yours)".to_owned(),
        Entered::Empty => "(leave it empty)".to_owned(),
    };
    let mut lines = vec![format!("  {}", field.label), format!("      {entered}")];
    if !field.note.is_empty() {
        lines.push(format!("      {}", field.note));
    }
    lines
}

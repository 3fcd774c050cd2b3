//! What to ask when something does not work (requirements S2-31 to S2-39, S4-11).

use super::fill::Fill;
use super::guide::{Guide, When};
use super::{Hint, Idp};

/// A question and its answer.
struct HintText {
    when: When,
    question: &'static str,
    answer: &'static str,
}

const fn hint(question: &'static str, answer: &'static str) -> HintText {
    HintText { when: When::Always, question, answer }
}

const HINTS: &[HintText] = &[
    hint(
        "The test fails: is the URL the right one?",
        "It must be exactly {base}: region {region}, {people}, and /scim/v2 at the end, once. A slash behind it does no harm. \
         Sent to another region or population, the token is refused with a text that has the right URL. `muster doctor \
         {tenant}` tries the URL from outside.",
    ),
    hint(
        "Is the token valid?",
        "`muster token list {tenant}` shows whether it is live, expired or revoked. The text of the refusal says whether it is \
         unknown, damaged, or of another region.",
    ),
    hint(
        "Is it the token at all?",
        "A token begins with mst_ and is shown once, when it is made. The value that lists show after that, such as \
         mst_eu_pf_****9f3c, is a hint to tell tokens apart. It is NOT the token.",
    ),
    hint(
        "Not sure which token was pasted?",
        "Make a new one with `muster token create {tenant}` and paste that. Nobody needs the old one while the connection does \
         not work: revoke it with `muster token revoke KEY_ID`. In a connection that works, `muster token rotate start` lets both \
         be good for a while.",
    ),
    hint(
        "Does any request arrive?",
        "If `muster log {tenant}` shows nothing, no request with a good token has come. Look at the test's own message for a 401 \
         first. Without one, a firewall or proxy may stand between: {idp} must reach {host} by HTTPS. Nothing is to be \
         installed and nothing opened on your side for requests from here, since there are none.",
    ),
    hint(
        "Somebody is not provisioned: are they assigned?",
        "Only people and groups that are assigned to this application are provisioned. `muster log {tenant} --user NAME` shows \
         what became of each request about them. If it shows nothing, {idp} has not asked about them.",
    ),
    hint("Is provisioning switched on?", "{switch}"),
    hint(
        "Does the person exist here already, with other values?",
        "The refusal is then user_name_taken, and says whether that person is deactivated. Somebody deactivated is found by \
         userName and comes back with the same id when they are assigned again; two people cannot have one userName, in any \
         case of letters.",
    ),
    HintText {
        when: When::NameIsEmail,
        question: "Are userName and the work e-mail the same address?",
        answer: "They must be when somebody is created, and remain so: a change that leaves them different is refused as \
                 user_name_not_email. Map both to the same source.",
    },
];

/// Okta alone remembers whom it was not asked to push (requirements S4-11).
const ASSIGNED_BEFORE: HintText = hint(
    "Were people assigned before provisioning was switched on?",
    "They are not pushed by themselves. Assignments → press \"Provision User\" next to them, or Provisioning → To App → \"Force \
     Sync\".",
);

pub(super) fn of(guide: &Guide, idp: Idp, fill: &Fill, holds: impl Fn(When) -> bool) -> Vec<Hint> {
    let is_okta = matches!(idp, Idp::OktaWizard | Idp::OktaCatalogue);
    let okta = is_okta.then_some(&ASSIGNED_BEFORE);
    HINTS
        .iter()
        .chain(okta)
        .filter(|hint| holds(hint.when))
        .map(|hint| Hint {
            question: fill.text(hint.question),
            answer: fill.text(&hint.answer.replace("{switch}", guide.switch)),
        })
        .chain([
            Hint {
                question: fill.text("Where does {idp} show the answers?"),
                answer: fill.text(guide.log),
            },
            Hint {
                question: fill.text("How is it tried again after a fix?"),
                answer: fill.text(guide.again),
            },
        ])
        .collect()
}

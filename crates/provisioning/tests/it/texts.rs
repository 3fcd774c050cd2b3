use provisioning::{Reason, conflict, roles, seats};

#[test]
fn a_taken_name_is_told_apart_from_a_deactivated_user() {
    let active = conflict::user_name_taken("ada@example.com", true);
    assert_eq!(active.reason, Reason::UserNameTaken);
    assert_eq!(active.attribute.as_deref(), Some("userName"));
    assert!(active.detail.contains("\"ada@example.com\" already exists."), "{}", active.detail);

    let inactive = conflict::user_name_taken("ada@example.com", false);
    assert_eq!(inactive.reason, Reason::UserNameTaken);
    for part in ["already exists and is deactivated", "\"active\": true to its id"] {
        assert!(inactive.detail.contains(part), "{}", inactive.detail);
    }
}

#[test]
fn a_taken_group_name_is_a_conflict_about_display_name() {
    let refusal = conflict::display_name_taken("Sales");
    assert_eq!(refusal.reason, Reason::DisplayNameTaken);
    assert_eq!(refusal.attribute.as_deref(), Some("displayName"));
    assert!(refusal.detail.contains("\"Sales\" already exists"), "{}", refusal.detail);
}

#[test]
fn exhausted_seats_say_how_many_of_how_many_and_whom_to_ask() {
    let refusal = seats::exhausted(250, 250, "platform", "your account owner", "ada@example.com");
    assert_eq!(refusal.reason, Reason::SeatsExhausted);
    assert_eq!(
        refusal.detail,
        "No seat left: 250 of 250 platform seats are in use. Deactivate a user to free a seat, or ask your account owner \
         for more, then retry ada@example.com."
    );
}

#[test]
fn the_first_role_depends_on_the_population() {
    assert_eq!(roles::default_role("platform"), "member");
    assert_eq!(roles::default_role("board"), "advocate");
}

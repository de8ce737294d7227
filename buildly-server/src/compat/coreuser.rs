//! `/coreuser/`: people, their profiles, invitations and passwords.

mod account;
mod invitation;
mod message;
mod password;
mod shape;

use crate::Routes;
use crate::route::{get, patch, post, put};

pub use shape::{CoreUser, CoreUserChanged, CoreUserInput, ProfileBody};

/// The operations on users.
pub(crate) fn routes() -> Routes {
    let routes = Routes::compat("coreuser", "People, their profiles, invitations and passwords.")
        .add(
            get("/coreuser/", account::list)
                .summary("Lists the users of the own organization")
                .query("organization__organization_uuid", "Only users of this organization.")
                .query("after", "Where to go on, from `Link`.")
                .answers_list::<CoreUser>(200),
        )
        .add(
            post("/coreuser/", account::register)
                .summary("Registers a user")
                .description(
                    "A new organization name makes the organization, with the user as its \
                     administrator. An existing one makes an inactive member whom an administrator \
                     approves. An invitation makes an active member of the inviting organization.",
                )
                .takes_fields::<CoreUserInput>()
                .answers::<CoreUserChanged>(201)
                .public(),
        )
        .add(get("/coreuser/me/", account::me).summary("Reads the own account").answers::<CoreUser>(200))
        .add(get("/coreuser/{id}/", account::read).summary("Reads a user").answers::<CoreUser>(200))
        .add(
            put("/coreuser/{id}/", account::replace)
                .summary("Replaces a user")
                .takes_fields::<CoreUserInput>()
                .answers::<CoreUserChanged>(200),
        )
        .add(
            patch("/coreuser/{id}/", account::change)
                .summary("Changes a user: approves, sets groups")
                .takes_fields::<CoreUserInput>()
                .answers::<CoreUserChanged>(200),
        )
        .add(
            patch("/coreuser/{id}/update_profile/", account::update_profile)
                .summary("Changes a profile")
                .takes_fields::<CoreUserInput>()
                .answers::<ProfileBody>(200),
        )
        .add(
            patch("/coreuser/update_org/{id}/", account::update_organization)
                .summary("Moves a user to another organization")
                .takes_fields::<CoreUserInput>()
                .answers::<CoreUser>(200),
        );
    older_spellings(passwords(letters(routes)))
}

fn letters(routes: Routes) -> Routes {
    routes
        .add(
            post("/coreuser/invite/", invitation::invite)
                .summary("Invites up to ten addresses")
                .takes_fields::<invitation::InvitationInput>()
                .answers::<invitation::InvitationsSent>(200),
        )
        .add(
            get("/coreuser/invite_check/", invitation::check)
                .summary("Says what an invitation is for")
                .query("token", "The invitation's token.")
                .answers::<invitation::InvitationBody>(200)
                .public(),
        )
        .add(
            post("/coreuser/request_verify_email/", invitation::request_verify_email)
                .summary("Mails a link that verifies the own address")
                .description("A changed address gets one by itself.")
                .answers_object(200),
        )
        .add(
            post("/coreuser/verify_email/", invitation::verify_email)
                .summary("Verifies an address")
                .takes_fields::<invitation::VerificationInput>()
                .answers::<password::Success>(200)
                .public(),
        )
        .add(
            post("/coreuser/notification/", message::notify)
                .summary("Mails everybody in the organization")
                .takes_fields::<message::NotificationInput>()
                .answers_object(200),
        )
        .add(
            post("/coreuser/alert/", message::alert)
                .summary("Mails alerts to everybody in the organization")
                .takes_fields::<message::AlertInput>()
                .answers_object(200),
        )
        .add(
            post("/coreuser/assignees/", message::assignees)
                .summary("Gives the names behind user ids")
                .description("A plain list of the ids is taken too.")
                .takes::<message::AssigneesInput>()
                .answers_object(200),
        )
}

fn passwords(routes: Routes) -> Routes {
    routes
        .add(
            post("/coreuser/reset_password/", password::reset)
                .summary("Mails a link to set a new password")
                .takes_fields::<password::ResetInput>()
                .answers_object(200)
                .public(),
        )
        .add(
            post("/coreuser/reset_password_check/", password::check)
                .summary("Says whether such a link counts")
                .takes_fields::<password::ResetCheckInput>()
                .answers::<password::Success>(200)
                .public(),
        )
        .add(
            post("/coreuser/reset_password_confirm/", password::confirm)
                .summary("Sets a new password")
                .takes_fields::<password::ResetConfirmInput>()
                .answers_object(200)
                .public(),
        )
}

/// What the front ends also call these, and the name of the oldest one.
fn older_spellings(routes: Routes) -> Routes {
    routes
        .add(post("/coreuser/reset-password/", password::reset).hidden().public())
        .add(post("/coreuser/reset-password-check/", password::check).hidden().public())
        .add(post("/coreuser/reset-password-confirm/", password::confirm).hidden().public())
        .add(get("/oauthuser/", account::list).hidden())
        .add(post("/oauthuser/", account::register).hidden().public())
        .add(get("/oauthuser/me/", account::me).hidden())
        .add(get("/oauthuser/{id}/", account::read).hidden())
        .add(put("/oauthuser/{id}/", account::replace).hidden())
        .add(patch("/oauthuser/{id}/", account::change).hidden())
}

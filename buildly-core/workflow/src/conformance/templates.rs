//! Versions of templates.

use buildly_model::StoreError;

use super::world::{ACME, GLOBEX, Subject, at};
use crate::{Change, StoredTemplate, TemplateFilter, TemplateHash, TemplateStatus};

/// A draft whose hash is made of one digit.
pub(super) fn template(name: &str, version: u32, digit: char) -> StoredTemplate {
    StoredTemplate {
        organization: ACME,
        name: name.to_owned(),
        version,
        status: TemplateStatus::Draft,
        title: Some("Straße \u{1F6E0}".to_owned()),
        document: format!("{{\"name\":\"{name}\",\"levels\":[]}}"),
        hash: hash(digit),
        updated_at: at(i64::from(version)),
    }
}

fn hash(digit: char) -> TemplateHash {
    digit.to_string().repeat(64).parse().expect("64 digits")
}

pub(super) fn moved(template: &StoredTemplate, from: TemplateStatus, to: TemplateStatus) -> Change {
    let template = StoredTemplate { status: to, updated_at: at(99), ..template.clone() };
    Change::TemplateMoved { template, from }
}

async fn find(subject: &Subject, name: &str, version: u32) -> Option<StoredTemplate> {
    subject.store.find_template(ACME, name, Some(version)).await.expect("reads")
}

async fn save(subject: &Subject, template: &StoredTemplate) -> Result<(), StoreError> {
    subject.write(ACME, Change::TemplateSaved(template.clone())).await
}

pub async fn a_template_reads_back_as_it_was_saved(subject: &Subject) {
    let full = template("onboarding", 1, 'a');
    let bare = StoredTemplate { title: None, ..template("offboarding", 7, 'b') };
    for saved in [full, bare] {
        save(subject, &saved).await.expect("it is new");
        assert_eq!(find(subject, &saved.name, saved.version).await, Some(saved));
    }
    assert_eq!(find(subject, "onboarding", 2).await, None);
}

pub async fn only_a_draft_is_replaced_or_deleted(subject: &Subject) {
    let (first, second) = (template("onboarding", 1, 'a'), template("onboarding", 1, 'b'));
    save(subject, &first).await.expect("it is new");
    save(subject, &second).await.expect("a draft is replaced");
    assert_eq!(find(subject, "onboarding", 1).await, Some(second.clone()));

    let published = moved(&second, TemplateStatus::Draft, TemplateStatus::Published);
    subject.write(ACME, published).await.expect("it is a draft");
    let replaced = save(subject, &first).await;
    assert!(matches!(replaced, Err(StoreError::Taken { field: "version" })), "got {replaced:?}");
    let delete = |version| Change::DraftDeleted { name: "onboarding".to_owned(), version };
    for (case, version) in [("a published version", 1), ("a version that is not there", 2)] {
        let deleted = subject.write(ACME, delete(version)).await;
        assert!(matches!(deleted, Err(StoreError::Missing { .. })), "{case}: {deleted:?}");
    }
    save(subject, &template("onboarding", 2, 'c')).await.expect("it is new");
    subject.write(ACME, delete(2)).await.expect("it is a draft");
    assert_eq!(find(subject, "onboarding", 2).await, None);
    assert_eq!(find(subject, "onboarding", 1).await.map(|template| template.hash), Some(hash('b')));
}

pub async fn a_template_moves_on_from_the_state_it_was_seen_in(subject: &Subject) {
    let draft = template("onboarding", 1, 'a');
    save(subject, &draft).await.expect("it is new");
    let other = template("onboarding", 1, 'b');
    let absent = template("onboarding", 2, 'a');
    for (case, change) in [
        ("another state", moved(&draft, TemplateStatus::Published, TemplateStatus::Retired)),
        ("another hash", moved(&other, TemplateStatus::Draft, TemplateStatus::Published)),
        ("another version", moved(&absent, TemplateStatus::Draft, TemplateStatus::Published)),
    ] {
        let refused = subject.write(ACME, change).await;
        assert!(matches!(refused, Err(StoreError::Stale)), "{case}: {refused:?}");
    }
    let publish = moved(&draft, TemplateStatus::Draft, TemplateStatus::Published);
    subject.write(ACME, publish.clone()).await.expect("it is a draft");
    let again = subject.write(ACME, publish).await;
    assert!(matches!(again, Err(StoreError::Stale)), "got {again:?}");
    let expected = StoredTemplate { status: TemplateStatus::Published, updated_at: at(99), ..draft };
    assert_eq!(find(subject, "onboarding", 1).await, Some(expected));
}

pub async fn the_newest_and_the_newest_published_version_are_found(subject: &Subject) {
    for version in [1, 2, 10, 3] {
        let draft = template("onboarding", version, 'a');
        save(subject, &draft).await.expect("it is new");
        if version < 10 {
            let publish = moved(&draft, TemplateStatus::Draft, TemplateStatus::Published);
            subject.write(ACME, publish).await.expect("it is a draft");
        }
    }
    save(subject, &template("offboarding", 4, 'a')).await.expect("it is new");
    let published = subject.store.find_template(ACME, "onboarding", None).await.expect("reads");
    assert_eq!(published.map(|template| template.version), Some(3));
    let newest = subject.store.newest_template(ACME, "onboarding").await.expect("reads");
    assert_eq!(newest.map(|template| template.version), Some(10), "versions are numbers, not texts");
    assert_eq!(subject.store.find_template(ACME, "offboarding", None).await.expect("reads"), None);
    assert_eq!(subject.store.published_versions(ACME).await.expect("reads"), [("onboarding".to_owned(), 3)]);
    assert_eq!(subject.store.published_versions(GLOBEX).await.expect("reads"), Vec::new());
}

pub async fn templates_are_found_by_each_condition(subject: &Subject) {
    for (name, version) in [("a", 1), ("a", 2), ("b", 1)] {
        save(subject, &template(name, version, 'a')).await.expect("it is new");
    }
    let publish = moved(&template("a", 1, 'a'), TemplateStatus::Draft, TemplateStatus::Published);
    subject.write(ACME, publish).await.expect("it is a draft");
    for (case, name, status, expected) in [
        ("nothing said", None, None, vec![("b", 1), ("a", 2), ("a", 1)]),
        ("name", Some("a"), None, vec![("a", 2), ("a", 1)]),
        ("state", None, Some(TemplateStatus::Draft), vec![("b", 1), ("a", 2)]),
        ("both", Some("a"), Some(TemplateStatus::Published), vec![("a", 1)]),
        ("none such", Some("c"), None, vec![]),
    ] {
        let filter = TemplateFilter { name: name.map(str::to_owned), status };
        let rows = subject.store.templates(ACME, &filter, None, 10).await.expect("reads").rows;
        let found: Vec<_> = rows.iter().map(|one| (one.name.as_str(), one.version)).collect();
        assert_eq!(found, expected, "{case}");
    }
}

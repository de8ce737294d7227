//! Templates: saved as drafts, checked, published, retired.

use buildly_journal::Part;
use buildly_model::{Principal, StoreError};
use serde_json::json;

use crate::runs::{NULL_REFUSED, is_nobodys};
use crate::template::{NAME_BYTES_MAX, is_name};
use crate::workflow::{ATTEMPTS_MAX, parsed};
use crate::{
    Change, Compiled, Error, Finding, NodeKind, Right, Rows, StoredTemplate, Target, Template,
    TemplateFilter, TemplateStatus, Workflow, check, compile,
};

impl Workflow {
    /// What is wrong with a template, as it would be published by this caller. It can be, if no
    /// finding is an error.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller may read templates.
    pub async fn check(&self, principal: &Principal, template: &Template) -> Result<Vec<Finding>, Error> {
        let organization = self.parts.access.require(principal, Right::Read).await?;
        let published = self.parts.store.published_versions(organization).await?;
        let mut published: Vec<String> = published.into_iter().map(|(name, _)| name).collect();
        // A template may run itself.
        published.push(template.name.clone());
        let compiled = match compile(template) {
            Ok(compiled) => compiled,
            Err(findings) => return Ok(findings),
        };
        let outside = self.parts.access.outside(principal, published, services(&compiled)).await?;
        Ok(check(&compiled, &*outside))
    }

    /// Saves a template as a draft: the newest version if that is one, else the next.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller designs templates.
    pub async fn save_draft(
        &self,
        principal: &Principal,
        template: &Template,
    ) -> Result<StoredTemplate, Error> {
        let organization = self.parts.access.require(principal, Right::Design).await?;
        if !is_name(&template.name) {
            let expected =
                format!("begin with a-z, go on with a-z, 0-9 and `_`, at most {NAME_BYTES_MAX} bytes");
            return Err(Error::field("name", expected));
        }
        if template.title.as_ref().is_some_and(|title| title.contains('\0')) {
            return Err(Error::field("title", NULL_REFUSED));
        }
        let document = serde_json::to_string(template)
            .map_err(|error| Error::field("template", format!("cannot be written as JSON: {error}")))?;
        for attempt in 1.. {
            let newest = self.parts.store.newest_template(organization, &template.name).await?;
            let version = newest.map_or(1, |newest| match newest.status {
                TemplateStatus::Draft => newest.version,
                TemplateStatus::Published | TemplateStatus::Retired => newest.version.saturating_add(1),
            });
            let stored = StoredTemplate {
                organization,
                name: template.name.clone(),
                version,
                status: TemplateStatus::Draft,
                title: template.title.clone(),
                document: document.clone(),
                hash: template.hash(),
                updated_at: self.parts.clock.now(),
            };
            let fact = self.template_fact("workflow.template.saved", &stored, principal);
            let part = Part::of(Some(organization), Change::TemplateSaved(stored.clone()), fact);
            match self.parts.commits.commit(part).await {
                Ok(_) => return Ok(stored),
                Err(StoreError::Taken { .. } | StoreError::Stale) if attempt < ATTEMPTS_MAX => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Stale.into())
    }

    /// Publishes a draft: from now on runs are made of it, and it never changes.
    ///
    /// # Errors
    /// [`Error::Unsound`] with what must be mended, [`Error::Conflict`] if it is no draft.
    pub async fn publish(
        &self,
        principal: &Principal,
        name: &str,
        version: Option<u32>,
    ) -> Result<StoredTemplate, Error> {
        let organization = self.parts.access.require(principal, Right::Design).await?;
        let stored = match version {
            Some(version) => self.find_template(organization, name, Some(version)).await?,
            None if is_name(name) => self.parts.store.newest_template(organization, name).await?,
            None => None,
        };
        let stored = stored.ok_or_else(|| Error::not_found("template", name))?;
        if stored.status != TemplateStatus::Draft {
            return Err(is_no(&stored, "draft"));
        }
        let mut findings = self.check(principal, &parsed(&stored)?).await?;
        findings.retain(Finding::is_error);
        if !findings.is_empty() {
            return Err(Error::Unsound(findings));
        }
        self.move_template(principal, stored, TemplateStatus::Published, "workflow.template.published").await
    }

    /// Retires a published version: its runs go on, no new ones are made of it.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] if it is not published.
    pub async fn retire(
        &self,
        principal: &Principal,
        name: &str,
        version: u32,
    ) -> Result<StoredTemplate, Error> {
        self.parts.access.require(principal, Right::Design).await?;
        let stored = self.template(principal, name, Some(version)).await?;
        if stored.status != TemplateStatus::Published {
            return Err(is_no(&stored, "published version"));
        }
        self.move_template(principal, stored, TemplateStatus::Retired, "workflow.template.retired").await
    }

    async fn move_template(
        &self,
        principal: &Principal,
        stored: StoredTemplate,
        to: TemplateStatus,
        kind: &'static str,
    ) -> Result<StoredTemplate, Error> {
        let (organization, from) = (stored.organization, stored.status);
        let moved = StoredTemplate { status: to, updated_at: self.parts.clock.now(), ..stored };
        let fact = self.template_fact(kind, &moved, principal);
        let change = Change::TemplateMoved { template: moved.clone(), from };
        match self.parts.commits.commit(Part::of(Some(organization), change, fact)).await {
            Ok(_) => Ok(moved),
            Err(StoreError::Stale) => Err(Error::Conflict {
                reason: format!(
                    "version {} of `{}` was changed meanwhile; look at it again",
                    moved.version, moved.name
                ),
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes a draft.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no draft of that version.
    pub async fn delete_draft(&self, principal: &Principal, name: &str, version: u32) -> Result<(), Error> {
        let organization = self.parts.access.require(principal, Right::Design).await?;
        let stored = self.template(principal, name, Some(version)).await?;
        if stored.status != TemplateStatus::Draft {
            return Err(is_no(&stored, "draft"));
        }
        let fact = self.template_fact("workflow.template.deleted", &stored, principal);
        let change = Change::DraftDeleted { name: stored.name, version };
        match self.parts.commits.commit(Part::of(Some(organization), change, fact)).await {
            Err(StoreError::Missing { .. }) => Err(Error::not_found("draft", format!("{name} {version}"))),
            written => Ok(written.map(drop)?),
        }
    }

    /// One version of a template; without one the newest that is published.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn template(
        &self,
        principal: &Principal,
        name: &str,
        version: Option<u32>,
    ) -> Result<StoredTemplate, Error> {
        let organization = self.parts.access.require(principal, Right::Read).await?;
        let found = self.find_template(organization, name, version).await?;
        found.ok_or_else(|| match version {
            Some(version) => Error::not_found("template", format!("{name} {version}")),
            None => Error::not_found("published template", name),
        })
    }

    /// Versions of templates, newest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller may read templates.
    pub async fn templates(
        &self,
        principal: &Principal,
        filter: &TemplateFilter,
        after: Option<u64>,
        rows_max: u32,
    ) -> Result<Rows<StoredTemplate>, Error> {
        let organization = self.parts.access.require(principal, Right::Read).await?;
        if is_nobodys([&filter.name]) {
            return Ok(Rows::default());
        }
        Ok(self.parts.store.templates(organization, filter, after, rows_max).await?)
    }

    fn template_fact(
        &self,
        kind: &'static str,
        stored: &StoredTemplate,
        principal: &Principal,
    ) -> buildly_journal::Event {
        let payload = json!({"version": stored.version, "hash": stored.hash, "status": stored.status});
        self.fact(kind, &stored.name, payload, principal)
    }
}

/// The services that a template calls.
fn services(template: &Compiled) -> Vec<String> {
    let named = template.nodes.iter().filter_map(|node| match &node.kind {
        NodeKind::Call { target: Target::Operation(name) | Target::Records(name), .. } => {
            name.split_once('.').map(|(service, _)| service.to_owned())
        }
        _ => None,
    });
    let mut services: Vec<String> = named.collect();
    services.sort_unstable();
    services.dedup();
    services
}

fn is_no(stored: &StoredTemplate, wanted: &str) -> Error {
    let StoredTemplate { name, version, status, .. } = stored;
    Error::Conflict { reason: format!("version {version} of `{name}` is {status}, no {wanted}") }
}

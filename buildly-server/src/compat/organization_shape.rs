//! An organization as existing clients read and write it.

use buildly_core::auth::identity::{Organization, OrganizationUpdate};
use buildly_core::model::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::request::Fields;

/// An organization.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrganizationBody {
    id: Uuid,
    organization_uuid: Uuid,
    name: String,
    description: Option<String>,
    organization_url: Option<String>,
    industries: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    create_date: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    edit_date: Timestamp,
    oauth_domains: Option<Vec<String>>,
    date_format: String,
    phone: Option<String>,
    allow_import_export: bool,
    radius: f64,
    organization_type: Option<i64>,
    stripe_subscription_details: Option<Value>,
    subscriptions: Vec<Value>,
    subscription_active: bool,
    referral_link: Option<String>,
    unlimited_free_plan: bool,
}

/// An organization as it is written.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrganizationInput {
    name: String,
    description: Option<String>,
    organization_url: Option<String>,
    industries: Option<Vec<String>>,
    oauth_domains: Option<Vec<String>>,
    date_format: Option<String>,
    phone: Option<String>,
    allow_import_export: Option<bool>,
    radius: Option<f64>,
    organization_type: Option<i64>,
    referral_link: Option<String>,
}

impl From<Organization> for OrganizationBody {
    fn from(organization: Organization) -> Self {
        let details = organization.details;
        Self {
            id: organization.id.as_uuid(),
            organization_uuid: organization.id.as_uuid(),
            name: organization.name,
            description: details.description,
            organization_url: details.organization_url,
            industries: details.industries,
            create_date: organization.created_at,
            edit_date: organization.edited_at,
            oauth_domains: details.oauth_domains,
            date_format: details.date_format,
            phone: details.phone,
            allow_import_export: details.allow_import_export,
            radius: details.radius,
            organization_type: details.organization_type,
            stripe_subscription_details: details.stripe_subscription_details,
            subscriptions: details.subscriptions,
            subscription_active: details.subscription_active,
            referral_link: details.referral_link,
            unlimited_free_plan: details.unlimited_free_plan,
        }
    }
}

/// Reads what is written; every refusal stays in `fields`.
pub(super) fn read(fields: &mut Fields) -> OrganizationUpdate {
    OrganizationUpdate {
        name: fields.text("name"),
        description: clearable(fields, "description", Fields::text),
        organization_url: clearable(fields, "organization_url", Fields::text),
        industries: fields.texts("industries"),
        oauth_domains: clearable(fields, "oauth_domains", Fields::texts),
        date_format: fields.text("date_format"),
        phone: clearable(fields, "phone", Fields::text),
        allow_import_export: fields.boolean("allow_import_export"),
        radius: number(fields, "radius"),
        organization_type: clearable(fields, "organization_type", Fields::integer),
        stripe_subscription_details: None,
        referral_link: clearable(fields, "referral_link", Fields::text),
    }
}

/// A field that `null` clears; `None` if it did not come.
pub(super) fn clearable<T>(
    fields: &mut Fields,
    name: &str,
    read: impl FnOnce(&mut Fields, &str) -> Option<T>,
) -> Option<Option<T>> {
    fields.has(name).then(|| read(fields, name))
}

fn number(fields: &mut Fields, name: &str) -> Option<f64> {
    let value = fields.value(name)?;
    let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
    number.or_else(|| fields.refuse(name, "A valid number is required."))
}

//! An organization: the tenant, the wall nothing crosses.

use buildly_model::{OrganizationId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An organization as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// Unique in the deployment, compared without case.
    pub name: String,
    /// What it says about itself.
    pub details: OrganizationDetails,
    /// Counts changes of this row, so that none is lost.
    pub version: u64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub edited_at: Timestamp,
}

/// What an organization says about itself; rights never depend on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OrganizationDetails {
    /// Free text.
    pub description: Option<String>,
    /// Its web page.
    pub organization_url: Option<String>,
    /// The industries it works in.
    pub industries: Vec<String>,
    /// Domains whose users may sign up by a social sign-in.
    pub oauth_domains: Option<Vec<String>>,
    /// How its people write dates.
    pub date_format: String,
    /// Its telephone number.
    pub phone: Option<String>,
    /// Whether its people may import and export.
    pub allow_import_export: bool,
    /// A radius in the unit of its front end.
    pub radius: f64,
    /// The number of its organization type.
    pub organization_type: Option<i64>,
    /// What the payment service says about its subscription.
    pub stripe_subscription_details: Option<Value>,
    /// Its subscriptions, as the front end keeps them.
    pub subscriptions: Vec<Value>,
    /// Whether a subscription is running.
    pub subscription_active: bool,
    /// The link by which it brings others in.
    pub referral_link: Option<String>,
    /// Whether it never pays.
    pub unlimited_free_plan: bool,
}

impl Default for OrganizationDetails {
    fn default() -> Self {
        Self {
            description: None,
            organization_url: None,
            industries: Vec::new(),
            oauth_domains: None,
            date_format: "DD.MM.YYYY".to_owned(),
            phone: None,
            allow_import_export: false,
            radius: 0.0,
            organization_type: None,
            stripe_subscription_details: None,
            subscriptions: Vec::new(),
            subscription_active: false,
            referral_link: None,
            unlimited_free_plan: false,
        }
    }
}

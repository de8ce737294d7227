//! Sign-in by an OpenID Connect provider: authorization code with PKCE, `state` and `nonce`
//! (OpenID Connect Core 1.0 section 3.1; RFC 7636; RFC 9700 section 2.1).

mod id_token;
mod pending;
mod provider;
mod text;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use buildly_core::auth::identity::OutsideIdentity;
use buildly_core::auth::security::{Security, Unproven};
use buildly_core::gateway_http::{Outbound, TlsError};
use buildly_core::model::Secret;
use buildly_core::model::system::{Clock as _, System};
use http::HeaderValue;
use http::request::Parts;

use id_token::{Expected, Person};
use pending::{Attempt, Pending};
use provider::Provider;
use text::{challenge, cookie, query, random_text};

/// What the deployment has agreed with the provider.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The provider, exactly as it calls itself, such as `https://login.example.org`.
    pub issuer: String,
    /// How the provider calls this deployment.
    pub client_id: String,
    /// The secret that the provider gave; none for a public client.
    pub client_secret: Option<Secret>,
    /// Where the provider sends browsers back to, as it is registered there.
    pub redirect_uri: String,
    /// The organization that people of this provider come to.
    pub organization: String,
    /// The claim with the names of somebody's groups; without one Buildly keeps the groups.
    pub groups_claim: Option<String>,
}

/// Where to send a browser that wants to sign in.
#[derive(Debug, Clone)]
pub struct Begun {
    /// The provider's page; for `Location`.
    pub location: String,
    /// Ties the sign-in to this browser; for `Set-Cookie`.
    pub cookie: HeaderValue,
}

/// The extension; its clones are one.
#[derive(Clone)]
pub struct Oidc(Arc<Inner>);

struct Inner {
    settings: Settings,
    network: Outbound,
    /// What the provider says about itself; asked for when first needed.
    provider: tokio::sync::Mutex<Option<Arc<Provider>>>,
    pending: Mutex<Pending>,
}

impl Oidc {
    /// Prepares; asks the provider nothing yet. A provider on this machine or in a private
    /// network is asked only with `reach_private`.
    ///
    /// # Errors
    /// [`TlsError`] if TLS cannot be set up.
    pub fn new(settings: Settings, reach_private: bool) -> Result<Self, TlsError> {
        let network = Outbound::new(reach_private)?;
        let (provider, pending) = (tokio::sync::Mutex::default(), Mutex::default());
        Ok(Self(Arc::new(Inner { settings, network, provider, pending })))
    }

    /// Begins a sign-in in a browser.
    ///
    /// # Errors
    /// [`Unproven::Unavailable`] if the provider does not say where its page is.
    pub async fn begin(&self) -> Result<Begun, Unproven> {
        let provider = self.provider().await?;
        let settings = &self.0.settings;
        let (state, browser, nonce, verifier) = (random_text(), random_text(), random_text(), random_text());
        let page = query(&[
            ("response_type", "code"),
            ("scope", "openid profile email"),
            ("client_id", &settings.client_id),
            ("redirect_uri", &settings.redirect_uri),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &challenge(&verifier)),
            ("code_challenge_method", "S256"),
        ]);
        let cookie = self.cookie(&state, &browser)?;
        self.pending().put(state, Attempt { browser, nonce, verifier }, System.now());
        let endpoint = &provider.document.authorization_endpoint;
        let separator = if endpoint.contains('?') { '&' } else { '?' };
        Ok(Begun { location: format!("{endpoint}{separator}{page}"), cookie })
    }

    fn cookie(&self, state: &str, browser: &str) -> Result<HeaderValue, Unproven> {
        let secure = if self.0.settings.redirect_uri.starts_with("https:") { "; Secure" } else { "" };
        let name = cookie_name(state);
        let age = pending::LIFETIME.as_secs();
        let text = format!("{name}={browser}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}");
        HeaderValue::try_from(text).map_err(|error| Unproven::Unavailable(error.to_string()))
    }

    /// The provider's own words, once they have been heard.
    async fn provider(&self) -> Result<Arc<Provider>, Unproven> {
        let mut known = self.0.provider.lock().await;
        if let Some(provider) = known.as_ref() {
            return Ok(Arc::clone(provider));
        }
        let provider = Arc::new(Provider::discover(&self.0.network, &self.0.settings).await?);
        *known = Some(Arc::clone(&provider));
        Ok(provider)
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.0.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sign-in that this request ends; it counts once.
    fn take(&self, callback: &Callback, request: &Parts) -> Result<Attempt, Unproven> {
        let strange = "this sign-in was not begun in this browser, has ended or took too long; begin again";
        let refused = || Unproven::Refused(strange.to_owned());
        let state = callback.state.as_deref().ok_or_else(refused)?;
        let attempt = self.pending().take(state, System.now()).ok_or_else(refused)?;
        let browser = cookie(&request.headers, &cookie_name(state)).ok_or_else(refused)?;
        if text::is_same(browser, &attempt.browser) { Ok(attempt) } else { Err(refused()) }
    }
}

/// What a browser comes back with.
#[derive(Debug, Default)]
struct Callback {
    state: Option<String>,
    code: Option<String>,
    issuer: Option<String>,
    error: Option<String>,
}

impl Callback {
    fn read(request: &Parts) -> Self {
        let mut callback = Self::default();
        let pairs = form_urlencoded::parse(request.uri.query().unwrap_or_default().as_bytes());
        for (name, value) in pairs {
            let place = match name.as_ref() {
                "state" => &mut callback.state,
                "code" => &mut callback.code,
                "iss" => &mut callback.issuer,
                "error" => &mut callback.error,
                _ => continue,
            };
            *place = Some(value.into_owned());
        }
        callback
    }
}

#[async_trait]
impl Security for Oidc {
    fn name(&self) -> &str {
        "oidc"
    }

    async fn identify(&self, request: &Parts) -> Result<OutsideIdentity, Unproven> {
        let callback = Callback::read(request);
        let attempt = self.take(&callback, request)?;
        let provider = self.provider().await?;
        // Before anything else: an answer of another provider must not reach this one (RFC 9207).
        let settings = &self.0.settings;
        match &callback.issuer {
            Some(issuer) if *issuer == settings.issuer => {}
            None if !provider.document.authorization_response_iss_parameter_supported => {}
            _ => return Err(Unproven::Refused("the answer is not the provider's that was asked".to_owned())),
        }
        if let Some(error) = callback.error {
            return Err(Unproven::Refused(format!("the provider refused: {error}")));
        }
        let code = callback.code.ok_or_else(|| Unproven::Refused("the answer has no code".to_owned()))?;
        let tokens = provider.redeem(&self.0.network, settings, &code, &attempt.verifier).await?;
        let keys = provider.keys(&self.0.network).await?;
        let expected =
            Expected { issuer: &settings.issuer, client_id: &settings.client_id, nonce: &attempt.nonce };
        let person = id_token::verify(&tokens.id_token, &keys, &expected, System.now());
        let person = person.map_err(|fault| Unproven::Refused(fault.to_string()))?;
        let person = provider.add_userinfo(&self.0.network, &tokens, person).await?;
        Ok(self.outside(person))
    }
}

impl Oidc {
    fn outside(&self, person: Person) -> OutsideIdentity {
        let settings = &self.0.settings;
        let groups = settings.groups_claim.as_deref().map(|claim| person.texts(claim));
        OutsideIdentity {
            issuer: settings.issuer.clone(),
            username: person.text("preferred_username"),
            email: person.text("email"),
            // Some providers send a text; only `true` itself is a promise.
            email_verified: person.claims.get("email_verified") == Some(&serde_json::Value::Bool(true)),
            first_name: person.text("given_name").unwrap_or_default(),
            last_name: person.text("family_name").unwrap_or_default(),
            organization: settings.organization.clone(),
            groups,
            subject: person.subject,
        }
    }
}

/// A browser may have several sign-ins under way.
fn cookie_name(state: &str) -> String {
    let letters = state.chars().filter(char::is_ascii_alphanumeric);
    format!("sign-in-{}", letters.take(8).collect::<String>())
}

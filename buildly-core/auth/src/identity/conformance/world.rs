//! A deployment over a bare storage: operations, a snapshot that follows the feed, a clock
//! that is set, mail that is kept.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use buildly_journal::{Commit, Feed, FeedPosition, Part};
use buildly_model::system::System;
use buildly_model::{
    Action, Clock, Identity, OrganizationId, Principal, Revision, Secret, ServiceId, StoreError, Timestamp,
};
use tokio::sync::Mutex as AsyncMutex;

use crate::identity::{
    Mail, Mailer, NewSuperuser, ProfileUpdate, Registration, User, UserKey, UserUpdate, UserView,
};
use crate::permission::Resource;
use crate::token::{self, DeploymentKey, Signing};
use crate::{Auth, Change, Error, Parts, Snapshot, Snapshots, Store};

/// What the suite needs of a storage.
pub trait Storage: Store + Feed {}

impl<T: Store + Feed> Storage for T {}

/// The password of everybody.
pub(super) const PASSWORD: &str = "correct horse 9";

/// A deployment over a bare storage.
pub struct World {
    pub(super) auth: Auth,
    pub(super) storage: Arc<dyn Storage>,
    pub(super) commits: Arc<dyn Commit<Change>>,
    hot: Arc<Hot>,
    clock: Arc<TestClock>,
    mail: Arc<Outbox>,
}

struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microseconds(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

#[derive(Default)]
struct Outbox(Mutex<Vec<Mail>>);

impl Mailer for Outbox {
    fn send(&self, mail: Mail) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(mail);
    }
}

/// The snapshot, moved on by the feed after every commit, as the follower does.
struct Hot {
    storage: Arc<dyn Storage>,
    store: Arc<dyn Store>,
    inner: Arc<dyn Commit<Change>>,
    snapshot: Mutex<Arc<Snapshot>>,
    position: AsyncMutex<FeedPosition>,
}

impl Hot {
    fn load(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn publish(&self, snapshot: Snapshot) {
        *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
    }

    /// Until `revision` has been applied: another transaction in flight may hold the feed up.
    async fn catch_up(&self, revision: Revision) -> Result<(), StoreError> {
        let mut position = self.position.lock().await;
        loop {
            let page = self.storage.read_feed(*position, 100).await?;
            *position = page.next;
            if page.events.is_empty() {
                if page.complete_to >= revision {
                    return Ok(());
                }
                self.storage.feed_changed(Duration::from_millis(10)).await;
                continue;
            }
            let current = self.load();
            let identity = current.identity.follow(&page.events, &self.store).await?;
            let token = current.token.follow(&page.events, &self.store).await?;
            self.publish(Snapshot { identity, token, ..Snapshot::default() });
        }
    }
}

#[async_trait]
impl Commit<Change> for Hot {
    async fn commit_all(&self, parts: Vec<Part<Change>>) -> Result<Revision, StoreError> {
        let revision = self.inner.commit_all(parts).await?;
        self.catch_up(revision).await?;
        Ok(revision)
    }
}

#[async_trait]
impl Snapshots for Hot {
    fn current(&self) -> Arc<Snapshot> {
        self.load()
    }

    async fn with_organization(&self, organization: OrganizationId) -> Result<Arc<Snapshot>, StoreError> {
        let _position = self.position.lock().await;
        let current = self.load();
        if !current.has_organization(organization) {
            self.publish(current.load_organization(organization, &self.store).await?);
        }
        Ok(self.load())
    }
}

impl World {
    /// Puts a deployment over an empty storage.
    pub async fn new(storage: Arc<dyn Storage>, commits: Arc<dyn Commit<Change>>) -> Self {
        let store: Arc<dyn Store> = storage.clone();
        let position = storage.feed_end().await.expect("the feed is readable");
        let identity = crate::identity::Snapshot::load(&store).await.expect("an empty storage is readable");
        let hot = Arc::new(Hot {
            storage: storage.clone(),
            store: store.clone(),
            inner: commits.clone(),
            snapshot: Mutex::new(Arc::new(Snapshot { identity, ..Snapshot::default() })),
            position: AsyncMutex::new(position),
        });
        let start = Timestamp::from_seconds(1_800_000_000).as_microseconds();
        let clock = Arc::new(TestClock(AtomicI64::new(start)));
        let mail = Arc::new(Outbox::default());
        let parts = Parts {
            store,
            commits: hot.clone(),
            snapshots: hot.clone(),
            clock: clock.clone(),
            random: Arc::new(System),
            signing: Signing::new(DeploymentKey::generate(&System), token::Settings::default()),
        };
        let auth = Auth::new(parts).with_mailer(mail.clone());
        Self { auth, storage, commits, hot, clock, mail }
    }

    pub(super) fn pass(&self, time: Duration) {
        let microseconds = i64::try_from(time.as_micros()).expect("a short time");
        self.clock.0.fetch_add(microseconds, Ordering::SeqCst);
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn take_mail(&self) -> Vec<Mail> {
        std::mem::take(&mut *self.mail.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        self.hot.load()
    }

    /// A snapshot that is read anew, with the same organizations.
    pub(super) async fn loaded_again(&self, organizations: &[OrganizationId]) -> crate::identity::Snapshot {
        let store: Arc<dyn Store> = self.storage.clone();
        let mut identity = crate::identity::Snapshot::load(&store).await.expect("the storage is readable");
        for organization in organizations {
            identity = identity.load_organization(*organization, &store).await.expect("it is readable");
        }
        identity
    }

    pub(super) async fn load(&self, organization: OrganizationId) {
        self.hot.with_organization(organization).await.expect("the organization is readable");
    }

    /// Registers somebody; inactive if the organization exists.
    pub(super) async fn register(&self, username: &str, organization: &str) -> UserView {
        let registration = registration(username, organization);
        self.auth.register(&Principal::ANONYMOUS, &registration).await.expect("registration is open")
    }

    /// Registers somebody who is approved by `admin`.
    pub(super) async fn member(&self, username: &str, admin: &UserView) -> UserView {
        let organization = admin.organization.as_ref().expect("an administrator belongs somewhere");
        let waiting = self.register(username, &organization.name).await;
        let update = UserUpdate { is_active: Some(true), ..UserUpdate::default() };
        let key = UserKey::Id(waiting.user.id);
        self.auth.update_user(&as_principal(&admin.user), key, &update).await.expect("an admin approves")
    }

    pub(super) async fn superuser(&self) -> UserView {
        let new = NewSuperuser {
            username: "root".to_owned(),
            email: "root@example.org".to_owned(),
            password: Secret::new(PASSWORD),
            organization_name: "default organization".to_owned(),
        };
        self.auth.create_superuser(&new).await.expect("a superuser is made")
    }

    pub(super) async fn sign_in(&self, username: &str, password: &str) -> Result<User, Error> {
        self.auth.sign_in(username, &Secret::new(password), None).await
    }

    pub(super) fn may(&self, user: &User, action: Action, service: ServiceId) -> bool {
        self.snapshot().check(&as_principal(user), action, Resource::Service(service)).is_allowed()
    }
}

pub(super) fn registration(username: &str, organization: &str) -> Registration {
    Registration {
        username: username.to_owned(),
        email: format!("{username}@example.org"),
        password: Secret::new(PASSWORD),
        organization_name: organization.to_owned(),
        profile: ProfileUpdate { first_name: Some(username.to_owned()), ..ProfileUpdate::default() },
        invitation: None,
        groups: Vec::new(),
    }
}

pub(super) fn as_principal(user: &User) -> Principal {
    Principal { identity: Identity::User(user.id), organization: user.organization, ..Principal::ANONYMOUS }
}

pub(super) fn organization_of(view: &UserView) -> OrganizationId {
    view.user.organization.expect("the user belongs somewhere")
}

//! Where something has happened that a transport may have to carry.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use buildly_journal::FeedEvent;
use buildly_model::OrganizationId;
use tokio::sync::Notify;

/// Where something has happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    /// Nobody knows: all lanes are looked at.
    Anywhere,
    /// In these organizations; `None` is the deployment.
    In(BTreeSet<Option<OrganizationId>>),
}

/// Told by the follower, waited for by a carrier. At the start nobody knows.
pub(crate) struct Touched {
    news: Mutex<Option<News>>,
    changed: Notify,
}

impl Default for Touched {
    fn default() -> Self {
        let touched = Self { news: Mutex::new(Some(News::Anywhere)), changed: Notify::new() };
        touched.changed.notify_one();
        touched
    }
}

impl Touched {
    /// These have happened.
    pub(crate) fn tell(&self, events: &[FeedEvent]) {
        self.tell_again(News::In(events.iter().map(|event| event.organization).collect()));
    }

    /// Some may have been missed.
    pub(crate) fn tell_all(&self) {
        self.tell_again(News::Anywhere);
    }

    pub(super) fn tell_again(&self, news: News) {
        let mut known = self.lock();
        *known = Some(match (known.take(), news) {
            (Some(News::Anywhere), _) | (_, News::Anywhere) => News::Anywhere,
            (None, news) => news,
            (Some(News::In(mut known)), News::In(more)) => {
                known.extend(more);
                News::In(known)
            }
        });
        drop(known);
        self.changed.notify_one();
    }

    /// Waits for news and takes them. Nothing is lost if the wait is given up.
    pub(super) async fn wait(&self) -> News {
        loop {
            if let Some(news) = self.lock().take() {
                return news;
            }
            self.changed.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<News>> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

use http::Method;

use crate::browser::Browser;
use crate::site::Running;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_there_is_maintenance_nobody_changes_anything_and_everybody_is_told_why() {
    let site = Running::start("http://127.0.0.1:1", false).await;
    let (mut browser, token) = (Browser::new(), site.admin_token().await);
    let items = format!("{}/stock/items/", site.origin);
    let switch = |word: &str| format!("{}/maintenance/{word}", site.origin);
    assert_eq!(browser.as_bearer(Method::POST, &items, &token).await.status(), 200);
    assert_eq!(browser.as_bearer(Method::POST, &switch("on"), "nobody's").await.status(), 401);

    assert_eq!(browser.as_bearer(Method::POST, &switch("on"), &token).await.status(), 204);
    assert_eq!(browser.as_bearer(Method::GET, &items, &token).await.status(), 200);
    let refused = browser.as_bearer(Method::POST, &items, &token).await;
    assert_eq!(refused.status(), 403);
    let told = refused.text();
    assert!(
        told.contains("nothing is changed during maintenance") && told.contains("`maintenance`"),
        "{told}"
    );

    assert_eq!(browser.as_bearer(Method::POST, &switch("off"), &token).await.status(), 204);
    assert_eq!(browser.as_bearer(Method::POST, &items, &token).await.status(), 200);
    site.stop().await;
}

//! An estate that lives on a name and a password: tokens come and go, and nobody notices.

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::everyday::*;
use crate::support::view;
use crate::support::world::{Running, World};

const TOKEN: &str = "KeystoneCreateUserTokenByPassword";
const SECRET: Object = ("Secret", "huawei-password");
const WRONG: &str = "not-the-passw0rd";

/// What lives on the password: something of each kind.
const LIVING: [Object; 6] = [INSTANCE, ORDERS, BILLING, QUOTA, SHOP, PAYMENTS];

/// All of that, at rest.
async fn living() -> (World, Running) {
    let mut world = World::furnished_by_password().await;
    world.set_lease(HOUR);
    apply(&world, &LIVING).await;
    let operator = world.start("one");
    settled_with(&world, &LIVING).await;
    (world, operator)
}

/// How many calls were answered with 401.
fn refused(world: &World) -> usize {
    let calls = world.cloud.calls().into_iter();
    calls.filter(|call| call.status == Some(401)).count()
}

#[tokio::test(start_paused = true)]
async fn a_token_is_replaced_before_it_expires() {
    let (world, _operator) = living().await;
    // For the project's name, then for its id, and because the operator's finalizer made a new version of the Secret.
    let first = world.calls(TOKEN);
    assert!(first <= 3, "{first}");
    let writes = world.writes();
    sleep(3 * 24 * HOUR).await;
    assert_eq!(world.calls(TOKEN) - first, 3, "one in 23 hours");
    assert_eq!(refused(&world), 0);
    assert_eq!(world.writes(), writes, "and nothing was written");
    for of in LIVING.into_iter().chain([PROVIDER]) {
        assert_eq!(shown(&world, of), HEALTHY, "{of:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_refused_is_replaced_once_and_nothing_stops() {
    for expired in [false, true] {
        let (world, _operator) = living().await;
        let films = [Film::of(&world, INSTANCE).await, Film::of(&world, PROVIDER).await];
        if expired {
            // Whatever the times of its answer said.
            world.cloud.advance_clock(25 * HOUR);
        } else {
            world.cloud.revoke_tokens();
        }
        let tokens = world.calls(TOKEN);
        let edit = json!({"spec": {"description": "new"}});
        world.edit(INSTANCE.0, INSTANCE.1, edit.clone()).await.unwrap();
        world.edit(PAYMENTS.0, PAYMENTS.1, edit).await.unwrap();
        world.until_ready(2 * MINUTE, &[INSTANCE, PAYMENTS]).await;
        assert_eq!(topic(&world, "payments")["description"], "new");
        sleep(2 * RESYNC).await;
        assert_eq!(world.calls(TOKEN) - tokens, 1, "expired: {expired}");
        assert!((1..10).contains(&refused(&world)), "those that were under way");
        assert_eq!(films[0].take(), ["FTFF Updating DriftFound", HEALTHY]);
        assert_eq!(films[1].take(), [] as [&str; 0]);
        for of in LIVING {
            assert_eq!(shown(&world, of), HEALTHY, "{of:?}");
        }
    }
}

/// Everything that is logged from now on, by this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Until what is returned beside it is dropped.
    fn begin() -> (Self, impl Sized) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || writer.clone())
            .finish();
        // While there is only one, a line that a test beside this one reaches first asks that test's thread whether
        // anybody listens, and is silent for good. Of two, all are asked.
        let second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
        (log, (second, tracing::subscriber::set_default(subscriber)))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Nowhere but in the Secret itself.
fn assert_unspoken(world: &World, log: &Log, password: &str) {
    for kind in view::KINDS.into_iter().chain(["events"]) {
        for object in world.server.objects(kind) {
            assert!(!object.to_string().contains(password), "{kind}: {object}");
        }
    }
    let log = log.text();
    assert!(log.len() > 100_000, "all is logged, not {} bytes", log.len());
    let line = log.lines().find(|line| line.contains(password));
    assert_eq!(line, None);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_said_and_nowhere_shown_and_a_right_one_mends_it() {
    let (log, _guard) = Log::begin();
    let (world, _operator) = living().await;
    let right = world.object(SECRET.0, SECRET.1)["data"].clone();
    let wrong = json!({"stringData": {"password": WRONG}});
    world.edit(SECRET.0, SECRET.1, wrong).await.unwrap();
    world
        .until(2 * MINUTE, "said", |world| {
            shown(world, PROVIDER) == "UFTU AccessDenied"
        })
        .await;
    let said = message(&world, PROVIDER, "Stalled");
    assert!(said.contains("does not accept these credentials"), "{said}");
    world
        .until(2 * RESYNC, "told by all", |world| {
            LIVING.iter().all(|of| shown(world, *of) == "UFTU AccessDenied")
        })
        .await;
    let (tokens, calls) = (world.calls(TOKEN), world.cloud.calls().len());
    sleep(HOUR).await;
    let asked = world.calls(TOKEN) - tokens;
    assert!(
        asked < 40,
        "a refused password is not tried again and again: {asked} times in an hour"
    );
    assert_eq!(
        world.cloud.calls().len() - calls,
        asked,
        "and without a token nothing else is sent"
    );
    assert_unspoken(&world, &log, WRONG);

    world.edit(SECRET.0, SECRET.1, json!({"data": right})).await.unwrap();
    world
        .until(3 * MINUTE, "well again", |world| {
            LIVING.iter().chain([&PROVIDER]).all(|of| shown(world, *of) == HEALTHY)
        })
        .await;
    let known = {
        use secrecy::ExposeSecret as _;
        world.cloud.config().user_password.expose_secret().to_owned()
    };
    assert_unspoken(&world, &log, &known);
}

#[tokio::test(start_paused = true)]
async fn a_password_that_is_wrong_from_the_start_buys_nothing_until_it_is_right() {
    let mut world = World::furnished_by_password().await;
    world.set_lease(HOUR);
    world
        .edit(SECRET.0, SECRET.1, json!({"stringData": {"password": WRONG}}))
        .await
        .unwrap();
    apply(&world, &LIVING).await;
    let _operator = world.start("one");
    world
        .until(2 * MINUTE, "said", |world| {
            shown(world, PROVIDER).contains("AccessDenied")
        })
        .await;
    sleep(2 * HOUR).await;
    let counts = world.cloud.call_counts();
    assert!(counts.keys().all(|operation| operation == TOKEN), "{counts:?}");
    assert!(world.calls(TOKEN) < 80, "{counts:?}");
    world.apply_password().await;
    world.until_ready(HOUR, &LIVING).await;
    assert_eq!(world.calls(CREATE_INSTANCE), 2);
}

#[tokio::test(start_paused = true)]
async fn a_secret_without_a_part_of_the_login_is_said() {
    for missing in ["username", "password", "domainName"] {
        let mut world = World::furnished_by_password().await;
        world.set_lease(HOUR);
        let without = json!({"data": {missing: Value::Null}});
        world.edit(SECRET.0, SECRET.1, without).await.unwrap();
        let _operator = world.start("one");
        world
            .until(MINUTE, "said", |world| shown(world, PROVIDER) == "FFTU InvalidSpec")
            .await;
        let said = message(&world, PROVIDER, "Stalled");
        assert!(said.contains(missing), "{said}");
        sleep(HOUR).await;
        assert_eq!(world.cloud.calls().len(), 0, "nothing can be asked for");
        world.apply_password().await;
        world.until_ready(2 * MINUTE, &[PROVIDER]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_namespace_goes_although_its_password_goes_first() {
    let (world, _operator) = living().await;
    world
        .server
        .set_namespace_sweep(&["secrets", "providerconfigs"], 20 * SECOND);
    world.cloud.revoke_tokens();
    world.delete("Namespace", "default").await;
    world.until_gone(HOUR, &[("Namespace", "default")]).await;
    assert!(world.instances().is_empty(), "{}", world.picture());
}

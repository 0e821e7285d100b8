//! The checks after a failed commit, which are the same for every kind of fault.

use std::sync::Arc;
use std::time::Duration;

use super::scene::{BEFORE, Scene, Told, told};
use crate::subject::{Changeset, Direct, GlobalRead, Read, Subject, unique};
use crate::support::{GLOBAL_LIMIT, log, of_streams, store_over, stream, together};
use crate::{AdapterHarness, WriteFault};

/// How long a fault that holds commits back is in force while others look.
const HELD: Duration = Duration::from_millis(200);

/// How often they look.
const LOOKS: u32 = 20;

pub(super) async fn is_as_told(harness: &dyn AdapterHarness, fault: WriteFault) {
    let scene = Scene::set(harness).await;
    scene.begin(fault).await;
    let told = scene.ask("key").await;
    scene.end().await;
    scene.assert_true(harness, &told).await;
}

pub(super) async fn can_be_repeated(harness: &dyn AdapterHarness, fault: WriteFault) {
    let scene = Scene::set(harness).await;
    scene.begin(fault).await;
    let told = scene.ask("key").await;
    scene.end().await;
    scene.assert_true(harness, &told).await;
    let again = scene.ask("key").await;
    scene.assert_stands_once(harness, &again).await;
    let again = scene.ask("key").await;
    scene.assert_stands_once(harness, &again).await;
}

pub(super) async fn leaves_its_place(harness: &dyn AdapterHarness, fault: WriteFault) {
    let scene = Scene::set(harness).await;
    scene.begin(fault).await;
    let failed = scene.ask("failed").await;
    scene.end().await;
    let stands = stream(&*harness.subject(), &scene.name).await.len() as u64 > BEFORE;
    let other = scene.ask("other").await;
    match &other {
        Told::Stands(receipt) if !stands => {
            let id = receipt.changeset_id.get();
            assert_eq!(
                id,
                BEFORE + 1,
                "G3: it gets the changeset id of the failed commit"
            );
        }
        Told::Conflict(told) if stands => {
            let first = told.first().map(|c| c.commit_id.to_string());
            let expected = Some("failed".to_owned());
            assert_eq!(
                first, expected,
                "G2: a conflict lists the stored changesets"
            );
        }
        other => panic!(
            "G2: after a commit that was told {failed:?}, and of which {} stands, another one was \
             told {other:?}",
            u8::from(stands)
        ),
    }
}

/// All that a stream's and the order's readers see, if they see anything.
async fn seen(subject: &dyn Subject, name: &str, start: u64) -> Vec<Changeset> {
    let mut seen = Vec::new();
    if let Ok(page) = subject.changesets(name, &Read::default()).await {
        seen.extend(page.items);
    }
    if let Ok(page) = subject.global_changesets(&GlobalRead::from(start)).await {
        seen.extend(page.changesets);
    }
    seen
}

pub(super) async fn shows_what_lasts(harness: &mut dyn AdapterHarness, fault: WriteFault) {
    let scene = Scene::set(harness).await;
    let subject = harness.subject();
    scene.begin(fault).await;
    let asking = async { tokio::join!(scene.ask("one"), scene.ask("two")) };
    let looking = async {
        let mut all = Vec::new();
        for _ in 0..LOOKS {
            all.extend(seen(&*subject, &scene.name, scene.start).await);
            tokio::time::sleep(HELD / LOOKS).await;
        }
        let head = subject.head(&scene.name).await.ok();
        scene.end().await;
        (all, head.map(|head| head.last_changeset))
    };
    let ((one, two), (seen, head)) = tokio::join!(asking, looking);
    drop(subject);
    let is_durable = harness.capabilities().durable;
    if is_durable {
        harness.restart().await;
    }
    let stands = stream(&*harness.subject(), &scene.name).await;
    let ids = |changeset: &Changeset| (changeset.stream.clone(), changeset.changeset_id);
    let content = |changeset: &Changeset| (ids(changeset), changeset.events.clone());
    let stand: Vec<_> = stands.iter().map(content).collect();
    for changeset in seen.iter().filter(|c| c.stream == scene.name) {
        let lasts = stand.contains(&content(changeset));
        assert!(
            lasts,
            "G5: a changeset that was read lasts, but this one did not: {changeset:?}"
        );
    }
    let last = stands.len() as u64;
    let head = head.unwrap_or(last);
    assert!(
        head <= last,
        "G5: a head that was read lasts, but {head} was read and {last} is stored"
    );
    for told in [one, two] {
        if let Told::Conflict(told) = told {
            let told = told.iter().map(|c| c.events.as_str().to_owned());
            let found: Vec<_> = stands
                .iter()
                .filter(|c| c.changeset_id > BEFORE)
                .map(|c| c.events.clone())
                .collect();
            let told: Vec<_> = told.collect();
            assert_eq!(told, found, "G2: a conflict lists the changesets that last");
        }
    }
}

pub(super) async fn leaves_no_hole(harness: &dyn AdapterHarness, fault: WriteFault) {
    let scene = Scene::set(harness).await;
    scene.begin(fault).await;
    let names: Vec<String> = (0..6).map(|_| unique("holes")).collect();
    let store = store_over(harness.storage());
    let failing = names.iter().map(|name| {
        let (store, name) = (store.clone(), name.clone());
        async move { told(&store, &name, 0, "failing").await }
    });
    together(failing.collect::<Vec<_>>()).await;
    scene.end().await;
    let subject: Arc<dyn Subject> = Direct::over(store_over(harness.storage()));
    for name in &names {
        for (last, key) in [(0, "failing"), (1, "after")] {
            let told = told(&store, name, last, key).await;
            let stands = matches!(told, Told::Stands(_));
            assert!(
                stands,
                "G10: a repeat succeeds, but the answer was {told:?}"
            );
        }
        let ids: Vec<u64> = stream(&*subject, name)
            .await
            .iter()
            .map(|c| c.changeset_id)
            .collect();
        assert_eq!(ids, [1, 2], "G3: no gap in the stream");
    }
    harness.settle().await;
    let order = log(&*subject, scene.start, GLOBAL_LIMIT).await;
    let placed = of_streams(&order, &names).len();
    assert_eq!(
        placed,
        names.len() * 2,
        "G6: every commit once in the order"
    );
}

pub(super) async fn survives_a_restart(harness: &mut dyn AdapterHarness, fault: WriteFault) {
    let scene = Scene::set(harness).await;
    scene.begin(fault).await;
    let told = scene.ask("restarted").await;
    scene.end().await;
    harness.restart().await;
    if !harness.capabilities().durable {
        return;
    }
    let scene = scene.again(harness);
    scene.assert_true(harness, &told).await;
    let again = scene.ask("restarted").await;
    scene.assert_stands_once(harness, &again).await;
}

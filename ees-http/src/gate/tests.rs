use futures_util::FutureExt;
use tokio::time::Instant;

use super::*;
use crate::codes;

fn gate(requests: usize) -> Gate {
    Gate::new(&Options {
        max_requests: requests,
        ..Options::default()
    })
}

/// A permit that is filled at once.
fn entered(gate: &Gate) -> Permit {
    let permit = Permit::default();
    let entered = gate.enter(&permit, false).now_or_never();
    entered.expect("there is room").expect("there is room");
    permit
}

#[tokio::test(start_paused = true)]
async fn requests_wait_in_order_of_arrival() {
    let gate = gate(2);
    let running = [entered(&gate), entered(&gate)];
    let permits = [Permit::default(), Permit::default()];
    let mut first = Box::pin(gate.enter(&permits[0], false));
    let mut second = Box::pin(gate.enter(&permits[1], true));
    assert!((&mut first).now_or_never().is_none() && (&mut second).now_or_never().is_none());
    running[1].release();
    assert!((&mut second).now_or_never().is_none(), "it came later");
    assert!(
        (&mut first)
            .now_or_never()
            .is_some_and(|entered| entered.is_ok())
    );
    running[0].release();
    assert!(
        (&mut second)
            .now_or_never()
            .is_some_and(|entered| entered.is_ok())
    );
}

#[tokio::test(start_paused = true)]
async fn no_more_requests_wait_than_may_run() {
    let gate = gate(2);
    let running = [entered(&gate), entered(&gate)];
    let permits = [(); 3].map(|()| Permit::default());
    let mut waiting = Vec::new();
    for permit in &permits[..2] {
        let mut entering = Box::pin(gate.enter(permit, false));
        assert!((&mut entering).now_or_never().is_none());
        waiting.push(entering);
    }
    let refused = gate.enter(&permits[2], false).now_or_never();
    let refused = refused.expect("it does not wait").unwrap_err();
    assert_eq!(refused.code, codes::OVERLOADED);
    drop(waiting.pop());
    let mut entering = Box::pin(gate.enter(&permits[2], false));
    assert!(
        (&mut entering).now_or_never().is_none(),
        "its place is free"
    );
    drop(running);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waited_in_vain_is_refused() {
    let gate = gate(1);
    let running = entered(&gate);
    let begun = Instant::now();
    let refused = gate.enter(&Permit::default(), false).await.unwrap_err();
    assert_eq!(refused.code, codes::OVERLOADED);
    assert_eq!(refused.more.outcome, Some("none"));
    assert!((PATIENCE..PATIENCE * 2).contains(&begun.elapsed()));
    running.release();
    entered(&gate);
}

#[tokio::test(start_paused = true)]
async fn a_small_request_waits_for_any_place() {
    // One of eight places is for small ones.
    let gate = gate(8);
    let small = Permit::default();
    gate.enter(&small, true).await.unwrap();
    let large: Vec<_> = (0..7).map(|_| entered(&gate)).collect();
    let permits = [Permit::default(), Permit::default()];
    for (free, permit) in [&small, &large[0]].into_iter().zip(&permits) {
        let mut entering = Box::pin(gate.enter(permit, true));
        assert!((&mut entering).now_or_never().is_none());
        free.release();
        assert!(
            (&mut entering)
                .now_or_never()
                .is_some_and(|entered| entered.is_ok())
        );
    }
}

#[tokio::test]
async fn room_that_was_made_before_is_counted_once() {
    let gate = gate(1);
    let permit = Permit::default();
    for bytes in [100_000, 100_000, 150_000, 9000] {
        gate.answer(&permit, bytes).await.unwrap();
    }
    assert_eq!(gate.0.answers.taken(), 150_000);
    drop(permit.keep(vec![0; 150_000]));
    assert_eq!(gate.0.answers.taken(), 0);
}

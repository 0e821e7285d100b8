//! Input that is no export, or not as it was written.

use ees_core::Checkpoint;
use ees_evidence::{MoveError, Part};

use crate::rich::{all, import, lines, movable, rich};

/// Whatever byte of an export is changed, the import fails, and the right one finishes it.
#[tokio::test]
async fn every_changed_byte_is_found() {
    let (source, _) = rich().await;
    let exported = lines(&source, 0).await.unwrap();
    let expected = all(&source).await;
    for (number, line) in exported.iter().enumerate() {
        for place in (0..line.len()).step_by(3) {
            let mut bytes = line.clone().into_bytes();
            bytes[place] ^= 1;
            let Ok(changed) = String::from_utf8(bytes) else {
                continue;
            };
            let (target, _) = movable();
            let mut all_lines = exported.clone();
            all_lines[number].clone_from(&changed);
            let found = import(&target, &all_lines).await;
            assert!(found.is_err(), "{changed}");
            let stored = all(&target).await;
            assert_eq!(stored, expected[..stored.len()], "{changed}");
            if place % 9 == 0 {
                import(&target, &exported).await.unwrap();
                assert_eq!(all(&target).await, expected);
            }
        }
    }
}

/// Lines that are missing, doubled, at the wrong place, or of something else.
#[tokio::test]
async fn lines_at_the_wrong_place_are_told() {
    let (source, _) = rich().await;
    let exported = lines(&source, 0).await.unwrap();
    let expected = all(&source).await;
    for (number, line) in exported.iter().enumerate() {
        let mut holed = exported.clone();
        holed.remove(number);
        let mut doubled = exported.clone();
        doubled.insert(number, line.clone());
        let mut swapped = exported.clone();
        swapped.swap(number, (number + 1) % exported.len());
        for wrong in [holed, doubled, swapped] {
            let (target, _) = movable();
            if import(&target, &wrong).await.is_ok() {
                // A hash less, or once more, changes nothing.
                assert!(
                    line.starts_with("{\"until") || line.starts_with("{\"check"),
                    "{line}"
                );
            } else {
                import(&target, &exported).await.unwrap();
            }
            assert_eq!(all(&target).await, expected);
        }
    }
    let (target, _) = movable();
    let mut holed = exported.clone();
    holed.remove(2);
    let hole = import(&target, &holed).await.unwrap_err();
    let MoveError::Line { line, at, .. } = &hole else {
        panic!("{hole}")
    };
    assert_eq!((*line, at.get()), (3, 1), "{hole}");
}

/// What an input is told to be.
#[tokio::test]
async fn what_is_no_export_is_told() {
    let (source, _) = rich().await;
    let exported = lines(&source, 0).await.unwrap();
    let header = &exported[0];
    let cases = [
        (String::new(), "not a line of an export"),
        ("{}".to_owned(), "not a line of an export"),
        ("\u{0}\u{1}".to_owned(), "not a line of an export"),
        (exported[1].clone(), "first line"),
        (
            header.replace("ees-export", "other"),
            "its format is `other`",
        ),
        (
            header.replace("\"version\":1", "\"version\":2"),
            "version 2",
        ),
        (header.replace("\"from\":0", "\"from\":-1"), "expected"),
    ];
    for (line, told) in cases {
        let (target, _) = movable();
        let error = import(&target, [line]).await.unwrap_err();
        assert!(matches!(error, MoveError::NotAnExport(_)), "{error}");
        assert!(error.to_string().contains(told), "{error}");
    }
    let (target, _) = movable();
    let empty = import(&target, [""; 0]).await.unwrap_err();
    assert!(matches!(empty, MoveError::NotAnExport(_)), "{empty}");
    let root = exported
        .iter()
        .position(|line| line.starts_with("{\"until\""))
        .unwrap();
    let changed = exported[1].replace("[1, 2]", "[1, 3]");
    assert_ne!(changed, exported[1]);
    let error = import(
        &target,
        [header, &changed].into_iter().chain(&exported[2..]),
    )
    .await;
    let error = error.unwrap_err();
    assert!(
        matches!(error, MoveError::Changed { from, to } if from == Checkpoint::FIRST && to.get() == 11),
        "{error}"
    );
    assert!(all(&target).await.is_empty());
    for (from, to, told) in [
        ("[1, 2]", "[1, 2, 3]", "3 events"),
        ("[1, 2]", "[1, 2", "JSON array"),
        ("\"changeset_id\":1", "\"changeset_id\":0", "cannot be read"),
        ("\"commit_id\"", "\"id\"", "cannot be read"),
    ] {
        let changed = exported[1].replace(from, to);
        let error = import(&target, [header, &changed]).await.unwrap_err();
        assert!(matches!(error, MoveError::Line { line: 2, .. }), "{error}");
        assert!(error.to_string().contains(told), "{error}");
    }
    for void in [
        "{\"void\":[0,0]}",
        "{\"void\":[0,1000000000]}",
        "{\"void\":[2,1]}",
    ] {
        let error = import(&target, [header, &void.to_owned()])
            .await
            .unwrap_err();
        assert!(error.to_string().contains("`void`"), "{error}");
    }
    // Without roots nothing is written, and nothing is kept without a bound.
    let Part::Changeset(one) = Part::of_line(&exported[1]).unwrap() else {
        panic!()
    };
    let many = (0..1001).map(|at| {
        Part::Changeset(ees_core::Changeset {
            checkpoint: Some(Checkpoint::FIRST.plus(at)),
            ..one.clone()
        })
        .to_line()
    });
    let many: Vec<_> = std::iter::once(header.clone()).chain(many).collect();
    let error = import(&target, &many).await.unwrap_err();
    assert!(error.to_string().contains("no root"), "{error}");
    assert!(root > 0);
}
